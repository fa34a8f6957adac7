/** What a workload is. Read training.ts and kernels.ts next, then index.ts, which lists them all. */
import type { Tensor } from "gradus";

export type Mode = "eager" | "compiled";

/** What both sides start from: a model's state under `model.…`, data under `data.…`. */
export type Start = ReadonlyMap<string, Tensor>;

/** A workload that is ready to be timed. */
export interface Prepared {
  /** What is timed: one step, or one call of the kernel. */
  step(): Promise<unknown>;
  /** Numbers that must be the same on both sides, made by the first steps: call it before any other step. */
  check(): Promise<number[]>;
}

/** What a step cannot do without: the arithmetic of its products, and each value's way to memory and back. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

export interface Workload {
  readonly name: string;
  readonly what: string;
  readonly cost: Cost;
  /** How far numbers of {@link Prepared.check} may be apart, as a share of their size. */
  readonly tolerance: number;
  /** Numbers to start from where no peer gives them. */
  start(): Start;
  prepare(mode: Mode, start: Start): Prepared;
}

/** The tensor under a name; an error if the start has none. */
export function need(start: Start, name: string): Tensor {
  const tensor = start.get(name);
  if (!tensor) throw new Error(`the start has no ${name}, only ${[...start.keys()].join(", ")}`);
  return tensor;
}
