/** All callbacks of a run as one: who gets what in which order, and their states in checkpoints. Read run.ts next. */
import { GradusError, ValueError } from "../../core/errors.js";
import type { Module } from "../../nn/module.js";
import type { Tensor } from "../../tensor/index.js";
import { Ema, Swa } from "../callbacks/averages.js";
import { BestTracker } from "../callbacks/best.js";
import type {
  Callback,
  CallbackFunction,
  CallbackState,
  RunControl,
} from "../callbacks/callback.js";
import { EarlyStopping } from "../callbacks/earlyStopping.js";
import type { TrainEvent } from "../events.js";
import type { FitOptions } from "../options.js";

/** States of callbacks by their names. */
export type CallbackStates = ReadonlyMap<string, CallbackState>;

export class CallbackList {
  readonly best: BestTracker | undefined;
  readonly #all: readonly (Callback | CallbackFunction)[];

  constructor(model: Module, { ema, swa, earlyStopping, checkpoint, callbacks = [] }: FitOptions) {
    this.best = checkpoint?.best === undefined ? undefined : new BestTracker(checkpoint.best);
    this.#all = [
      // Averages come first, so that at the end the best weights take their place.
      ...(ema ? [new Ema(model, ema)] : []),
      ...(swa ? [new Swa(model, swa)] : []),
      ...(this.best ? [this.best] : []),
      ...(earlyStopping ? [new EarlyStopping(earlyStopping)] : []),
      ...callbacks,
    ];
    const names = this.#objects.map(({ name }) => name);
    for (const [i, name] of names.entries()) {
      if (!/^[\w-]{1,60}$/.test(name))
        throw new ValueError(
          "fit",
          `callback ${i} is called ${JSON.stringify(name)}; use letters, digits, - and _`,
        );
      if (names.indexOf(name) !== i)
        throw new ValueError(
          "fit",
          `two callbacks are called ${name}; each needs a name of its own`,
        );
    }
  }

  get #objects(): Callback[] {
    return this.#all.filter((callback) => typeof callback !== "function");
  }

  async onEvent(event: TrainEvent, run: RunControl): Promise<void> {
    for (const callback of this.#all)
      await (typeof callback === "function"
        ? callback(event, run)
        : callback.onEvent?.(event, run));
  }

  /** What callbacks do in the compiled step; undefined if nothing. */
  get afterUpdate(): ((model: Module) => void) | undefined {
    const own = this.#objects.filter(({ afterUpdate }) => afterUpdate);
    if (own.length === 0) return undefined;
    return (model) => {
      for (const callback of own) callback.afterUpdate!(model);
    };
  }

  /** The weights to be measured, where they are not the model's own. */
  averages(): ReadonlyMap<string, Tensor> | undefined {
    for (const callback of this.#objects) {
      const averages = callback.averages?.();
      if (averages) return averages;
    }
    return undefined;
  }

  /** Calls each one's end; `after` follows each of them. */
  async atEnd(run: RunControl, after: () => Promise<void>): Promise<void> {
    for (const callback of this.#objects) {
      await callback.atEnd?.(run);
      await after();
    }
  }

  states(): CallbackStates {
    return new Map(
      this.#objects.flatMap((callback) =>
        callback.stateDict ? [[callback.name, callback.stateDict()] as const] : [],
      ),
    );
  }

  /** @throws GradusError where callbacks and states do not belong together. */
  load(states: CallbackStates): void {
    const own = this.#objects.filter(({ stateDict }) => stateDict);
    // What checkpoints are kept does not change the run, so that it may be chosen anew.
    const isFree = (name: string) => name === "best";
    const missing = own.find(({ name }) => !states.has(name) && !isFree(name));
    if (missing) throw new GradusError("fit", `it has no state of ${missing.name}`);
    const names = own.map(({ name }) => name);
    const unknown = [...states.keys()].find((key) => !names.includes(key) && !isFree(key));
    if (unknown !== undefined)
      throw new GradusError("fit", `it has a state of ${unknown}, which this run lacks`);
    for (const callback of own) {
      const state = states.get(callback.name);
      if (state) callback.loadStateDict?.(state);
    }
  }
}
