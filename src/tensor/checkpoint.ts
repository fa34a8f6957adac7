/**
 * Checkpoints: a part of a computation whose inner values are not held for the gradient but computed again when it needs them.
 * In a trace the graph's region is marked, and detours.ts copies what a gradient reads of it. Read gradCheck.ts next.
 */
import type { TypedArray } from "../core/dtype.js";
import { GradusError } from "../core/errors.js";
import type { Node } from "../ir/graph.js";
import {
  activeTrace,
  enableGrad,
  type Frame,
  isGradEnabled,
  type TraceContext,
  withFrame,
} from "./context.js";
import type { Storage } from "./storage.js";
import type { Kept } from "./tape.js";
import type { Tensor } from "./tensor.js";

/** Something kept, and the name of the op that keeps it. */
interface Slot {
  readonly name: string;
  readonly value: unknown;
}

/** Collects what the calls of a second run keep, in the order of the first. */
class Collector implements Frame {
  readonly slots: Slot[] = [];

  keep<T>(name: string, value: T): Kept<T> {
    this.slots.push({ name, value });
    return { get: () => value };
  }

  // What changes in place while running again is undone afterwards, as a whole.
  noteWrite(): void {}
}

/** One call of a checkpointed function: what its gradient needs is counted, and made again by a second run. */
class Checkpoint implements Frame {
  private readonly run: () => unknown;
  private readonly names: string[] = [];
  /** What the function changed in place (a generator's state, running statistics), as it was before. */
  private readonly before = new Map<Storage, TypedArray>();
  /** The leaves that gradients read, which must not have changed when the function runs again. */
  private readonly leaves = new Map<Storage, number>();
  private readonly again = new Map<number, unknown>();

  constructor(run: () => unknown, inputs: readonly Tensor[]) {
    this.run = run;
    for (const x of inputs) this.noteLeaf(x);
  }

  private noteLeaf(x: Tensor): void {
    const storage = x.storageFor("checkpoint");
    if (!this.leaves.has(storage)) this.leaves.set(storage, storage.version);
  }

  keep<T>(name: string, _: T, inputs: readonly Tensor[]): Kept<T> {
    for (const x of inputs) if (x.requiresGrad && !x.tape) this.noteLeaf(x);
    const at = this.names.push(name) - 1;
    return { get: () => this.recall(at) as T };
  }

  noteWrite(storage: Storage): void {
    if (!this.before.has(storage)) this.before.set(storage, storage.data.slice());
  }

  /** Each value is handed out once, so that no more is held than a walk still needs. */
  private recall(at: number): unknown {
    if (!this.again.has(at)) this.recompute();
    const value = this.again.get(at);
    this.again.delete(at);
    return value;
  }

  private recompute(): void {
    for (const [storage, version] of this.leaves)
      if (storage.version !== version)
        throw new GradusError(
          "checkpoint",
          "a tensor that the function reads was changed in place before backward(), so running it " +
            "again would not give the same values",
        );
    const collector = new Collector();
    const now = [...this.before].map(([storage, old]) => {
      const [data, { version }] = [storage.data.slice(), storage];
      storage.data.set(old);
      return { storage, data, version };
    });
    try {
      withFrame(collector, () => enableGrad(this.run));
    } finally {
      for (const { storage, data, version } of now) {
        storage.data.set(data);
        storage.version = version;
      }
    }
    const { slots } = collector;
    const isSame =
      slots.length === this.names.length && slots.every(({ name }, i) => name === this.names[i]);
    if (!isSame)
      throw new GradusError(
        "checkpoint",
        `the function ran ${this.names.length} recorded ops at first and ${slots.length} when run ` +
          "again, or others; it must do the same each time",
      );
    slots.forEach(({ value }, i) => this.again.set(i, value));
  }
}

function checkpointTraced<R>(trace: TraceContext, run: () => R): R {
  const { builder } = trace;
  const start = builder.mark;
  const result = run();
  const isExempt = (node: Node) => trace.isParameter(node);
  trace.detours.addRegion(start, builder.mark, isExempt);
  return result;
}

/**
 * Runs `fn(...inputs)` without holding what its gradient will need: the function runs again when the gradient gets there. Takes
 * less memory for more time (Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost).
 *
 * Random numbers are drawn again as they were, and state that the function changes (running statistics) changes once. Inside
 * compile() the values are computed again within the program. A checkpoint inside another is part of the outer one there.
 *
 * @throws GradusError from backward() if the function does something else when run again, or a tensor that it reads was changed.
 * @example
 * ```ts
 * import { checkpoint, tensor } from "gradus";
 * const x = tensor([1, 2], { requiresGrad: true });
 * checkpoint((t) => t.exp().tanh().mul(t), x).sum().backward();
 * console.log(x.grad?.toArray()); // ≈ [ 1.0383, 1.0000 ]
 * ```
 */
export function checkpoint<A extends Tensor[], R>(fn: (...inputs: A) => R, ...inputs: A): R {
  const run = () => fn(...inputs);
  const trace = activeTrace();
  if (!isGradEnabled()) return run();
  if (trace) return checkpointTraced(trace, run);
  return withFrame(new Checkpoint(run, inputs), run);
}
