/** Step 5: longer runs of the best choices, watched. Read curves.ts next. */
import { shortened } from "../batches.js";
import { figure } from "../diagnosis.js";
import type { Examination, RecipeStep, StepOutcome } from "../examination.js";
import type { LongRun } from "../types.js";
import { resultOf, spellTrial, validationBatches } from "./coarseSearch.js";

/** So many times a run is measured. */
const measurements = 6;

async function run(exam: Examination): Promise<StepOutcome> {
  const [first, ...others] = exam.trials.filter(({ loss }) => Number.isFinite(loss));
  // The second one has another rate: decays hardly differ in so short runs.
  const second = others.find(({ lr }) => lr !== first?.lr);
  const best = [first, exam.quick ? undefined : second].filter((one) => one !== undefined);
  const most = exam.quick ? 240 : 900;
  for (const [i, { lr, weightDecay }] of best.entries()) {
    if (exam.isOver) break;
    const experiment = await exam.build(lr, weightDecay);
    const { train, validation, epochs } = experiment.options;
    const maxSteps = Math.max(measurements, Math.min(most, epochs * train.length));
    // Epochs of equal length, so that curves have enough points also where one epoch takes long.
    const short = shortened(train, Math.max(1, Math.ceil(maxSteps / measurements)));
    const { events, diverged } = await exam.train(
      experiment,
      {
        train: short,
        maxSteps,
        epochs: Math.ceil(maxSteps / short.length),
        monitor: { everySteps: Math.max(1, Math.floor(maxSteps / 20)) },
        ...(validation && { validation: shortened(validation, validationBatches * 2) }),
      },
      (done, loss) =>
        exam.progress((i + done) / best.length, `rate ${figure(lr)}, loss ${figure(loss)}`),
    );
    exam.runs.push({ lr, weightDecay, ...resultOf(events), diverged, events });
  }
  const died = (one: LongRun) => Number(one.diverged !== null);
  exam.runs.sort((a, b) => died(a) - died(b) || a.loss - b.loss);
  const [winner] = exam.runs;
  if (!winner) return { status: "skipped", sentence: `Not finished: ${exam.stopReason}.` };
  const count = winner.events.filter(({ type }) => type === "step").length;
  if (winner.diverged !== null)
    return {
      status: "warned",
      sentence: `The run at the rate ${figure(winner.lr)} died after ${count} steps.`,
      details: winner.diverged.split("\n").map((line) => line.trim()),
    };
  return {
    status: "passed",
    sentence: `After ${count} steps the best run has ${spellTrial(winner)}.`,
    details: exam.runs.length > 1 ? exam.runs.map(spellTrial) : [],
  };
}

export const longRunsStep: RecipeStep = { name: "longRuns", title: "Longer runs of the best", run };
