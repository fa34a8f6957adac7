/**
 * Transfer learning as a configuration says it: weights of another model, frozen parts, learning rates by depth, layers that join one
 * after another. Read ../transfer/index.ts for what each does.
 */
import * as z from "zod";
import { ValueError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import type { Parameter } from "../../nn/module.js";
import type { GroupOptions } from "../../optim/optimizer.js";
import type { Callback } from "../callbacks/callback.js";
import type { Model } from "../steps.js";
import { freeze, type TrainableReport, trainableReport } from "../transfer/freeze.js";
import { gradualUnfreezing } from "../transfer/gradual.js";
import { layerwiseGroups } from "../transfer/layerwise.js";
import { loadWeights, type WeightReport } from "../transfer/loadWeights.js";
import { count } from "./choices.js";

const patterns = () => z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

export const transferShape = {
  weights: z
    .string()
    .min(1)
    .exactOptional()
    .describe(
      "a run's folder, checkpoint or safetensors file to begin with; relative to the configuration's folder",
    ),
  only: patterns()
    .exactOptional()
    .describe("parts of the model that take them, by name or pattern such as conv*"),
  exclude: patterns()
    .exactOptional()
    .describe("parts that keep new weights, such as the last layer"),
  rename: z
    .array(z.tuple([z.string(), z.string()]))
    .exactOptional()
    .describe('beginnings of names and what comes in their place, such as ["module.", ""]'),
  strict: z.boolean().default(true).describe("whether every weight that is meant must fit"),
  freeze: patterns().exactOptional().describe("parts that are not trained"),
  batchNorm: z
    .enum(["eval", "train"])
    .default("eval")
    .describe("frozen batch norms keep their statistics, or go on with the batch's"),
  layerDecay: z
    .number()
    .gt(0)
    .max(1)
    .exactOptional()
    .describe("factor of the learning rate from a layer to the one before it"),
  gradual: z
    .strictObject({
      start: count().default(1).describe("layers trained from the start, from the last on"),
      everyEpochs: count().default(1).describe("epochs until the next join"),
      count: count().default(1).describe("layers that join at a time"),
    })
    .exactOptional()
    .describe("train the last layers first, then one more after another"),
};

/** What a configuration says of transfer learning. */
export type TransferSettings = z.output<z.ZodObject<typeof transferShape>>;

/** What came of it. */
export interface Transferred {
  /** What matched; nothing where no weights are named. */
  readonly weights?: WeightReport;
  readonly trainable: TrainableReport;
  readonly callbacks: readonly Callback[];
  /** For the optimizer. */
  readonly parameters: readonly Parameter[] | readonly (GroupOptions & { readonly lr: number })[];
}

/**
 * Prepares a new model as a configuration says.
 *
 * @param source the tensors of the file that `weights` names.
 * @throws ValueError for settings that do not go together or patterns that fit nothing; what `loadWeights` throws.
 */
export function transferTo(
  model: Model,
  settings: TransferSettings,
  { lr, source }: { readonly lr: number; readonly source?: ReadonlyMap<string, ArrayData> },
): Transferred {
  const { weights, only, exclude, rename, strict, batchNorm, layerDecay, gradual } = settings;
  if (gradual && settings.freeze !== undefined)
    throw new ValueError("transfer", "freeze and gradual both say what is trained; take one");
  if (weights !== undefined && !source)
    throw new ValueError("transfer", "weights are read by loadExperiment, in Node");
  const report =
    source &&
    loadWeights(model, source, {
      strict,
      ...(only !== undefined && { only }),
      ...(exclude !== undefined && { exclude }),
      ...(rename && { rename }),
    });
  if (settings.freeze !== undefined) freeze(model, settings.freeze, { batchNorm });
  const unfreezing = gradual && gradualUnfreezing(model, { ...gradual, batchNorm });
  unfreezing?.apply(1);
  return {
    ...(report && { weights: report }),
    trainable: trainableReport(model),
    callbacks: unfreezing ? [unfreezing] : [],
    parameters:
      layerDecay === undefined
        ? model.parameters()
        : layerwiseGroups(model, { lr, decay: layerDecay }),
  };
}
