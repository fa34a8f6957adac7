/**
 * A data set whose batches are made in other threads, whatever they are: files are read and decoded, examples augmented and put
 * together there, and the arrays handed over without a copy. Read ../node/workerDataset.ts and webWorkerDataset.ts for the threads.
 */
import { GradusError, ValueError } from "../../core/errors.js";
import type { BatchArrays, Collected, CollectOptions, Dataset, Example } from "../dataset.js";
import type { Draw } from "../order.js";
import type { IterableDataset, Stream } from "../transformed.js";
import { reviveError, type WorkerAnswer, type WorkerRequest } from "./messages.js";

/** A thread as its platform starts it. */
export interface WorkerThread {
  send(request: WorkerRequest): void;
  /** Whether the program waits for this thread before it ends; where there is no such thing, nothing. */
  hold?(value: boolean): void;
  end(): unknown;
}

/** Starts a thread that reports to these. */
export type StartThread = (
  onAnswer: (answer: WorkerAnswer) => void,
  onFailure: (error: Error) => void,
) => WorkerThread;

interface Pending {
  resolve(answer: WorkerAnswer): void;
  reject(error: Error): void;
}

/** A thread and what it was asked for. */
class Member {
  readonly thread: WorkerThread;
  readonly #pending = new Map<number, Pending>();
  #failure: Error | undefined;

  constructor(start: StartThread) {
    this.thread = start(
      (answer) => {
        const waiting = this.#pending.get(answer.id);
        this.#pending.delete(answer.id);
        if ("failure" in answer) waiting?.reject(reviveError(answer.failure));
        else waiting?.resolve(answer);
      },
      (error) => {
        this.#failure ??= error;
        for (const waiting of this.#pending.values()) waiting.reject(error);
        this.#pending.clear();
      },
    );
  }

  get load(): number {
    return this.#pending.size;
  }

  /** The answer of this number; of a thread that has failed none comes any more. */
  expect(id: number): Promise<WorkerAnswer> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }
}

const maxThreads = 256;

/** What {@link WorkerPool.start} gives to the data set that is made of it. */
export interface StartedPool {
  readonly members: readonly Member[];
  readonly length: number;
}

/** A data set in threads; its subclasses start them. */
export abstract class WorkerPool<E extends Example> implements Dataset<E> {
  readonly length: number;
  readonly concurrency: number;
  readonly #members: readonly Member[];
  #next = 0;
  #isClosed = false;

  protected constructor({ members, length }: StartedPool) {
    this.#members = members;
    this.length = length;
    this.concurrency = members.length;
  }

  /** Starts the threads and waits until each has its data set. */
  protected static async start(
    op: string,
    count: number,
    start: StartThread,
  ): Promise<StartedPool> {
    if (!Number.isInteger(count) || count < 1 || count > maxThreads)
      throw new ValueError(op, `count is ${count}; expected 1 to ${maxThreads} threads`);
    const members = Array.from({ length: count }, () => new Member(start));
    try {
      const answers = await Promise.all(members.map((member) => member.expect(0)));
      const lengths = new Set(answers.map((answer) => ("length" in answer ? answer.length : -1)));
      const [length] = lengths;
      if (lengths.size !== 1 || length === undefined)
        throw new ValueError(op, `lengths differ: ${[...lengths].join(", ")}`);
      return { members, length };
    } catch (error) {
      await Promise.all(members.map(({ thread }) => thread.end()));
      throw error;
    } finally {
      for (const { thread } of members) thread.hold?.(false);
    }
  }

  async get(index: number, draw: Draw = { seed: 0, epoch: 0 }): Promise<E> {
    const { batch } = await this.collect(Int32Array.of(index), { draw, onError: "throw" });
    const parts = batch as readonly { shape: readonly number[] }[];
    return parts.map((part) => ({ ...part, shape: part.shape.slice(1) })) as unknown as E;
  }

  collect(indices: Int32Array, options: CollectOptions): Promise<Collected<E>> {
    return this.#ask({ indices, options });
  }

  /**
   * A stream whose pieces are read here and made into examples and batches in the threads, for a
   * module that makes `{ decode(piece, generator) }`. What comes out does not depend on the number of
   * threads; a piece that cannot be decoded makes its batch smaller.
   *
   * @example
   * ```ts ignore
   * // decode.ts
   * export const makeDataset = () => ({
   *   decode: async ({ files }: ShardSample, generator: Generator) =>
   *     [augment(await decodeImage(files.get("jpg")!), generator), labelOf(files)] as const,
   * });
   * // train.ts
   * const workers = await WorkerDataset.open(new URL("./decode.js", import.meta.url));
   * const stream = shuffleBuffer(workers.stream(shardSamples(["a.tar", "b.tar"])), 1000);
   * for await (const [x, y] of new DataLoader(stream, { batchSize: 64, seed: 1 })) { … }
   * ```
   */
  stream(source: Stream<unknown>): IterableDataset<E> {
    return {
      concurrency: this.concurrency,
      iterate: (draw, options) => source.iterate(draw, options) as AsyncIterable<E>,
      collect: (items, first, options) => {
        const indices = Int32Array.from(items, (_, i) => first + i);
        return this.#ask({ indices, items, options });
      },
    };
  }

  async #ask(request: Omit<WorkerRequest, "id">): Promise<Collected<E>> {
    const op = this.constructor.name;
    if (this.#isClosed) throw new GradusError(op, "is closed");
    const member = this.#members.reduce((a, b) => (b.load < a.load ? b : a));
    const id = ++this.#next;
    const answered = member.expect(id);
    member.thread.hold?.(true);
    member.thread.send({ id, ...request });
    try {
      const answer = await answered;
      if (!("batch" in answer)) throw new GradusError(op, "a thread gave no batch");
      const broken = answer.broken.map(({ index, error }) => ({
        index,
        error: reviveError(error),
      }));
      return { batch: answer.batch as BatchArrays<E> | undefined, broken };
    } finally {
      if (member.load === 0) member.thread.hold?.(false);
    }
  }

  /** Ends the threads. A program may also end without it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#members.map(({ thread }) => thread.end()));
  }
}
