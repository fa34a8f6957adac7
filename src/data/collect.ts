/**
 * Makes one batch: asks a data set for examples, lets broken ones go where that is wanted, and puts
 * the others together. The loader calls it, and so does each worker. Read loader.ts next.
 */
import {
  type BatchArrays,
  type BrokenExample,
  type Collected,
  type CollectOptions,
  type Dataset,
  type Example,
  stackExamples,
} from "./dataset.js";

/** How the examples of a batch become arrays, and what is done to them then. */
export interface BatchSteps<E extends Example> {
  /** Puts examples together; default stacks each part along a new first dim. */
  readonly collate?: ((examples: readonly E[]) => BatchArrays<E>) | undefined;
  /** Changes each batch before it becomes tensors, as {@link normalizeImages} does. */
  readonly transform?: ((batch: BatchArrays<E>) => BatchArrays<E>) | undefined;
}

class Failure {
  readonly error: Error;
  constructor(error: unknown) {
    this.error = error instanceof Error ? error : new Error(String(error));
  }
}

type Attempt<E> = E | Failure;

/** The batch at some indices, as a promise only where the data set gives promises. */
export function collectBatch<E extends Example>(
  dataset: Dataset<E>,
  indices: Int32Array,
  options: CollectOptions,
  steps: BatchSteps<E> = {},
): Collected<E> | Promise<Collected<E>> {
  const whole = gatherWhole(dataset, indices, options, steps);
  if (whole) return finish(whole, [], steps);
  const attempts = Array.from(indices, (index) => attempt(dataset, index, options));
  if (attempts.some((made) => made instanceof Promise))
    return Promise.all(attempts).then((made) => putTogether(made, indices, steps));
  return putTogether(attempts as Attempt<E>[], indices, steps);
}

/** All at once where the data set can; nothing where examples must be asked for one by one. */
function gatherWhole<E extends Example>(
  dataset: Dataset<E>,
  indices: Int32Array,
  { draw, onError }: CollectOptions,
  { collate }: BatchSteps<E>,
): BatchArrays<E> | undefined {
  if (!dataset.gather || collate) return undefined;
  if (onError === "throw") return dataset.gather(indices, draw);
  try {
    return dataset.gather(indices, draw);
  } catch {
    // One by one shows which example it is.
    return undefined;
  }
}

function attempt<E extends Example>(
  dataset: Dataset<E>,
  index: number,
  { draw, onError }: CollectOptions,
): Attempt<E> | Promise<Attempt<E>> {
  if (onError === "throw") return dataset.get(index, draw);
  try {
    const made = dataset.get(index, draw);
    return made instanceof Promise ? made.catch((error) => new Failure(error)) : made;
  } catch (error) {
    return new Failure(error);
  }
}

function putTogether<E extends Example>(
  made: readonly Attempt<E>[],
  indices: Int32Array,
  steps: BatchSteps<E>,
): Collected<E> {
  const broken: BrokenExample[] = [];
  const examples: E[] = [];
  made.forEach((one, i) => {
    if (one instanceof Failure) broken.push({ index: indices[i]!, error: one.error });
    else examples.push(one);
  });
  if (examples.length === 0 && broken.length > 0) return { batch: undefined, broken };
  return finish((steps.collate ?? stackExamples)(examples), broken, steps);
}

function finish<E extends Example>(
  arrays: BatchArrays<E>,
  broken: readonly BrokenExample[],
  { transform }: BatchSteps<E>,
): Collected<E> {
  return { batch: transform ? transform(arrays) : arrays, broken };
}
