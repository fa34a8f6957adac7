/**
 * THE table of primitives. Everything that runs is made of these; names and meaning follow StableHLO
 * (https://openxla.org/stablehlo/spec) where it has them. Each row gives the class that passes and backends look at, and
 * the rule that checks the inputs and gives the result's type. Gradient rules are in vjp.ts, float64 meaning in
 * interpret.ts, C++ in native/. The order of rows numbers the opcodes of encoded programs.
 */
import type { DType } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import { attentionPrimitives } from "./primitives/attention.js";
import { contractPrimitives } from "./primitives/contract.js";
import { indexPrimitives } from "./primitives/indexing.js";
import { linalgPrimitives } from "./primitives/linalg.js";
import { pointwisePrimitives } from "./primitives/pointwise.js";
import { reducePrimitives } from "./primitives/reduce.js";
import { scanPrimitives } from "./primitives/scan.js";
import { sourcePrimitives } from "./primitives/source.js";
import { viewPrimitives } from "./primitives/view.js";
import { windowPrimitives } from "./primitives/window.js";

/**
 * What kind of thing a primitive does:
 * `source` makes a value of none; `pointwise` maps each element; `view` renames elements without
 * computing; `move` copies elements to other places; `reduce` folds dimensions; `contract` multiplies and sums;
 * `window` looks at neighbourhoods; `scan` runs along a dim; `linalg` factors and solves; `index` reads or writes where another value says; `effect` draws random bits.
 */
export type PrimitiveClass =
  | "source"
  | "pointwise"
  | "view"
  | "move"
  | "reduce"
  | "contract"
  | "window"
  | "scan"
  | "linalg"
  | "index"
  | "effect";

/** The type of a value: element type and shape. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One row of the table. */
export interface Primitive<A = never> {
  readonly class: PrimitiveClass;
  readonly arity: number | "any";
  /** The kernel reads operands that are views where they are; without this it is given contiguous ones. */
  readonly walksViews?: boolean;
  /** Checks the inputs and attributes, and gives the result's type. */
  infer(inputs: readonly ValueType[], attributes: A): ValueType;
}

/** A pointwise row also has its meaning for one element, on numbers in float64. */
export interface PointwisePrimitive extends Primitive<PointwiseAttributes> {
  readonly class: "pointwise";
  evaluate(a: number, b: number, c: number): number;
  /** The meaning on int32 where float64 arithmetic would round. */
  evaluateInteger?(a: number, b: number): number;
}

export interface PointwiseAttributes {
  /** Result type, for `convert` only. */
  readonly dtype?: DType;
}

export const primitives = {
  ...sourcePrimitives,
  ...pointwisePrimitives,
  ...viewPrimitives,
  ...reducePrimitives,
  ...contractPrimitives,
  ...windowPrimitives,
  ...scanPrimitives,
  ...indexPrimitives,
  ...linalgPrimitives,
  ...attentionPrimitives,
} as const;

export type PrimitiveName = keyof typeof primitives;
export type PointwiseName = keyof typeof pointwisePrimitives;

/** The attributes that a primitive's nodes carry. */
export type AttributesOf<P extends PrimitiveName> =
  (typeof primitives)[P] extends Primitive<infer A> ? A : never;

export const primitiveNames = Object.keys(primitives) as readonly PrimitiveName[];

const opcodes = new Map(primitiveNames.map((name, i) => [name, i]));

/** The number of a primitive in encoded programs; native/ has the same numbers, generated from here. */
export const opcodeOf = (name: PrimitiveName): number => opcodes.get(name)!;

export const classOf = (name: PrimitiveName): PrimitiveClass => primitives[name].class;
