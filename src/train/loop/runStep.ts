/** The step of a run: the compiled one, guarded in debug mode, and watched now and then where that is asked for. Read run.ts next. */
import type { Module } from "../../nn/module.js";
import type { Tensor } from "../../tensor/index.js";
import type { Place } from "../errors.js";
import { makeGuardedStep } from "../health/guard.js";
import { type Health, makeMonitoredStep } from "../health/monitor.js";
import type { FitOptions } from "../options.js";
import { makeTrainStep, type StepOutcome, type TrainStepOptions } from "./trainStep.js";

/** Takes the batches of one step and its place; gives its health too where the step was watched. */
export type RunStep = (
  batches: readonly (readonly Tensor[])[],
  place: Place,
) => Promise<StepOutcome & { readonly health?: Health }>;

export function runStep(
  model: Module,
  options: FitOptions & Pick<TrainStepOptions, "afterUpdate">,
): RunStep {
  const { optimizer, monitor, debug } = options;
  let current: Place = { epoch: 1, step: 1 };
  const plain = makeTrainStep(model, optimizer, options);
  const step = debug
    ? makeGuardedStep(model, optimizer, { ...options, step: plain, place: () => current })
    : plain;
  const watched = monitor && makeMonitoredStep(model, optimizer, { ...options, step });
  return async (batches, place) => {
    current = place;
    const isDue = watched && (place.step - 1) % monitor.everySteps === 0;
    if (!isDue) return await step(batches);
    const { outcome, health } = await watched(batches);
    return { ...outcome, health };
  };
}
