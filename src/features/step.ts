/** What all feature steps share: fit on training data, transform anything, and state that can be saved. Read pipeline.ts next. */
import { GradusError, ShapeError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import type { ArrayData } from "../io/arrayData.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";

/** Features of examples: `[N, …]` in, `[N, …]` out. */
export abstract class FeatureStep {
  /** Learns what {@link transform} needs, from training data only. Steps that need nothing learn nothing. */
  fit(_x: ArrayData): this {
    return this;
  }

  /** The features of each row. */
  abstract transform(x: ArrayData): Tensor;

  /** {@link fit}, then {@link transform} of the same data. */
  fitTransform(x: ArrayData): Tensor {
    return this.fit(x).transform(x);
  }

  /** What was learned, by name: for `saveSafetensors`. */
  stateDict(): Map<string, Tensor> {
    return new Map();
  }

  /**
   * Takes over what another step learned.
   *
   * @throws GradusError where names are missing or unknown, ShapeError where shapes do not fit; nothing changes then.
   */
  loadStateDict(state: Iterable<readonly [string, ArrayData]>): void {
    this.readState(new Map(state))();
  }

  /** Checks a state, and gives what takes it over, so that steps together change all or nothing. @internal */
  readState(state: ReadonlyMap<string, ArrayData>): () => void {
    checkNames(this.constructor.name, state, []);
    return () => {};
  }
}

/** Throws unless a state has exactly these names. */
export function checkNames(
  op: string,
  state: ReadonlyMap<string, ArrayData>,
  names: readonly string[],
): void {
  const missing = names.filter((name) => !state.has(name));
  const unknown = [...state.keys()].filter((name) => !names.includes(name));
  if (missing.length + unknown.length > 0)
    throw new GradusError(
      `${op}.loadStateDict`,
      `missing: ${missing.join(", ") || "none"}; unexpected: ${unknown.join(", ") || "none"}`,
    );
}

/** Throws unless a part of a state has this rank, or, with numbers ≥ 0, these sizes. */
export function checkPart(op: string, name: string, x: ArrayData, shape: readonly number[]): void {
  const fits = x.shape.length === shape.length && shape.every((n, i) => n < 0 || n === x.shape[i]);
  if (!fits) {
    const expected = `[${shape.map((n) => (n < 0 ? "?" : n)).join(", ")}]`;
    throw new ShapeError(
      `${op}.loadStateDict`,
      `${name} is ${formatShape(x.shape)}; expected ${expected}`,
    );
  }
}

/** Copies a part of a state. */
export const float64Copy = ({ data, shape }: ArrayData): Tensor =>
  fromTypedArray(Float64Array.from(data), { shape });

/** Rows of a flat array. */
export interface Table {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly width: number;
}

/** `[N, …]` as N rows, with at least one number each; `width` is what a fit has seen. */
export function tableOf(op: string, { data, shape }: ArrayData, width?: number): Table {
  const [rows, ...inner] = shape;
  const found = sizeOf(inner);
  if (!rows || !found)
    throw new ShapeError(op, `x is ${formatShape(shape)}; expected [N, …] that is not empty`);
  if (width !== undefined && found !== width)
    throw new ShapeError(op, `x has ${found} numbers a row; expected ${width}, as in fit`);
  return { data, rows, width: found };
}

/** Throws unless a step was fitted. */
export function needFit<T>(op: string, learned: T | null): T {
  if (learned === null)
    throw new GradusError(op, "nothing is learned yet; call fit(x) on the training data first");
  return learned;
}
