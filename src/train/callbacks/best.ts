/** Watches for the best value of a measure, so that a checkpoint is made of it. Read monitor.ts for what is better. */
import type { TrainEvent } from "../events.js";
import { Field } from "../fields.js";
import type { Callback, CallbackState, RunControl } from "./callback.js";
import { parseBest } from "./earlyStopping.js";
import { type Best, Monitor, type MonitorOptions } from "./monitor.js";

/** Reports each value that is better than ever. */
export class BestTracker implements Callback {
  readonly name = "best";
  readonly #monitor: Monitor;
  #best: Best | null = null;
  #isNew = false;

  constructor(options: string | MonitorOptions) {
    this.#monitor = new Monitor("checkpoint.best", options);
  }

  get best(): Best | undefined {
    return this.#best ?? undefined;
  }

  /** Whether the model is at its best and has not been saved since. */
  get isDue(): boolean {
    return this.#isNew;
  }

  /** Notes that a checkpoint was made. */
  noteSaved(): void {
    this.#isNew = false;
  }

  onEvent(event: TrainEvent, run: RunControl): void {
    const value = this.#monitor.valueIn(event);
    if (value === undefined || !this.#monitor.isBetter(value, this.#best?.value ?? null)) return;
    const { epoch, step } = run;
    this.#best = { monitor: this.#monitor.path, value, epoch, step };
    this.#isNew = true;
    run.emit({ type: "best", ...this.#best });
  }

  stateDict(): CallbackState {
    return { values: { best: this.#best && { ...this.#best } } };
  }

  /** Another measure may be watched from now on: then its best is yet to come. */
  loadStateDict({ values }: CallbackState): void {
    const state = Field.parse(JSON.stringify(values), "the state of the best checkpoint");
    const best = values.best === null ? null : parseBest(state.get("best"));
    this.#best = best?.monitor === this.#monitor.path ? best : null;
  }
}
