/** Batches for the doctor's experiments: the first few of a source, as often as wanted, or a source cut short. Read examination.ts next. */
import type { Tensor } from "../../tensor/index.js";
import type { BatchSource } from "../steps.js";

/** The first batches of a source's first epoch. */
export async function firstBatches(
  source: BatchSource,
  count: number,
): Promise<readonly (readonly Tensor[])[]> {
  const batches: (readonly Tensor[])[] = [];
  source.setEpoch(0);
  for await (const batch of source.iterateAsync()) {
    batches.push(batch);
    if (batches.length >= count) break;
  }
  return batches;
}

/** At most so many examples of a batch. */
export const firstExamples = (batch: readonly Tensor[], most: number): readonly Tensor[] =>
  batch.map((part) => (part.shape[0]! > most ? part.narrow(0, 0, most) : part));

/** A source that gives the same batches in each epoch. */
export function fixedSource(batches: readonly (readonly Tensor[])[]): BatchSource {
  const sizes = batches.map((batch) => batch[0]!.shape[0]!);
  return {
    length: batches.length,
    batchSize: sizes[0] ?? 1,
    ...{ shuffle: false, dropLast: false, seed: 0 },
    dataset: { length: sizes.reduce((sum, n) => sum + n, 0) },
    setEpoch: () => undefined,
    async *iterateAsync({ from = 0 } = {}) {
      yield* batches.slice(from);
    },
  };
}

/** A source whose epochs end after so many batches. With shuffling each epoch has others. */
export function shortened(source: BatchSource, batches: number): BatchSource {
  if (source.length <= batches) return source;
  const { batchSize, shuffle, dropLast, seed } = source;
  return {
    ...{ length: batches, batchSize, shuffle, dropLast, seed },
    dataset: { length: batches * batchSize },
    setEpoch: (epoch) => source.setEpoch(epoch),
    async *iterateAsync({ from = 0 } = {}) {
      let at = from;
      if (at >= batches) return;
      for await (const batch of source.iterateAsync({ from })) {
        yield batch;
        if (++at >= batches) return;
      }
    },
  };
}
