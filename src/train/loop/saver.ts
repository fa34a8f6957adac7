/** When checkpoints are due and what is in them. Read ../trainingState.ts for their content, run.ts for the moments. */
import { defaultGenerator } from "../../tensor/random.js";
import { clock } from "../clock.js";
import type { Place } from "../errors.js";
import type { CheckpointEvent } from "../events.js";
import type { CheckpointReason } from "../options.js";
import { captureState, type Progress } from "../trainingState.js";
import type { RunParts } from "./begin.js";

export class Saver {
  readonly #parts: RunParts;
  readonly #progress: Progress;
  #last: { step: number; time: number };
  #isAsked = false;

  constructor(parts: RunParts, progress: Progress) {
    this.#parts = parts;
    this.#progress = progress;
    this.#last = { step: progress.step, time: clock() };
  }

  /** Asks for a checkpoint as soon as the step at hand is over. */
  ask(): void {
    this.#isAsked = true;
  }

  /** Why a checkpoint is due now. */
  due(): CheckpointReason[] {
    const { options, callbacks } = this.#parts;
    const { everySteps, everySeconds } = options.checkpoint ?? {};
    const { step, time } = this.#last;
    const due: readonly (readonly [CheckpointReason, boolean])[] = [
      ["asked", this.#isAsked],
      ["best", callbacks.best?.isDue ?? false],
      ["steps", everySteps !== undefined && this.#progress.step - step >= everySteps],
      ["seconds", everySeconds !== undefined && clock() - time >= everySeconds],
    ];
    return due.flatMap(([reason, isDue]) => (isDue ? [reason] : []));
  }

  /** Makes a checkpoint, for what is due and for these reasons; null where nobody keeps checkpoints. */
  async save(place: Place, reasons: readonly CheckpointReason[]): Promise<CheckpointEvent | null> {
    const { model, options, schedule, callbacks } = this.#parts;
    if (!options.checkpoint) return null;
    const progress = this.#progress;
    const started = clock();
    progress.generator = defaultGenerator.getState();
    progress.schedule = JSON.stringify(schedule.stateDict());
    const best = callbacks.best?.best;
    const all = [...new Set([...this.due(), ...reasons])].sort();
    const content = captureState(model, options.optimizer, progress, callbacks.states());
    await options.checkpoint.save(content, { ...place, reasons: all, ...(best && { best }) });
    callbacks.best?.noteSaved();
    this.#isAsked = false;
    this.#last = { step: progress.step, time: clock() };
    return { type: "checkpoint", ...place, seconds: clock() - started, reasons: all };
  }
}
