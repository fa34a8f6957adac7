/**
 * A data set whose batches are made in worker threads. What comes out does not depend on the number of threads, because random
 * choices depend on (seed, epoch, index) alone. Node only. Read worker.ts for the other side, ../workers/workerPool.ts for what
 * browsers' workers share.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { GradusError } from "../../core/errors.js";
import type { Example } from "../dataset.js";
import type { WorkerAnswer } from "../workers/messages.js";
import { type StartedPool, WorkerPool, type WorkerThread } from "../workers/workerPool.js";
import type { WorkerStart } from "./worker.js";

export interface WorkerOptions {
  /** The function that the module exports; default `makeDataset`. */
  readonly name?: string;
  /** What the function is called with: anything that can be handed to a thread. */
  readonly args?: unknown;
  /** Threads; default one fewer than the machine runs at once, at least 1. */
  readonly count?: number;
}

const op = "WorkerDataset";

/** The file beside this one, with this one's ending: `.ts` in the sources, `.js` when built. */
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js",
  import.meta.url,
);

/**
 * A data set in worker threads. Each thread imports the module and calls its `makeDataset(args)`,
 * which returns a data set, or `{ dataset, collate, transform }`. In browsers use `WebWorkerDataset`.
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
export class WorkerDataset<E extends Example = Example> extends WorkerPool<E> {
  private constructor(started: StartedPool) {
    super(started);
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
    const workerData: WorkerStart = { module: String(module), name, args };
    const started = await WorkerPool.start(op, count, (onAnswer, onFailure) =>
      startThread(workerData, onAnswer, onFailure),
    );
    return new WorkerDataset<E>(started);
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

function startThread(
  workerData: WorkerStart,
  onAnswer: (answer: WorkerAnswer) => void,
  onFailure: (error: Error) => void,
): WorkerThread {
  const { start, eval: isCode } = threadStart(workerData);
  const worker = new Worker(start, { workerData, eval: isCode });
  worker.on("message", onAnswer);
  worker.on("error", onFailure);
  worker.on("exit", (code) => {
    onFailure(new GradusError(op, `a worker thread ended with code ${code}`));
  });
  return {
    send: (request) => worker.postMessage(request),
    hold: (value) => (value ? worker.ref() : worker.unref()),
    end: () => worker.terminate(),
  };
}
