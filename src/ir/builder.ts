/**
 * Makes nodes, checking each against the table of primitives, and offers the small vocabulary that lowerings and gradient
 * rules are written in: numbers become constants and shapes broadcast, so that a formula reads as a formula.
 */
import { type DType, isDType, isFloat } from "../core/dtype.js";
import { DTypeError, GradusError, ValueError } from "../core/errors.js";
import { broadcastShapes, type Shape, sameShape } from "../core/shape.js";
import type { Node } from "./graph.js";
import {
  type AttributesOf,
  type PointwiseName,
  type Primitive,
  type PrimitiveName,
  primitives,
} from "./primitives.js";

/** An operand of a formula: a value, or a number that takes the other operand's dtype. */
export type Operand = Node | number;

const spell = (x: unknown): string =>
  typeof x === "object" && x !== null ? "an object" : (JSON.stringify(x) ?? "undefined");

/** Ids rise over all builders, since a gradient's builder adds to nodes that another one made. */
let nextId = 0;

export class Builder {
  /** The op whose lowering is running; nodes carry it into messages. */
  origin: string;

  constructor(origin = "") {
    this.origin = origin;
  }

  /** Adds one primitive; throws the table's error with the op's name before it. */
  make<P extends PrimitiveName>(
    primitive: P,
    inputs: readonly Node[],
    attributes: AttributesOf<P>,
  ): Node<P> {
    try {
      const row = primitives[primitive] as Primitive<AttributesOf<P>> | undefined;
      if (!row) throw new ValueError("", `there is no primitive "${primitive}"`);
      const { shape, dtype } = row.infer(inputs, attributes);
      return { id: nextId++, primitive, inputs, attributes, shape, dtype, origin: this.origin };
    } catch (error) {
      if (!(error instanceof GradusError) || error.op) throw error;
      const Kind = error.constructor as new (op: string, message: string) => GradusError;
      throw new Kind(this.origin || primitive, error.message);
    }
  }

  /** The id that the next node will have, of any builder. */
  get mark(): number {
    return nextId;
  }

  input(index: number, shape: Shape, dtype: DType): Node {
    return this.make("input", [], { index, shape, dtype });
  }

  constant(value: number, dtype: DType, shape: Shape = []): Node {
    return this.make("constant", [], { value, shape, dtype });
  }

  iota(dim: number, shape: Shape, dtype: DType = "int32"): Node {
    return this.make("iota", [], { dim, shape, dtype });
  }

  /** Any pointwise primitive on operands that broadcast; numbers take the dtype of the first value. */
  pointwise(primitive: PointwiseName, ...operands: Operand[]): Node {
    const values = operands.filter((x): x is Node => typeof x !== "number");
    // Settings of ops come this far when they are not the numbers that their types demand.
    const wrong = values.find((x) => !Array.isArray(x?.shape) || !x.primitive);
    if (wrong !== undefined || values.includes(wrong as never))
      throw new ValueError(this.origin || primitive, `expected a number, got ${spell(wrong)}`);
    // The condition of a select is bool; its branches' dtype is the one that numbers take.
    const like = primitive === "select" ? values.find((x) => x !== operands[0]) : values[0];
    const shape = broadcastShapes(this.origin || primitive, ...values.map((x) => x.shape));
    const nodes = operands.map((x) =>
      typeof x === "number"
        ? this.constant(x, like?.dtype ?? "float32", shape)
        : this.broadcastTo(x, shape),
    );
    return this.make(primitive, nodes, {});
  }

  add = (a: Operand, b: Operand): Node => this.pointwise("add", a, b);
  subtract = (a: Operand, b: Operand): Node => this.pointwise("subtract", a, b);
  multiply = (a: Operand, b: Operand): Node => this.pointwise("multiply", a, b);
  divide = (a: Operand, b: Operand): Node => this.pointwise("divide", a, b);
  negate = (a: Node): Node => this.pointwise("negate", a);
  equal = (a: Operand, b: Operand): Node => this.pointwise("equal", a, b);
  select = (condition: Node, a: Operand, b: Operand): Node =>
    this.pointwise("select", condition, a, b);

  convert(x: Node, dtype: DType): Node {
    if (!isDType(dtype)) throw new DTypeError(this.origin, `unknown dtype ${spell(dtype)}`);
    return x.dtype === dtype ? x : this.make("convert", [x], { dtype });
  }

  stopGradient(x: Node): Node {
    return isFloat(x.dtype) ? this.make("stopGradient", [x], {}) : x;
  }

  /** The same value as a node of its own, which gradients pass and simplification drops. */
  alias(x: Node): Node {
    return this.make("convert", [x], { dtype: x.dtype });
  }

  reshape(x: Node, shape: Shape): Node {
    return sameShape(x.shape, shape) ? x : this.make("reshape", [x], { shape });
  }

  transpose(x: Node, permutation: readonly number[]): Node {
    if (permutation.every((d, i) => d === i)) return x;
    return this.make("transpose", [x], { permutation });
  }

  /** NumPy's broadcasting of one value to `shape`. */
  broadcastTo(x: Node, shape: Shape): Node {
    if (sameShape(x.shape, shape)) return x;
    const lead = shape.length - x.shape.length;
    return this.make("broadcastInDim", [x], { shape, dims: x.shape.map((_, i) => lead + i) });
  }

  /** Undoes {@link broadcastTo}: sums the dims that were added or stretched. */
  sumTo(x: Node, shape: Shape): Node {
    if (sameShape(x.shape, shape)) return x;
    const lead = x.shape.length - shape.length;
    const dims = x.shape.map((_, i) => i).filter((i) => i < lead || shape[i - lead] !== x.shape[i]);
    return this.reshape(this.reduce("reduceSum", x, dims), shape);
  }

  reduce(
    primitive: "reduceSum" | "reduceProduct" | "reduceMax" | "reduceMin",
    x: Node,
    dims: readonly number[],
    keepDim = false,
  ): Node {
    const folded = dims.length === 0 ? x : this.make(primitive, [x], { dims });
    if (!keepDim) return folded;
    return this.reshape(
      folded,
      x.shape.map((n, i) => (dims.includes(i) ? 1 : n)),
    );
  }

  /** Puts the dims that a reduction removed back, stretched to `shape`. */
  unreduce(x: Node, shape: Shape, dims: readonly number[]): Node {
    const kept = shape.map((_, i) => i).filter((i) => !dims.includes(i));
    if (kept.length === shape.length) return x;
    return this.make("broadcastInDim", [x], { shape, dims: kept });
  }

  slice(
    x: Node,
    start: readonly number[],
    limit: readonly number[],
    strides: readonly number[] = x.shape.map(() => 1),
  ): Node {
    const whole = start.every((s, i) => s === 0 && limit[i] === x.shape[i] && strides[i] === 1);
    return whole ? x : this.make("slice", [x], { start, limit, strides });
  }
}
