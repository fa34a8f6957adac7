/** How a run begins: its progress is new or a checkpoint's. Read check.ts for what is refused before, run.ts for how it goes on. */
import type { SafetensorsContent } from "../../io/browser.js";
import type { Module } from "../../nn/module.js";
import type { lrScheduler } from "../../optim/index.js";
import { defaultGenerator } from "../../tensor/random.js";
import { ResumeError } from "../errors.js";
import { emptySums, sumsFit } from "../metrics/sums.js";
import type { FitOptions } from "../options.js";
import type { RunSchedule } from "../schedule.js";
import { checkIdentity, type Identity, type Progress, parseState } from "../trainingState.js";
import type { CallbackList } from "./callbackList.js";

/** Optimizer steps in an epoch. */
export const stepsPerEpoch = ({ train, accumulate = 1 }: FitOptions): number =>
  Math.ceil(train.length / accumulate);

/** What a run is: settings that decide its numbers. */
function identityOf(options: FitOptions): Identity {
  const { train, epochs, identity } = options;
  const { batchSize, shuffle, dropLast, seed } = train;
  const facts = { epochs, batchSize, shuffle, dropLast, dataSeed: seed };
  const own = Object.entries({ ...facts, examples: train.dataset.length });
  const { maxSteps, validateEverySteps, accumulate, clip, ema, swa, earlyStopping } = options;
  const chosen = Object.entries({
    ...{ maxSteps, validateEverySteps, accumulate, clip, ema, swa, earlyStopping },
  }).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(own.map(([name, value]) => [name, String(value)])),
    ...Object.fromEntries(chosen.map(([name, value]) => [name, JSON.stringify(value)])),
    metrics: Object.keys(options.metrics ?? {}).join(","),
    ...identity,
  };
}

/** What a run is made of, before it has a progress. */
export interface RunParts {
  readonly model: Module;
  readonly options: FitOptions;
  readonly schedule: RunSchedule;
  readonly callbacks: CallbackList;
}

/** The progress of a run that begins. */
export function newProgress({ options, schedule }: RunParts): Progress {
  return {
    identity: identityOf(options),
    epoch: 0,
    batch: 0,
    step: 0,
    sums: emptySums(options.metrics),
    schedule: JSON.stringify(schedule.stateDict()),
    generator: defaultGenerator.getState(),
    history: [],
    evaluation: null,
    ended: null,
    seconds: 0,
    epochSeconds: 0,
  };
}

function isConsistent(progress: Progress, options: FitOptions): boolean {
  const { train, epochs, accumulate = 1 } = options;
  const { epoch, batch, step, sums, generator, history, evaluation } = progress;
  // Fewer where the loader skipped whole batches, or the run ended within an epoch.
  const most = epoch * stepsPerEpoch(options) + Math.ceil(batch / accumulate);
  return (
    batch <= train.length &&
    epoch <= epochs &&
    step <= most &&
    step >= epoch &&
    (evaluation?.step ?? 0) <= step &&
    history.length === epoch &&
    generator.length === 4 &&
    sumsFit(sums, options.metrics)
  );
}

/**
 * Puts all parts of a run where a checkpoint says.
 *
 * @throws ResumeError where it is of another run or does not fit; FormatError where it is damaged.
 */
export function restoreProgress(content: SafetensorsContent, parts: RunParts): Progress {
  const { model, options, schedule, callbacks } = parts;
  const state = parseState(content);
  const { progress } = state;
  checkIdentity(progress.identity, identityOf(options));
  if (!isConsistent(progress, options))
    throw new ResumeError("resume", "the checkpoint contradicts itself: it is damaged");
  try {
    model.loadStateDict(state.model);
    options.optimizer.loadStateDict(state.optimizer);
    schedule.loadStateDict(JSON.parse(progress.schedule) as lrScheduler.SchedulerState);
    callbacks.load(state.callbacks);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ResumeError("resume", `the checkpoint does not fit: ${message}`);
  }
  defaultGenerator.setState(progress.generator);
  return progress;
}
