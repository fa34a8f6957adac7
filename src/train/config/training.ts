/** The settings of the loop: how long, in what steps, what keeps it in hand. Read ../options.ts for what `fit` makes of them. */
import * as z from "zod";
import { ValueError } from "../../core/errors.js";
import { CutMix, MixUp } from "../../vision/transforms/mix.js";
import type { BatchTransform, CheckpointOptions, FitOptions } from "../options.js";
import {
  type Choices,
  type Chosen,
  choice,
  chosenSchema,
  count,
  makeChosen,
  positive,
} from "./choices.js";

interface Classes {
  readonly numClasses: number;
}

/** Pictures mixed with one another inside the training step. */
export const mixes = {
  cutmix: choice(
    "a rectangle of another picture of the batch (Yun et al., 2019)",
    { alpha: positive().default(1) },
    (options, classes: Classes) => new CutMix({ ...options, ...classes }),
  ),
  mixup: choice(
    "a blend with another picture of the batch (Zhang et al., 2018)",
    { alpha: positive().default(0.2) },
    (options, classes: Classes) => new MixUp({ ...options, ...classes }),
  ),
} satisfies Choices<Classes, CutMix | MixUp>;

const mode = () =>
  z.enum(["min", "max"]).exactOptional().describe("which is better; known for loss, accuracy …");
const monitor = () => z.string().describe("train. or validation. and a measure's name");

const earlyStopping = z.strictObject({
  monitor: monitor().default("validation.loss"),
  mode: mode(),
  minDelta: z.number().min(0).default(0).describe("how much better counts as better"),
  patience: count().default(10).describe("measurements without improvement that end the run"),
  restoreBest: z.boolean().default(true).describe("end with the best weights"),
});

const clip = z.union([
  z.strictObject({ norm: positive(), normType: positive().default(2) }),
  z.strictObject({ value: positive() }),
]);

const checkpoint = z.strictObject({
  everySteps: count().exactOptional(),
  everySeconds: z
    .number()
    .min(0)
    .exactOptional()
    .describe("default 30, where everySteps is not given"),
  keep: count().default(3).describe("how many of the newest are kept"),
  best: z
    .strictObject({ monitor: monitor(), mode: mode() })
    .exactOptional()
    .describe("also keep the best by a measure, such as validation.accuracy"),
});

export const trainShape = {
  epochs: z.int().min(1).max(100_000).default(10).describe("how often to go through the examples"),
  batchSize: z.int().min(1).max(1_000_000).default(64).describe("examples in a batch"),
  seed: count(0).default(0).describe("decides first weights, order of examples, augmentation"),
  dropLast: z.boolean().default(false).describe("leave out a last batch that is smaller"),
  evaluationBatchSize: count().default(250).describe("examples in a batch of measuring"),
  maxSteps: count().exactOptional().describe("end after so many steps, if epochs has not before"),
  validateEverySteps: count().exactOptional().describe("measure within epochs too"),
  accumulate: count().default(1).describe("batches in one step of the optimizer"),
  clip: clip.exactOptional().describe("how large gradients may be: their norm, or each value"),
  ema: z
    .strictObject({ decay: z.number().min(0).max(1), warmup: z.boolean().default(false) })
    .exactOptional()
    .describe("averages of the weights, measured and kept in the end"),
  swa: z
    .strictObject({
      start: count(0).describe("epochs before averaging begins"),
      everyEpochs: count().default(1),
    })
    .exactOptional()
    .describe("equal average of the weights at the last epochs' ends"),
  earlyStopping: earlyStopping.exactOptional().describe("end when a measure gets no better"),
  mix: chosenSchema(mixes)
    .exactOptional()
    .describe("mix pictures within a batch, and their labels"),
  monitor: z
    .strictObject({ everySteps: count() })
    .exactOptional()
    .describe("look into the network so often: norms, update ratios, activations"),
  debug: z.boolean().default(false).describe("name the op and module of the first NaN; slow"),
  checkpoint: checkpoint.prefault({}).describe("what a run can go on from"),
};

/** Settings of the loop. */
export type TrainSettings = z.output<z.ZodObject<typeof trainShape>>;

/** The mixing of a batch inside the training step. */
function batchTransform(mix: Chosen, classes: number | undefined): BatchTransform {
  if (classes === undefined)
    throw new ValueError("train.mix", "mixes labels; the data have no classes");
  const mixer = makeChosen<Classes, CutMix | MixUp>(mixes, mix, { numClasses: classes });
  return (x, y) => {
    const { images, labels } = mixer.forward(x!, y!);
    return [images, labels];
  };
}

/** What `fit` takes of the settings, besides data and model. */
export function loopOptions(
  settings: TrainSettings,
  { classes, hasValidation }: { readonly classes?: number; readonly hasValidation: boolean },
): Partial<FitOptions> {
  const { maxSteps, validateEverySteps, accumulate, clip, ema, swa, earlyStopping } = settings;
  const { mix, monitor, debug, checkpoint } = settings;
  const watched = [earlyStopping?.monitor, checkpoint.best?.monitor];
  if (!hasValidation && watched.some((path) => path?.startsWith("validation.")))
    throw new ValueError("train", "goes by a measure of validation; data.validation is false");
  return {
    ...(maxSteps !== undefined && { maxSteps }),
    ...(validateEverySteps !== undefined && { validateEverySteps }),
    ...(accumulate > 1 && { accumulate }),
    ...(clip && { clip }),
    ...(ema && { ema }),
    ...(swa && { swa }),
    ...(earlyStopping && { earlyStopping }),
    ...(mix && { batchTransform: batchTransform(mix, classes) }),
    ...(monitor && { monitor }),
    ...(debug && { debug }),
  };
}

/** Which checkpoint is the best one, where a measure is named for it. */
export const bestOf = ({ checkpoint }: TrainSettings): Pick<CheckpointOptions, "best"> =>
  checkpoint.best ? { best: checkpoint.best } : {};
