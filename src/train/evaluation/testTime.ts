/** Test-time augmentation: several looks at each picture, answered together. Read average.ts for how. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { Module } from "../../nn/module.js";
import { narrow, pad } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { fiveCrop, resize, tenCrop } from "../../vision/transforms/functional.js";
import type { Model } from "../steps.js";
import { type AverageOptions, averageOutputs, checkAverageOptions } from "./average.js";

/** The looks at a batch of inputs, in which every example has its place in dim 0. */
export type Views = (x: Tensor) => readonly Tensor[];

/**
 * Pictures and their mirror images, left to right. x: [B, C, H, W].
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { flipViews } from "gradus/train";
 * console.log(flipViews(tensor([[[[1, 2]]]])).map((x) => [...x.data])); // → [ [ 1, 2 ], [ 2, 1 ] ]
 * ```
 */
export const flipViews: Views = (x) => [x, x.flip(-1)];

export interface CropViewOptions {
  /** Bring the parts back to the pictures' size, for networks that take no other; default false. */
  readonly enlarge?: boolean;
}

const sizedAs = (x: Tensor, parts: readonly Tensor[], { enlarge = false }: CropViewOptions) =>
  enlarge ? parts.map((part) => resize(part, x.shape.slice(-2))) : parts;

/**
 * The four corners and the middle, each `size` × `size`. x: [B, C, H, W].
 *
 * @example
 * ```ts
 * import { ones } from "gradus";
 * import { fiveCropViews } from "gradus/train";
 * const views = fiveCropViews(6)(ones([2, 3, 8, 8]));
 * console.log(views.length, views[0]?.shape); // → 5 [ 2, 3, 6, 6 ]
 * ```
 */
export const fiveCropViews =
  (size: number | readonly number[], options: CropViewOptions = {}): Views =>
  (x) =>
    sizedAs(x, fiveCrop(x, size), options);

/**
 * {@link fiveCropViews} of pictures and of their mirror images.
 *
 * @example
 * ```ts
 * import { ones } from "gradus";
 * import { tenCropViews } from "gradus/train";
 * const views = tenCropViews(6, { enlarge: true })(ones([2, 3, 8, 8]));
 * console.log(views.length, views[0]?.shape); // → 10 [ 2, 3, 8, 8 ]
 * ```
 */
export const tenCropViews =
  (size: number | readonly number[], options: CropViewOptions = {}): Views =>
  (x) =>
    sizedAs(x, tenCrop(x, size), options);

/**
 * Pictures as they are and moved by so many pixels up, down, left and right; the outermost rows and columns are repeated.
 *
 * @throws ValueError unless `pixels` is a whole number ≥ 1.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { shiftViews } from "gradus/train";
 * const views = shiftViews(1)(tensor([[[[1, 2, 3]]]]));
 * console.log(views.map((x) => x.data.join(" ")).join(", ")); // → 1 2 3, 1 2 3, 1 2 3, 1 1 2, 2 3 3
 * ```
 */
export function shiftViews(pixels: number): Views {
  if (!Number.isInteger(pixels) || pixels < 1)
    throw new ValueError("shiftViews", `pixels is ${pixels}; expected a whole number ≥ 1`);
  return (x) => {
    const [height, width] = x.shape.slice(-2) as [number, number];
    const wide = pad(x, [pixels, pixels, pixels, pixels], { mode: "replicate" });
    const moves = [
      [0, 0],
      [pixels, 0],
      [-pixels, 0],
      [0, pixels],
      [0, -pixels],
    ] as const;
    return moves.map(([down, right]) =>
      narrow(narrow(wide, -2, pixels - down, height), -1, pixels - right, width),
    );
  };
}

export interface TestTimeOptions extends AverageOptions {
  /** Gives the looks; default {@link flipViews}. */
  readonly views?: Views;
}

/**
 * A model that looks at each input several times, as it is and mirrored, moved or cut, and gives the average of the
 * probabilities (or logits) (Krizhevsky et al., 2012, with ten crops).
 *
 * x: [B, …] → [B, K, …], as the model gives it for one look; scores for `crossEntropy`.
 *
 * @throws ValueError where there are no views; ShapeError for views of another number of examples.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * import { TestTimeAugmentation } from "gradus/train";
 * const left = new nn.Sequential(new nn.Flatten(), new nn.Linear(2, 2, { bias: false }));
 * const model = new TestTimeAugmentation(left, { average: "logits" });
 * const [a, b] = model.forward(tensor([[[[1, 3]]], [[[3, 1]]]])).toArray() as number[][];
 * console.log(JSON.stringify(a) === JSON.stringify(b)); // → true
 * ```
 */
export class TestTimeAugmentation extends Module {
  readonly model: Model;
  private readonly views: Views;
  private readonly options: AverageOptions;

  constructor(model: Model, options: TestTimeOptions = {}) {
    super();
    checkAverageOptions("TestTimeAugmentation", options);
    this.model = model;
    this.views = options.views ?? flipViews;
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    const op = "TestTimeAugmentation";
    const views = this.views(x);
    if (views.length === 0) throw new ValueError(op, "`views` gives none; expected at least one");
    const odd = views.find(({ shape }) => shape[0] !== x.shape[0]);
    if (odd) {
      const came = formatShape(odd.shape);
      throw new ShapeError(op, `a view is ${came}; expected ${x.shape[0]} examples in dim 0`);
    }
    const outputs = views.map((view) => this.model.forward(view));
    return averageOutputs(op, outputs, this.options);
  }
}
