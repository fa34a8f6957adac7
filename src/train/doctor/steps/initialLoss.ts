/** Step 1: the data, and the loss before anything is learned, against what guessing costs. Read overfit.ts next. */
import { compile, type Tensor } from "../../../tensor/index.js";
import type { Experiment } from "../../experiment.js";
import { findAnomaly } from "../../health/anomaly.js";
import { type Model, makeEvaluationStep, measureBatch } from "../../steps.js";
import { firstBatches } from "../batches.js";
import { diagnose } from "../diagnose.js";
import { diagnosis, figure, share } from "../diagnosis.js";
import type { Examination, RecipeStep, StepOutcome } from "../examination.js";
import { inspectData } from "../inspectData.js";

const batchCount = 4;

/** The mean loss of batches in evaluation, where nothing is random. */
async function plainLoss(experiment: Experiment, batches: readonly (readonly Tensor[])[]) {
  const { model, options } = experiment;
  model.eval();
  const { metrics: _, ...rest } = options;
  const step = makeEvaluationStep(model, rest);
  let [total, examples] = [0, 0];
  for (const batch of batches) {
    const one = await step(batch);
    total += one.loss * one.examples;
    examples += one.examples;
  }
  const [again, first] = [await step(batches[0]!), await step(batches[0]!)];
  model.train();
  return { loss: total / examples, isSteady: again.loss === first.loss };
}

/** The loss in training mode, and what weight decay adds to the objective: ½ λ ‖w‖². */
async function regularisedLoss({ model, options }: Experiment) {
  const { metrics: _, ...rest } = options;
  model.train();
  const look = compile((batch: readonly Tensor[]) => measureBatch(model, batch, rest).loss, {
    commit: false,
  });
  const [batch] = await firstBatches(options.train, 1);
  const loss = (await look(batch!)).item();
  let penalty = 0;
  for (const group of options.optimizer.paramGroups) {
    const decay = group.has("weightDecay") ? group.get("weightDecay") : 0;
    for (const p of group.params) for (const w of p.data) penalty += 0.5 * decay * w * w;
  }
  return { loss, penalty };
}

/** Weights of several inputs whose units are all the same and not 0; those of 0 may be a part that is to fade in. */
function alikeWeights(model: Model): string[] {
  return [...model.namedParameters()].flatMap(([name, p]) => {
    const [units = 0, inputs = 0] = p.shape;
    if (p.ndim < 2 || units < 2 || inputs < 2 || p.data[0] === 0) return [];
    const { data } = p;
    const each = data.length / units;
    for (let i = each; i < data.length; i++) if (data[i] !== data[i - each]) return [];
    return [name];
  });
}

async function inspect(exam: Examination, experiment: Experiment): Promise<string | null> {
  const { train, validation } = experiment.options;
  const { classes } = experiment;
  const most = exam.quick ? 4000 : 20_000;
  const given = { most, signal: exam.signal, ...(classes !== undefined && { classes }) };
  const { fault, input, sharedExamples } = await inspectData(train, validation, given);
  if (input !== null) exam.facts = { ...exam.facts, input };
  if (sharedExamples !== null) exam.facts = { ...exam.facts, sharedExamples };
  if (fault === null) return null;
  const isNaNs = /holds/.test(fault);
  exam.addDiagnoses([
    diagnosis(
      "nan",
      "problem",
      `The data are damaged: ${fault}.`,
      isNaNs
        ? "Clean the data: find the examples with missing values, and fill them or leave them out."
        : "Check how labels are numbered: they go from 0 to the number of classes less one.",
    ),
  ]);
  return fault;
}

async function run(exam: Examination): Promise<StepOutcome> {
  const configured = await exam.build();
  const group = configured.options.optimizer.paramGroups[0]!;
  const weightDecay = group.has("weightDecay") ? group.get("weightDecay") : null;
  exam.configured = { lr: group.initialLr ?? group.lr, weightDecay };
  const { classes } = configured;
  if (classes !== undefined) exam.facts = { ...exam.facts, classes };
  const experiment = await exam.buildPlain();
  await exam.progress(0.1, "looking at the data");
  const fault = await inspect(exam, experiment);
  if (fault !== null) return { status: "failed", sentence: `The data are damaged: ${fault}.` };
  await exam.progress(0.6, "measuring the first loss");
  const batches = await firstBatches(experiment.options.train, batchCount);
  const { loss } = await plainLoss(experiment, batches);
  if (!Number.isFinite(loss)) return notFinite(experiment, batches);
  const { isSteady } = await plainLoss(configured, batches);
  const alike = { alikeWeights: alikeWeights(configured.model) };
  exam.facts = { ...exam.facts, ...alike, initialLoss: loss, isEvaluationSteady: isSteady };
  const { loss: noisy, penalty } = await regularisedLoss(configured);
  const found = diagnose([], exam.facts);
  exam.addDiagnoses(found);
  const expected = classes ? `; ln ${classes} = ${figure(Math.log(classes))} is expected` : "";
  const details = [
    `With regularisation and augmentation on: ${figure(noisy)}` +
      `${penalty > 0 ? `, and weight decay adds ${figure(penalty)}` : ", without weight decay"}.`,
    ...found.map(({ evidence, advice }) => `${evidence} ${advice}`),
  ];
  const worst = found[0]?.severity;
  const isWild = classes !== undefined && classes > 1 && loss > 3 * Math.log(classes);
  return {
    status: isWild ? "failed" : worst === undefined ? "passed" : "warned",
    sentence: `The first loss is ${figure(loss)} without regularisation${expected}.${sharedOf(exam)}`,
    details,
  };
}

const sharedOf = ({ facts: { sharedExamples } }: Examination): string =>
  sharedExamples ? ` ${share(sharedExamples)} of the validation examples are trained on too.` : "";

function notFinite(
  { model, options }: Experiment,
  batches: readonly (readonly Tensor[])[],
): StepOutcome {
  for (const batch of batches) {
    const found = findAnomaly(model, batch, options);
    if (found)
      return {
        status: "failed",
        sentence: `The untrained network gives ${found.value}: ${found.cause}.`,
        details: found.message.split("\n").map((line) => line.trim()),
      };
  }
  return { status: "failed", sentence: "The first loss is not finite." };
}

export const initialLossStep: RecipeStep = { name: "initialLoss", title: "First loss", run };
