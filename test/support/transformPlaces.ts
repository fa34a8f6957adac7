/** Where pictures of 13 × 18 pixels are moved to in the tests of transforms, as scripts/fixtures/makeTransforms.py and makeTransformsBytes.py have it. */
import { tensor } from "../../src/index.js";

/** Of every pixel, in shares of the picture: [1, 13, 18, 2]. */
export const displacement = tensor(
  Float32Array.from({ length: 13 * 18 * 2 }, (_, i) =>
    i % 2 ? 0.05 * Math.cos((i >> 1) * 0.7) : 0.1 * Math.sin((i >> 1) * 0.3),
  ),
  { shape: [1, 13, 18, 2] },
);

/** The corners [x, y], and where a perspective takes them. */
export const corners = [
  [0, 0],
  [17, 0],
  [17, 12],
  [0, 12],
] as const;
export const moved = [
  [2, 1],
  [15, 3],
  [16, 11],
  [1, 10],
] as const;

export const bilinear = { interpolation: "bilinear" } as const;
