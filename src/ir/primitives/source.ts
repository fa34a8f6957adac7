/** Values that come from nowhere inside the graph: inputs, constants, index ramps. */
import type { DType } from "../../core/dtype.js";
import type { Shape } from "../../core/shape.js";
import type { Primitive } from "../primitives.js";

export interface InputAttributes {
  readonly index: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface ConstantAttributes {
  /** The value of every element. */
  readonly value: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface IotaAttributes {
  /** Each element is its own index along this dimension. */
  readonly dim: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

const given = {
  class: "source",
  arity: 0,
  infer: (_: unknown, { shape, dtype }: { shape: Shape; dtype: DType }) => ({ shape, dtype }),
} as const;

export const sourcePrimitives = {
  input: given as Primitive<InputAttributes>,
  constant: given as Primitive<ConstantAttributes>,
  iota: given as Primitive<IotaAttributes>,
};
