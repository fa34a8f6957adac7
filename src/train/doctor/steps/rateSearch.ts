/** Step 3: the learning-rate range test, and the configured rate against it. Read coarseSearch.ts next. */
import { diagnosis, figure } from "../diagnosis.js";
import type { Examination, RecipeStep, StepOutcome } from "../examination.js";
import { rangeTest } from "../rangeTest.js";

/** A configured rate so far from the chosen one is a finding. */
const farAway = 30;

function judge(exam: Examination, suggestion: number): string[] {
  const { lr } = exam.configured;
  const { divergence, lowest } = exam.rangeTest!;
  const values = { lr, suggestion };
  const advice = `Set the learning rate to ${figure(suggestion)}.`;
  const isAbove = lr > lowest * 3 || (divergence !== null && lr >= divergence);
  const found =
    isAbove && lr > suggestion * farAway * 0.5
      ? diagnosis(
          "rateTooHigh",
          "problem",
          `The configured rate ${figure(lr)} is beyond what the loss bears: in the range test it was lowest at ` +
            `${figure(lowest)}${divergence === null ? "" : ` and exploded at ${figure(divergence)}`}.`,
          advice,
          values,
        )
      : lr < suggestion / farAway
        ? diagnosis(
            "rateTooLow",
            "problem",
            `The configured rate ${figure(lr)} is ${figure(suggestion / lr)} times lower than the range test suggests.`,
            advice,
            values,
          )
        : null;
  if (!found) return [];
  exam.addDiagnoses([found]);
  return [`${found.evidence} ${found.advice}`];
}

async function run(exam: Examination): Promise<StepOutcome> {
  if (exam.paths.lr === null)
    return { status: "skipped", sentence: "The experiment has no learning rate to set." };
  const steps = exam.quick ? 80 : 120;
  const { model, options } = await exam.build();
  exam.rangeTest = await rangeTest(
    model,
    {
      ...options,
      signal: exam.signal,
      onEvent: async (event) => {
        if (event.type === "step" && !exam.isOver)
          await exam.progress(
            event.step / steps,
            `rate ${figure(event.lr)}, loss ${figure(event.loss)}`,
          );
      },
    },
    { steps },
  );
  if (exam.isOver) return { status: "skipped", sentence: `Not finished: ${exam.stopReason}.` };
  const { suggestion, lowest, divergence } = exam.rangeTest;
  const course =
    `the loss is lowest at ${figure(lowest)}` +
    `${divergence === null ? "" : ` and explodes at ${figure(divergence)}`}`;
  if (suggestion === null)
    return {
      status: "warned",
      sentence: `At no rate from 1e-6 to 10 did the loss fall within ${steps} steps.`,
      details: ["The search goes on around the rate that learned a few batches by heart."],
    };
  const details = judge(exam, suggestion);
  return {
    status: details.length > 0 ? "warned" : "passed",
    sentence: `The learning rate ${figure(suggestion)} is chosen: ${course}.`,
    details,
  };
}

export const rateSearchStep: RecipeStep = {
  name: "rateSearch",
  title: "Learning-rate range test",
  run,
};
