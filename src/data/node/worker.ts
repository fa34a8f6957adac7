/**
 * What runs in a worker thread of a {@link WorkerDataset}: makes the data set once, then batches as
 * asked. Node only. Read workerDataset.ts for the other side.
 */
import { parentPort, workerData } from "node:worker_threads";
import { GradusError, ValueError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import { type BatchSteps, collectBatch } from "../collect.js";
import type { CollectOptions, Dataset, Example } from "../dataset.js";

/** How a thread is told what to do. */
export interface WorkerStart {
  readonly module: string;
  readonly name: string;
  readonly args: unknown;
}

interface WorkerRequest {
  readonly id: number;
  readonly indices: Int32Array;
  readonly options: CollectOptions;
}

/** An error as it is handed from thread to thread. */
export interface ErrorRecord {
  readonly name: string;
  readonly op: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** Number 0 answers the start. */
export type WorkerAnswer =
  | { readonly id: number; readonly length: number }
  | { readonly id: number; readonly failure: ErrorRecord }
  | {
      readonly id: number;
      readonly batch: readonly ArrayData[] | undefined;
      readonly broken: readonly { readonly index: number; readonly error: ErrorRecord }[];
    };

interface Recipe extends BatchSteps<Example> {
  readonly dataset: Dataset;
}

const record = (error: unknown): ErrorRecord => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, stack, op: error instanceof GradusError ? error.op : "" };
};

async function makeRecipe({ module, name, args }: WorkerStart): Promise<Recipe> {
  const exported = ((await import(module)) as Record<string, unknown>)[name];
  if (typeof exported !== "function")
    throw new ValueError("WorkerDataset", `${module} exports no function ${name}`);
  const made = (await exported(args)) as Dataset | Recipe;
  return "dataset" in made && !("get" in made) ? made : { dataset: made as Dataset };
}

/** The memory that a batch may give away; what others share is copied before. */
function handOver(batch: readonly ArrayData[]): { arrays: ArrayData[]; memory: ArrayBuffer[] } {
  const arrays = batch.map(({ shape, dtype, data }): ArrayData => {
    const owns = data.byteLength === data.buffer.byteLength;
    return { shape: [...shape], dtype, data: owns ? data : data.slice() };
  });
  const memory = new Set(arrays.map(({ data }) => data.buffer as ArrayBuffer));
  return { arrays, memory: [...memory] };
}

async function answer(recipe: Recipe, { id, indices, options }: WorkerRequest): Promise<void> {
  const { dataset, ...steps } = recipe;
  try {
    const { batch, broken } = await collectBatch(dataset, indices, options, steps);
    const given = batch && handOver(batch);
    const reply: WorkerAnswer = {
      id,
      batch: given?.arrays,
      broken: broken.map(({ index, error }) => ({ index, error: record(error) })),
    };
    parentPort?.postMessage(reply, given?.memory ?? []);
  } catch (error) {
    parentPort?.postMessage({ id, failure: record(error) } satisfies WorkerAnswer);
  }
}

async function start(): Promise<void> {
  try {
    const recipe = await makeRecipe(workerData as WorkerStart);
    parentPort?.on("message", (request: WorkerRequest) => answer(recipe, request));
    const { length } = recipe.dataset;
    parentPort?.postMessage({ id: 0, length } satisfies WorkerAnswer);
  } catch (error) {
    parentPort?.postMessage({ id: 0, failure: record(error) } satisfies WorkerAnswer);
  }
}

await start();
