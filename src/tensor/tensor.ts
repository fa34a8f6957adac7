/**
 * The tensor: a typed, shaped value that is either concrete (memory that can be read now) or traced (a node of the graph
 * that compile() is building). Ops add their methods to this class from src/ops. Read apply.ts next.
 */
import type { DType, TypedArray } from "../core/dtype.js";
import { ShapeError, TraceError, ValueError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { Node } from "../ir/graph.js";
import { activeTrace, type TraceContext } from "./context.js";
import { formatTensor } from "./format.js";
import type { HookTable } from "./hooks.js";
import type { Storage } from "./storage.js";
import type { TapeLink } from "./tape.js";

export type TensorSource =
  | { readonly kind: "concrete"; readonly storage: Storage }
  | { readonly kind: "traced"; readonly trace: TraceContext; readonly node: Node };

/** Nested arrays of numbers, as deep as a tensor has dims; a number for a scalar. */
export type NestedArray = number | NestedArray[];

/** The array type that holds each dtype. */
export interface TypedArrayOf {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/**
 * An n-dimensional array of one dtype, row-major, that ops compute with and gradients flow through.
 *
 * Make one with `tensor`, `zeros`, `randn` and the like, never with `new`.
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * x.mul(x).sum().backward();
 * console.log(x.grad?.toArray()); // → [ [ 2, 4 ], [ 6, 8 ] ]
 * ```
 */
export class Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Whether backward() leaves a gradient for this tensor, or passes one through it. */
  requiresGrad: boolean;
  /** Where the value is. For the library's own rooms. @internal */
  readonly source: TensorSource;
  /** How the value was computed, if gradients flow through it. @internal */
  tape: TapeLink | null = null;
  /** What sees this leaf's gradient. @internal */
  hooks: HookTable | null = null;
  /** The gradient outside of any trace. @internal */
  concreteGrad: Tensor | null = null;

  /** @internal */
  constructor(shape: Shape, dtype: DType, source: TensorSource, requiresGrad = false) {
    this.shape = shape;
    this.dtype = dtype;
    this.source = source;
    this.requiresGrad = requiresGrad;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Whether nothing computed it: a parameter or an input. Only leaves get a `grad`. */
  get isLeaf(): boolean {
    if (this.source.kind === "traced" && this.requiresGrad) return this.source.trace.isLeaf(this);
    return this.tape === null;
  }

  /** What backward() has summed up for this leaf; null before it. Same shape and dtype as the tensor. */
  get grad(): Tensor | null {
    const trace = activeTrace();
    return trace ? trace.readGrad(this) : this.concreteGrad;
  }

  set grad(value: Tensor | null) {
    if (value && formatShape(value.shape) !== formatShape(this.shape))
      throw new ShapeError(
        "grad",
        `expected shape ${formatShape(this.shape)}, got ${formatShape(value.shape)}`,
      );
    const trace = activeTrace();
    if (trace) trace.writeGrad(this, value);
    else this.concreteGrad = value;
  }

  /** The memory of a concrete tensor; an error that names `reader` for a traced one. @internal */
  storageFor(reader: string): Storage {
    if (this.source.kind === "traced")
      throw new TraceError(
        reader,
        `a value was read while compile() traces the function, where it has no value yet: ` +
          `${this.dtype}${formatShape(this.shape)}; return it from the function and read it ` +
          "outside, or choose with where() instead of if",
      );
    const trace = activeTrace();
    if (trace?.hasCaptured(this))
      throw new TraceError(
        reader,
        "a tensor that the traced function computes with was read as a number, which would " +
          "freeze today's value into the program; read it outside of the function",
      );
    const { storage } = this.source;
    const { version } = storage;
    // A number read from outside is part of the program, which holds until the number changes.
    trace?.guard(() => storage.version === version);
    return storage;
  }

  /** The elements, row-major. Not a copy: treat it as read-only. A `bool` tensor gives 0 and 1. */
  get data(): TypedArray {
    return this.storageFor("data").data;
  }

  /** The value of a tensor with one element. */
  item(): number {
    const { data } = this.storageFor("item");
    if (data.length !== 1)
      throw new ValueError(
        "item",
        `needs a tensor with one element, got shape ${formatShape(this.shape)}`,
      );
    return data[0]!;
  }

  /** The elements as nested arrays; a number for a scalar. */
  toArray(): NestedArray {
    const { data } = this.storageFor("toArray");
    const build = (dim: number, offset: number, step: number): NestedArray => {
      if (dim === this.shape.length) return data[offset]!;
      const n = this.shape[dim]!;
      const inner = n === 0 ? 0 : step / n;
      return Array.from({ length: n }, (_, i) => build(dim + 1, offset + i * inner, inner));
    };
    return build(0, 0, this.size);
  }

  /** As NumPy prints an array, with shape and dtype; long ones are shortened. */
  toString(): string {
    return formatTensor(this);
  }

  /** Makes a number of a tensor with one element, so that `x > 0` compares values, not identities. */
  [Symbol.toPrimitive](hint: string): number | string {
    if (hint === "string") return this.toString();
    if (this.source.kind === "concrete" && this.size !== 1)
      throw new ValueError(
        "tensor",
        `a tensor of shape ${formatShape(this.shape)} is not one number; ` +
          "compare with gt(), lt(), eq() and reduce with all() or any()",
      );
    return this.storageFor("comparison").data[0]!;
  }

  /** What `console.log` shows in Node. @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
