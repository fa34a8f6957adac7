/**
 * A snapshot ensemble: one run whose rate falls to zero and rises again, with its weights kept at the end of each cycle. Read
 * ensemble.ts for what is made of them.
 */
import { ValueError } from "../../core/errors.js";
import { cloneModule } from "../../nn/utils/clone.js";
import { lrScheduler } from "../../optim/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Callback, CallbackState, RunControl } from "../callbacks/callback.js";
import { copyWeights } from "../callbacks/weights.js";
import type { TrainEvent } from "../events.js";
import type { Schedule } from "../schedule.js";
import type { Model } from "../steps.js";
import { Ensemble, type EnsembleOptions } from "./ensemble.js";

function checkCycles(op: string, cycles: number): void {
  if (!Number.isInteger(cycles) || cycles < 1)
    throw new ValueError(op, `cycles is ${cycles}; expected a whole number ≥ 1`);
}

/**
 * Falls along half a cosine from 1 to 0 in each of so many cycles of the same length, beginning anew in between:
 * (1 + cos π·t) / 2 with t from 0 to 1 (Loshchilov and Hutter, "SGDR", 2017).
 *
 * @throws ValueError unless `cycles` is a whole number ≥ 1.
 * @example
 * ```ts
 * import { restartSchedule } from "gradus/train";
 * const factor = restartSchedule(2);
 * console.log([0, 0.25, 0.5, 0.75].map((done) => factor(done).toFixed(2)).join(" ")); // → 1.00 0.50 1.00 0.50
 * ```
 */
export function restartSchedule(cycles: number): Schedule {
  checkCycles("restartSchedule", cycles);
  return (done) => lrScheduler.cosineBetween(1, 0, (done * cycles) % 1);
}

const stateName = /^(\d+)\.(.+)$/;

/**
 * A callback that keeps the weights at the end of each cycle of a {@link restartSchedule}: members of an ensemble for the price of one run
 * (Huang et al., "Snapshot ensembles", 2017). It is a part of checkpoints. The run's epochs must be a multiple of the cycles.
 *
 * @throws ValueError unless `cycles` is a whole number ≥ 1.
 * @example
 * ```ts
 * import { data, manualSeed, nn, optim, tensor } from "gradus";
 * import { fit, restartSchedule, Snapshots } from "gradus/train";
 * manualSeed(0);
 * const dataset = new data.TensorDataset(tensor([[0], [1]]), tensor([0, 1], { dtype: "int32" }));
 * const model = new nn.Linear(1, 2);
 * const snapshots = new Snapshots(2);
 * await fit(model, {
 *   optimizer: new optim.SGD(model.parameters(), { lr: 0.5 }),
 *   train: new data.DataLoader(dataset, { batchSize: 2 }),
 *   epochs: 4,
 *   schedule: restartSchedule(2),
 *   callbacks: [snapshots],
 * });
 * const ensemble = snapshots.ensemble(model);
 * console.log(ensemble.members.length, ensemble.forward(tensor([[1]])).shape); // → 2 [ 1, 2 ]
 * ```
 */
export class Snapshots implements Callback {
  readonly name = "snapshots";
  readonly cycles: number;
  #epochs = 0;
  #weights: Map<string, Tensor>[] = [];

  constructor(cycles: number) {
    checkCycles("Snapshots", cycles);
    this.cycles = cycles;
  }

  /** Weights at the ends of the cycles that are over. */
  get weights(): readonly ReadonlyMap<string, Tensor>[] {
    return this.#weights;
  }

  onEvent(event: TrainEvent, run: RunControl): void {
    if (event.type === "start") {
      if (event.epochs % this.cycles !== 0)
        throw new ValueError(
          "Snapshots",
          `${event.epochs} epochs make no ${this.cycles} cycles of the same length`,
        );
      this.#epochs = event.epochs / this.cycles;
    }
    if (event.type === "epoch" && event.epoch % this.#epochs === 0)
      this.#weights.push(copyWeights(run.measuredWeights()));
  }

  /**
   * The snapshots as an ensemble.
   *
   * @param model of the run; each member is a copy of it.
   * @throws ValueError where no cycle is over.
   */
  ensemble(model: Model, options: EnsembleOptions = {}): Ensemble {
    if (this.#weights.length === 0)
      throw new ValueError("Snapshots", "there is no snapshot: no cycle is over");
    const members = this.#weights.map((weights) => {
      const member = cloneModule(model);
      member.loadStateDict(weights);
      return member;
    });
    return new Ensemble(members, options);
  }

  stateDict(): CallbackState {
    const tensors = this.#weights.flatMap((weights, i) =>
      [...weights].map(([name, x]) => [`${i}.${name}`, x] as const),
    );
    return { values: { count: this.#weights.length }, tensors: new Map(tensors) };
  }

  loadStateDict({ values, tensors }: CallbackState): void {
    const { count } = values;
    if (!Number.isInteger(count) || (count as number) < 0 || (count as number) > this.cycles)
      throw new ValueError(
        "Snapshots",
        `the state has ${String(count)} of ${this.cycles} snapshots`,
      );
    const weights = Array.from({ length: count as number }, () => new Map<string, Tensor>());
    for (const [name, x] of tensors ?? []) {
      const [, place = "", key = ""] = stateName.exec(name) ?? [];
      const own = weights[Number(place)];
      if (place === "" || !own)
        throw new ValueError("Snapshots", `the state has a tensor "${name}"`);
      own.set(key, x);
    }
    this.#weights = weights;
  }
}
