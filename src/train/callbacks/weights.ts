/** Copies of a model's weights, and a model that has others for a while. Read averages.ts for their use. */
import type { Module } from "../../nn/module.js";
import { fromArray } from "../../tensor/apply.js";
import type { Tensor } from "../../tensor/index.js";

/** Copies that later steps do not change; what is shared is copied once. */
export function copyWeights(state: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const copies = new Map<Tensor, Tensor>();
  const copyOf = (x: Tensor): Tensor => {
    const copy = copies.get(x) ?? fromArray(x.data.slice(), x.shape, x.dtype);
    copies.set(x, copy);
    return copy;
  };
  return new Map([...state].map(([name, x]) => [name, copyOf(x)]));
}

/** Runs `body` while the model has other weights; it gets its own back, whatever happens. */
export async function withWeights<T>(
  model: Module,
  weights: ReadonlyMap<string, Tensor> | undefined,
  body: () => Promise<T>,
): Promise<T> {
  if (!weights) return await body();
  const own = copyWeights(model.stateDict());
  model.loadStateDict(weights);
  try {
    return await body();
  } finally {
    model.loadStateDict(own);
  }
}
