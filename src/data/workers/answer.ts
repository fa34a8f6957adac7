/** A worker's side: makes its data set once, then batches as asked. Read workerPool.ts for the other side. */
import type { ArrayData } from "../../io/arrayData.js";
import { type BatchSteps, collectBatch } from "../collect.js";
import type { Dataset, Example } from "../dataset.js";
import { recordError, type WorkerAnswer, type WorkerRequest } from "./messages.js";

/** A data set with what is done to its batches. */
export interface WorkerRecipe<E extends Example = Example> extends BatchSteps<E> {
  readonly dataset: Dataset<E>;
}

/** What a worker calls to make its data set. */
export type MakeDataset<A = never, E extends Example = Example> = (
  args: A,
) => Dataset<E> | WorkerRecipe<E> | Promise<Dataset<E> | WorkerRecipe<E>>;

/** The way back to the thread that asks. */
export type Post = (answer: WorkerAnswer, memory: ArrayBuffer[]) => void;

/** The memory that a batch may give away; what others share is copied before. */
function handOver(batch: readonly ArrayData[]): { arrays: ArrayData[]; memory: ArrayBuffer[] } {
  const arrays = batch.map(({ shape, dtype, data }): ArrayData => {
    const owns = data.byteLength === data.buffer.byteLength;
    return { shape: [...shape], dtype, data: owns ? data : data.slice() };
  });
  const memory = new Set(arrays.map(({ data }) => data.buffer as ArrayBuffer));
  return { arrays, memory: [...memory] };
}

async function answer(
  { dataset, ...steps }: WorkerRecipe,
  { id, indices, options }: WorkerRequest,
  post: Post,
): Promise<void> {
  try {
    const { batch, broken } = await collectBatch(dataset, indices, options, steps);
    const given = batch && handOver(batch);
    const records = broken.map(({ index, error }) => ({ index, error: recordError(error) }));
    post({ id, batch: given?.arrays, broken: records }, given?.memory ?? []);
  } catch (error) {
    post({ id, failure: recordError(error) }, []);
  }
}

/**
 * Makes the data set and says how long it is, or why it cannot be made; gives what answers requests.
 *
 * @internal
 */
export async function startAnswering(
  make: () => ReturnType<MakeDataset>,
  post: Post,
): Promise<(request: WorkerRequest) => void> {
  try {
    const made = await make();
    const recipe = "dataset" in made && !("get" in made) ? made : { dataset: made as Dataset };
    post({ id: 0, length: recipe.dataset.length }, []);
    return (request) => void answer(recipe, request, post);
  } catch (error) {
    post({ id: 0, failure: recordError(error) }, []);
    return () => {};
  }
}
