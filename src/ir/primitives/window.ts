/** Primitives over windows of planes: the place of the maximum, and the sum with its transpose. */
import { ShapeError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { Primitive } from "../primitives.js";
import { type WindowAttributes, windowSizes } from "./contract.js";

export interface PlaneWindowAttributes extends WindowAttributes {
  readonly kernelSizes: readonly number[];
}
export interface WindowSumGradAttributes extends PlaneWindowAttributes {
  /** Spatial sizes of the sum's input. */
  readonly inputSizes: readonly number[];
}

/**
 * x [P, …in] → int32 [P, …out]: the flat index within its plane of each window's first maximum (a
 * NaN counts as largest). Padding is never chosen.
 */
const windowArgMax: Primitive<PlaneWindowAttributes> = {
  class: "window",
  arity: 1,
  infer([x], attributes) {
    const [planes, ...spatial] = x!.shape as [number, ...number[]];
    attributes.padLow.forEach((low, i) => {
      const half = attributes.kernelSizes[i]! / 2;
      if (
        low > half ||
        attributes.padHigh[i]! >= attributes.kernelSizes[i]! * attributes.dilation[i]!
      )
        throw new ShapeError(
          "",
          `padding ${low} is over half of the window ${attributes.kernelSizes[i]} at spatial dim ${i}`,
        );
    });
    const sizes = windowSizes(spatial, attributes.kernelSizes, attributes);
    return { dtype: "int32", shape: [planes, ...sizes] };
  },
};

/** x [P, …in] → [P, …out]: the sum of each window; padding counts as 0. */
const windowSum: Primitive<PlaneWindowAttributes> = {
  class: "window",
  arity: 1,
  infer([x], attributes) {
    const [planes, ...spatial] = x!.shape as [number, ...number[]];
    const sizes = windowSizes(spatial, attributes.kernelSizes, attributes);
    return { dtype: x!.dtype, shape: [planes, ...sizes] };
  },
};

/** The transpose of {@link windowSum}: g [P, …out] → [P, …inputSizes], each g added to all places of its window. */
const windowSumGrad: Primitive<WindowSumGradAttributes> = {
  class: "window",
  arity: 1,
  infer([g], attributes) {
    const [planes, ...out] = g!.shape as [number, ...number[]];
    const sizes = windowSizes(attributes.inputSizes, attributes.kernelSizes, attributes);
    if (sizes.some((n, i) => n !== out[i]))
      throw new ShapeError(
        "",
        `the sums' gradient is ${formatShape(g!.shape)}, expected ${formatShape([planes, ...sizes])}`,
      );
    return { dtype: g!.dtype, shape: [planes, ...attributes.inputSizes] };
  },
};

export const windowPrimitives = { windowArgMax, windowSum, windowSumGrad };
