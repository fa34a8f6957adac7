/** All that a step changes, kept to be put back: weights, running statistics, optimizer state, gradients, random state. Read guard.ts next. */
import type { TypedArray } from "../../core/dtype.js";
import type * as nn from "../../nn/index.js";
import type { Optimizer } from "../../optim/index.js";
import { defaultGenerator } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";

/** A model and its optimizer as they were. */
export class Snapshot {
  readonly #tensors: readonly (readonly [tensor: Tensor, values: TypedArray])[];
  readonly #gradients: readonly (readonly [tensor: Tensor, gradient: Tensor | null])[];
  readonly #generator = defaultGenerator.getState();

  constructor(model: nn.Module, optimizer?: Optimizer) {
    const own = new Set(model.stateDict().values());
    for (const { params } of optimizer?.paramGroups ?? []) for (const p of params) own.add(p);
    for (const state of Object.values(optimizer?.stateDict().state ?? {}))
      for (const tensor of Object.values(state)) own.add(tensor);
    this.#tensors = [...own].map((tensor) => [tensor, tensor.data.slice()]);
    this.#gradients = [...own].map((tensor) => [tensor, tensor.grad]);
  }

  /** Puts everything back, in place. */
  restore(): void {
    for (const [tensor, values] of this.#tensors) {
      const storage = tensor.storageFor("snapshot");
      storage.beforeWrite();
      storage.data.set(values as never);
      storage.version++;
    }
    for (const [tensor, gradient] of this.#gradients) tensor.grad = gradient;
    defaultGenerator.setState(this.#generator);
  }
}
