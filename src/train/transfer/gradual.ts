/**
 * Gradual unfreezing: the last layer learns first, then one more from the output to the input every so many epochs. Read
 * layers.ts for what a layer is, ../callbacks/callback.ts for callbacks.
 */
import { ValueError } from "../../core/errors.js";
import type { Module } from "../../nn/module.js";
import type { Callback } from "../callbacks/callback.js";
import type { Place } from "../errors.js";
import type { TrainEvent } from "../events.js";
import { type FreezeOptions, freeze, type TrainableReport, unfreeze } from "./freeze.js";
import { depthLayers } from "./layers.js";
import type { NamePatterns } from "./names.js";

export interface GradualUnfreezingOptions extends FreezeOptions {
  /** Layers from input to output, where the model's own ({@link depthLayers}) are not meant. */
  readonly layers?: readonly NamePatterns[];
  /** Layers that are trained from the start, counted from the output; default 1. */
  readonly start?: number;
  /** Epochs after which the next layers join; default 1. */
  readonly everyEpochs?: number;
  /** Layers that join at a time; default 1. */
  readonly count?: number;
}

/** Freezes and unfreezes by epoch: a callback for {@link fit}, which sets each epoch before its first step. */
export interface GradualUnfreezing extends Callback {
  /** How many layers are trained in an epoch, counted from 1. */
  trainedLayers(epoch: number): number;
  /** Sets what is trained in an epoch, counted from 1: the same for a run that is resumed there. */
  apply(epoch: number): TrainableReport;
  onEvent(event: TrainEvent, run: Place): void;
}

/**
 * Trains the last `start` layers, and `count` more every `everyEpochs` epochs, until all are trained (Howard and Ruder,
 * "Universal Language Model Fine-tuning", 2018): one of {@link fit}'s `callbacks`. What is trained depends on the epoch alone, so resumed runs go on as they
 * were. Give the optimizer all parameters: it passes by those that are frozen.
 *
 * @throws ValueError for numbers below 1, or layers that do not fit the model.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { gradualUnfreezing } from "gradus/train";
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * const unfreezing = gradualUnfreezing(model);
 * console.log(unfreezing.apply(1).trainable, unfreezing.apply(2).trainable); // → 18 58
 * ```
 */
export function gradualUnfreezing(
  model: Module,
  { layers, start = 1, everyEpochs = 1, count = 1, ...options }: GradualUnfreezingOptions = {},
): GradualUnfreezing {
  const op = "gradualUnfreezing";
  for (const [name, value] of Object.entries({ start, everyEpochs, count }))
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError(op, `${name} must be a whole number ≥ 1, got ${value}`);
  const found = depthLayers(model, layers, op);
  const namesOf = (list: typeof found) =>
    list.flatMap(({ parameters }) => parameters.map(([name]) => name));
  const trainedLayers = (epoch: number) =>
    Math.min(found.length, start + count * Math.floor((epoch - 1) / everyEpochs));
  const apply = (epoch: number): TrainableReport => {
    const first = found.length - trainedLayers(epoch);
    unfreeze(model, namesOf(found.slice(first)));
    return freeze(model, namesOf(found.slice(0, first)), options);
  };
  const onEvent = (event: TrainEvent, run: Place): void => {
    if (event.type === "start") apply(run.epoch);
    if (event.type === "epoch") apply(event.epoch + 1);
  };
  return { name: "gradualUnfreezing", trainedLayers, apply, onEvent };
}
