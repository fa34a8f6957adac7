/** The rows of a linear classifier as the pictures that they are: what each class looks for. */
import { ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { ArrayData } from "../io/arrayData.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * Weights [classes, features] as pictures [classes, C, H, W] from 0 to 1: each row from its least weight (black) to its greatest (white),
 * all channels alike; a row of equal weights is mid-grey. `drawSheet` of "gradus/train" makes one picture of them.
 *
 * @throws ShapeError where features are not C·H·W.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { templateImages } from "gradus/linear";
 * console.log(templateImages(tensor([[-1, 1]]), [1, 1, 2]).flatten().toArray()); // → [ 0, 1 ]
 * ```
 */
export function templateImages(weight: ArrayData, shape: Shape): Tensor {
  const [classes = 0, features] = weight.shape;
  if (weight.shape.length !== 2 || shape.length !== 3 || sizeOf(shape) !== features) {
    const came = `${formatShape(weight.shape)} and ${formatShape(shape)}`;
    throw new ShapeError("templateImages", `got ${came}; expected [classes, C·H·W] and [C, H, W]`);
  }
  const out = new Float32Array(classes * features);
  for (let row = 0; row < classes; row++) {
    const part = weight.data.subarray(row * features, (row + 1) * features);
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of part) [least, most] = [Math.min(least, value), Math.max(most, value)];
    const span = most - least;
    part.forEach((value, i) => {
      out[row * features + i] = span > 0 ? (value - least) / span : 0.5;
    });
  }
  return fromTypedArray(out, { shape: [classes, ...shape] });
}
