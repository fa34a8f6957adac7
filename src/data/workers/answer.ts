/** A worker's side: makes its data set once, then batches as asked. Read workerPool.ts for the other side. */
import { GradusError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import type { Generator } from "../../tensor/random.js";
import { type BatchSteps, collectBatch } from "../collect.js";
import type { Dataset, Example } from "../dataset.js";
import { exampleGenerator } from "../order.js";
import { recordError, type WorkerAnswer, type WorkerRequest } from "./messages.js";

/** A data set with what is done to its batches. */
export interface WorkerRecipe<E extends Example = Example> extends BatchSteps<E> {
  readonly dataset: Dataset<E>;
}

/** How examples are made of a stream's pieces, which come from the thread that asks. */
export interface StreamRecipe<T = never, E extends Example = Example> extends BatchSteps<E> {
  /** Makes one example; random choices are drawn from `generator`, which is this example's own. */
  decode(item: T, generator: Generator): E | Promise<E>;
}

type Made<E extends Example> = Dataset<E> | WorkerRecipe<E> | StreamRecipe<never, E>;

/** What a worker calls to make its data set, or what makes a stream's examples. */
export type MakeDataset<A = never, E extends Example = Example> = (
  args: A,
) => Made<E> | Promise<Made<E>>;

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

/** What the examples of a request come from. */
function datasetFor(
  recipe: WorkerRecipe | StreamRecipe,
  { indices, items }: WorkerRequest,
): Dataset {
  const refuse = (is: string, hint: string): never => {
    throw new GradusError("worker", `its module makes ${is}; ${hint}`);
  };
  if (!("decode" in recipe))
    return items ? refuse("a data set", "for a stream it makes { decode }") : recipe.dataset;
  if (!items) return refuse("{ decode }", "walk over the workers' stream(…)");
  const [first = 0] = indices;
  return {
    length: first + items.length,
    get: (index, draw = { seed: 0, epoch: 0 }) =>
      recipe.decode(items[index - first] as never, exampleGenerator(draw, index)),
  };
}

async function answer(
  recipe: WorkerRecipe | StreamRecipe,
  request: WorkerRequest,
  post: Post,
): Promise<void> {
  const { id, indices, options } = request;
  const { collate, transform } = recipe;
  try {
    const dataset = datasetFor(recipe, request);
    const steps = { collate, transform };
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
    const recipe = "get" in made ? { dataset: made } : made;
    post({ id: 0, length: "decode" in recipe ? 0 : recipe.dataset.length }, []);
    return (request) => void answer(recipe, request, post);
  } catch (error) {
    post({ id: 0, failure: recordError(error) }, []);
    return () => {};
  }
}
