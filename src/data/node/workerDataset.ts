/**
 * A data set whose batches are made in worker threads: files are read and decoded, examples
 * augmented and put together there, and the arrays handed over without a copy. What comes out does
 * not depend on the number of threads, because random choices depend on (seed, epoch, index) alone.
 * Node only. Read worker.ts for the other side.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { FormatError, GradusError, ValueError } from "../../core/errors.js";
import type { BatchArrays, Collected, CollectOptions, Dataset, Example } from "../dataset.js";
import type { Draw } from "../order.js";
import type { ErrorRecord, WorkerAnswer, WorkerStart } from "./worker.js";

export interface WorkerOptions {
  /** The function that the module exports; default `makeDataset`. */
  readonly name?: string;
  /** What the function is called with: anything that can be handed to a thread. */
  readonly args?: unknown;
  /** Threads; default one fewer than the machine runs at once, at least 1. */
  readonly count?: number;
}

interface Pending {
  resolve(answer: WorkerAnswer): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
}

/** The file beside this one, with this one's ending: `.ts` in the sources, `.js` when built. */
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js",
  import.meta.url,
);

/**
 * A data set in worker threads. Each thread imports the module and calls its `makeDataset(args)`,
 * which returns a data set, or `{ dataset, collate, transform }`.
 *
 * @example
 * ```ts ignore
 * // flowers.ts
 * export const makeDataset = async ({ root }: { root: string }) =>
 *   mapDataset(await ImageFolder.open(root), ([image, label], generator) => [augment(image, generator), label]);
 * // train.ts
 * const dataset = await WorkerDataset.open(new URL("./flowers.js", import.meta.url), { args: { root: "flowers" } });
 * for await (const [x, y] of new DataLoader(dataset, { batchSize: 64, shuffle: true })) { … }
 * await dataset.close();
 * ```
 */
export class WorkerDataset<E extends Example = Example> implements Dataset<E> {
  readonly length: number;
  readonly concurrency: number;
  readonly #threads: readonly Thread[];
  #next = 0;
  #isClosed = false;

  private constructor(threads: readonly Thread[], length: number) {
    this.#threads = threads;
    this.length = length;
    this.concurrency = threads.length;
  }

  /**
   * Starts the threads and waits until each has its data set.
   *
   * @throws whatever the module throws; ValueError where the threads' data sets differ in length.
   */
  static async open<E extends Example>(
    module: URL | string,
    options: WorkerOptions = {},
  ): Promise<WorkerDataset<E>> {
    const { name = "makeDataset", args, count = Math.max(1, availableParallelism() - 1) } = options;
    if (!Number.isInteger(count) || count < 1 || count > 256)
      throw new ValueError("WorkerDataset", `count is ${count}; expected 1 to 256 threads`);
    const workerData: WorkerStart = { module: String(module), name, args };
    const threads = Array.from({ length: count }, () => startThread(workerData));
    try {
      const answers = await Promise.all(threads.map((thread) => expectAnswer(thread, 0)));
      const lengths = new Set(answers.map((answer) => ("length" in answer ? answer.length : -1)));
      const [length] = lengths;
      if (lengths.size !== 1 || length === undefined)
        throw new ValueError("WorkerDataset", `lengths differ: ${[...lengths].join(", ")}`);
      return new WorkerDataset<E>(threads, length);
    } catch (error) {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
      throw error;
    } finally {
      for (const { worker } of threads) worker.unref();
    }
  }

  async get(index: number, draw: Draw = { seed: 0, epoch: 0 }): Promise<E> {
    const { batch } = await this.collect(Int32Array.of(index), { draw, onError: "throw" });
    const parts = batch as readonly { shape: readonly number[] }[];
    return parts.map((part) => ({ ...part, shape: part.shape.slice(1) })) as unknown as E;
  }

  async collect(indices: Int32Array, options: CollectOptions): Promise<Collected<E>> {
    if (this.#isClosed) throw new GradusError("WorkerDataset", "is closed");
    const thread = this.#threads.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
    const id = ++this.#next;
    const answered = expectAnswer(thread, id);
    thread.worker.ref();
    thread.worker.postMessage({ id, indices, options });
    try {
      const answer = await answered;
      if (!("batch" in answer)) throw new GradusError("WorkerDataset", "a thread gave no batch");
      const broken = answer.broken.map(({ index, error }) => ({ index, error: revive(error) }));
      return { batch: answer.batch as BatchArrays<E> | undefined, broken };
    } finally {
      if (thread.pending.size === 0) thread.worker.unref();
    }
  }

  /** Ends the threads. A program may also end without it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

/**
 * What a thread runs first. Under tsx the main thread reads TypeScript and threads do not, so there
 * tsx is put in place before anything is imported.
 */
function threadStart({ module }: WorkerStart): { readonly start: URL | string; eval: boolean } {
  const isTypeScript = [workerFile.pathname, module].some((file) => /\.[mc]?ts$/.test(file));
  let tsx: string;
  try {
    tsx = isTypeScript ? JSON.stringify(import.meta.resolve("tsx/esm/api")) : "";
  } catch {
    tsx = "";
  }
  // Without tsx the runtime reads TypeScript itself, or says that it cannot.
  if (!tsx) return { start: workerFile, eval: false };
  const file = JSON.stringify(workerFile.href);
  const start = `import(${tsx}).then((tsx) => tsx.register()).then(() => import(${file}));`;
  return { start, eval: true };
}

function startThread(workerData: WorkerStart): Thread {
  const { start, eval: isCode } = threadStart(workerData);
  const worker = new Worker(start, { workerData, eval: isCode });
  const pending = new Map<number, Pending>();
  const failAll = (error: Error) => {
    for (const waiting of pending.values()) waiting.reject(error);
    pending.clear();
  };
  worker.on("message", (answer: WorkerAnswer) => {
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if ("failure" in answer) waiting?.reject(revive(answer.failure));
    else waiting?.resolve(answer);
  });
  worker.on("error", failAll);
  worker.on("exit", (code) => {
    failAll(new GradusError("WorkerDataset", `a worker thread ended with code ${code}`));
  });
  return { worker, pending };
}

const expectAnswer = ({ pending }: Thread, id: number): Promise<WorkerAnswer> =>
  new Promise((resolve, reject) => pending.set(id, { resolve, reject }));

/** An error as its thread threw it, as far as one can be handed over. */
function revive({ name, op, message, stack }: ErrorRecord): Error {
  const text = op && message.startsWith(`${op}: `) ? message.slice(op.length + 2) : message;
  const error = name === "FormatError" ? new FormatError(op, text) : new GradusError(op, text);
  if (stack) error.cause = stack;
  return error;
}
