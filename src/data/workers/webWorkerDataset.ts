/**
 * A data set whose batches are made in a browser's workers. The page starts the workers, since bundlers look for that very line; the
 * worker's script calls {@link serveDataset}. Read workerPool.ts for what both kinds of threads share.
 */
import { GradusError } from "../../core/errors.js";
import type { Example } from "../dataset.js";
import { type MakeDataset, startAnswering } from "./answer.js";
import type { WorkerAnswer, WorkerRequest } from "./messages.js";
import { type StartedPool, WorkerPool, type WorkerThread } from "./workerPool.js";

export interface WebWorkerOptions {
  /** What the worker's function is called with: anything that can be handed over, such as addresses or files. */
  readonly args?: unknown;
  /** Workers; default one fewer than the machine runs at once, at least 1. */
  readonly count?: number;
}

/** How a worker is told to begin. */
interface Start {
  readonly gradusStart: { readonly args: unknown };
}

const defaultCount = (): number =>
  Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1);

/**
 * A data set in a browser's workers, which decode and augment off the page's thread. What comes out does not depend on their number,
 * because random choices depend on (seed, epoch, index) alone.
 *
 * @example
 * ```ts ignore
 * // flowers.worker.ts
 * import { data } from "gradus";
 * data.serveDataset((urls: readonly string[]) => ({
 *   length: urls.length,
 *   async get(i) {
 *     const response = await fetch(urls[i]!);
 *     return [await data.decodeBitmap(new Uint8Array(await response.arrayBuffer())), i] as const;
 *   },
 * }));
 * // main.ts
 * const start = () => new Worker(new URL("./flowers.worker.ts", import.meta.url), { type: "module" });
 * const dataset = await data.WebWorkerDataset.open(start, { args: urls });
 * for await (const [x, y] of new data.DataLoader(dataset, { batchSize: 64, shuffle: true })) { … }
 * ```
 */
export class WebWorkerDataset<E extends Example = Example> extends WorkerPool<E> {
  private constructor(started: StartedPool) {
    super(started);
  }

  /**
   * Starts workers and waits until each has its data set.
   *
   * @param start makes one worker, whose script calls {@link serveDataset}.
   * @throws whatever the worker's function throws; ValueError where the workers' data sets differ in length.
   */
  static async open<E extends Example>(
    start: () => Worker,
    { args, count = defaultCount() }: WebWorkerOptions = {},
  ): Promise<WebWorkerDataset<E>> {
    const op = "WebWorkerDataset";
    const started = await WorkerPool.start(op, count, (onAnswer, onFailure): WorkerThread => {
      const worker = start();
      const fail = (why: string) => onFailure(new GradusError(op, `a worker ${why}`));
      worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => onAnswer(data);
      worker.onerror = ({ message }) =>
        fail(message ? `failed: ${message}` : "could not be started; is its address right?");
      worker.onmessageerror = () => fail("gave what cannot be handed over");
      worker.postMessage({ gradusStart: { args } } satisfies Start);
      return {
        send: (request) => worker.postMessage(request),
        end: () => worker.terminate(),
      };
    });
    return new WebWorkerDataset<E>(started);
  }
}

/** A worker's own scope, of which the page's types know nothing. */
interface Scope {
  onmessage: ((event: MessageEvent<Start | WorkerRequest>) => void) | null;
  postMessage(answer: WorkerAnswer, memory: ArrayBuffer[]): void;
}

/**
 * For the script of a browser's worker: makes batches of the data set that `make` gives, which gets the `args` of
 * {@link WebWorkerDataset.open}. It may give `{ dataset, collate, transform }` as well. Call it as the script begins.
 *
 * @throws GradusError outside of a worker.
 */
export function serveDataset<A, E extends Example>(make: MakeDataset<A, E>): void {
  const scope = globalThis as unknown as Scope;
  if (typeof document !== "undefined" || typeof scope.postMessage !== "function")
    throw new GradusError("serveDataset", "is for the script of a browser's worker");
  let answering: Promise<(request: WorkerRequest) => void> | undefined;
  const post = (answer: WorkerAnswer, memory: ArrayBuffer[]) => scope.postMessage(answer, memory);
  scope.onmessage = ({ data }) => {
    if ("gradusStart" in data) {
      const { args } = data.gradusStart;
      answering = startAnswering(() => make(args as A) as ReturnType<MakeDataset>, post);
    } else void answering?.then((answer) => answer(data));
  };
}
