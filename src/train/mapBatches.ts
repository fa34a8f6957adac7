/** Loaders whose batches are changed on their way: one mechanism for augmentations of every kind. augment.ts uses it. */
import type { Tensor } from "../tensor/tensor.js";
import type { BatchSource } from "./steps.js";

/** Which batch it is; what is drawn at random follows from it, so that a resumed run sees the same. */
export interface BatchPlace {
  readonly epoch: number;
  /** From 0, counting batches that were left out because they are broken. */
  readonly batch: number;
}

/** A batch in the place of another. */
export type BatchChange = (
  batch: readonly Tensor[],
  place: BatchPlace,
) => readonly Tensor[] | Promise<readonly Tensor[]>;

/** A loader like another one, but that each batch goes through `change`. */
export function mapBatches(source: BatchSource, change: BatchChange): BatchSource {
  const { length, batchSize, shuffle, dropLast, dataset, seed } = source;
  let epoch = 0;
  return {
    ...{ length, batchSize, shuffle, dropLast, dataset, seed },
    // Only a loader that may leave batches out says where it is; the others count as they go.
    ...(source.stateDict && { stateDict: () => source.stateDict!() }),
    setEpoch(next) {
      epoch = next;
      source.setEpoch(next);
    },
    async *iterateAsync({ from = 0 } = {}) {
      let next = from;
      for await (const parts of source.iterateAsync({ from })) {
        const end = source.stateDict?.().batch ?? next + 1;
        next = end;
        yield await change(parts, { epoch, batch: end - 1 });
      }
    },
  };
}
