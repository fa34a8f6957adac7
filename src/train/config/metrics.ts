/** The metrics that a configuration can name. Read ../metrics/index.ts for what they measure. */
import * as z from "zod";
import {
  accuracy,
  averagePrecision,
  confusion,
  f1,
  type Metric,
  meanAbsoluteError,
  meanSquaredError,
  perplexity,
  precision,
  r2,
  recall,
  rocAuc,
  topK,
} from "../metrics/index.js";
import { type Choices, type Chosen, choice, count, makeChosen } from "./choices.js";

/** What a metric may need to know. */
interface Outputs {
  /** How many numbers the model gives for an example. */
  readonly outputs: number;
}

const average = {
  average: z
    .enum(["binary", "macro", "micro", "none", "weighted"])
    .default("macro")
    .describe("how the classes' scores become one; `none` gives them all"),
};
const areas = {
  average: z
    .enum(["macro", "weighted"])
    .default("macro")
    .describe("over classes, each against all"),
};

export const metrics = {
  accuracy: choice("share of examples whose class is right", {}, (): Metric => accuracy),
  averagePrecision: choice(
    "mean precision over all thresholds",
    areas,
    (options): Metric => averagePrecision(options),
  ),
  confusion: choice(
    "counts of truth against guess, `confusion.truth.guess`",
    {},
    (_, { outputs }: Outputs): Metric => confusion(outputs),
  ),
  f1: choice(
    "harmonic mean of precision and recall",
    average,
    (options, { outputs }: Outputs): Metric => f1(outputs, options),
  ),
  meanAbsoluteError: choice("mean of |output − target|", {}, (): Metric => meanAbsoluteError),
  meanSquaredError: choice("mean of (output − target)²", {}, (): Metric => meanSquaredError),
  perplexity: choice("exp of the mean cross-entropy", {}, (): Metric => perplexity()),
  precision: choice(
    "share of what was taken for a class that is of it",
    average,
    (options, { outputs }: Outputs): Metric => precision(outputs, options),
  ),
  r2: choice("share of the variance that is explained", {}, (): Metric => r2()),
  recall: choice(
    "share of a class that was found",
    average,
    (options, { outputs }: Outputs): Metric => recall(outputs, options),
  ),
  rocAuc: choice("area under the ROC curve", areas, (options): Metric => rocAuc(options)),
  topK: choice(
    "share of examples whose class is among the k best",
    { k: count().default(5) },
    ({ k }): Metric => topK(k),
  ),
} satisfies Choices<Outputs, Metric>;

/** What every metric takes besides its own options. */
export const metricCommon = {
  label: z
    .string()
    .min(1)
    .exactOptional()
    .describe("what it is called; default its name, top5 for topK"),
};

/** A metric and what it is called. */
export function makeMetric(chosen: Chosen, outputs: number): readonly [label: string, Metric] {
  const { label, ...own } = chosen;
  const usual = own.name === "topK" ? `top${String(own.k)}` : own.name;
  // One score an example tells two classes apart.
  const metric = makeChosen<Outputs, Metric>(metrics, own as Chosen, {
    outputs: Math.max(2, outputs),
  });
  return [(label as string | undefined) ?? usual, metric];
}
