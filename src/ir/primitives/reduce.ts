/** Primitives that fold dimensions away. */
import { DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { Primitive } from "../primitives.js";

export interface ReduceAttributes {
  /** The dimensions folded away, rising. */
  readonly dims: readonly number[];
}
export interface ArgReduceAttributes {
  readonly dim: number;
}

const reduce = (hasIdentity: boolean): Primitive<ReduceAttributes> => ({
  class: "reduce",
  arity: 1,
  infer([x], { dims }) {
    const { shape, dtype } = x!;
    if (dtype === "bool") throw new DTypeError("", "does not take bool, convert it first");
    if (!hasIdentity && dims.some((d) => shape[d] === 0))
      throw new ShapeError("", `nothing to choose from in ${formatShape(shape)}`);
    return { dtype, shape: shape.filter((_, i) => !dims.includes(i)) };
  },
});

/** The index of the first largest (smallest) element along a dim; the first NaN wins over all. */
const argReduce: Primitive<ArgReduceAttributes> = {
  class: "reduce",
  arity: 1,
  infer([x], { dim }) {
    if (x!.shape[dim] === 0)
      throw new ShapeError("", `nothing to choose from in ${formatShape(x!.shape)} at dim ${dim}`);
    return { dtype: "int32", shape: x!.shape.filter((_, i) => i !== dim) };
  },
};

export const reducePrimitives = {
  reduceSum: reduce(true),
  reduceProduct: reduce(true),
  reduceMax: reduce(false),
  reduceMin: reduce(false),
  argMax: argReduce,
  argMin: argReduce,
};
