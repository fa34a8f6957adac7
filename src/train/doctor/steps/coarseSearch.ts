/** Step 4: short runs over rates and weight decays around what is known so far. Read longRuns.ts next. */
import type { TrainEvent } from "../../events.js";
import { shortened } from "../batches.js";
import { figure, share } from "../diagnosis.js";
import type { Examination, RecipeStep, StepOutcome } from "../examination.js";
import type { SearchTrial } from "../types.js";

/** Batches that validation is measured on. */
export const validationBatches = 20;

/** The last validation loss and accuracy of a run, or its last training losses. */
export function resultOf(events: readonly TrainEvent[]): { loss: number; accuracy: number | null } {
  const last = events.findLast((event) => event.type === "epoch");
  const measures = last && (last.validation ?? last.train);
  const loss = measures?.loss ?? Number.NaN;
  return {
    loss: Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY,
    accuracy: measures?.accuracy ?? null,
  };
}

/** Rates and decays to try. */
function grid(exam: Examination): readonly (readonly [lr: number, weightDecay: number | null])[] {
  const { configured, rangeTest, overfit, paths, quick } = exam;
  const middle = rangeTest?.suggestion ?? overfit?.lr ?? configured.lr;
  const rates = paths.lr === null ? [configured.lr] : [middle / 3, middle, middle * 3];
  const { weightDecay } = configured;
  if (paths.weightDecay === null || weightDecay === null) return rates.map((lr) => [lr, null]);
  const around = weightDecay > 0 ? [weightDecay / 10, weightDecay * 10] : [1e-4, 1e-2];
  const decays = quick ? [weightDecay] : [weightDecay, ...around];
  const round = (x: number) => Number(x.toPrecision(2));
  return decays.flatMap((decay) => rates.map((lr) => [round(lr), round(decay)] as const));
}

export const spellTrial = ({ lr, weightDecay, loss, accuracy }: SearchTrial): string =>
  `rate ${figure(lr)}${weightDecay === null ? "" : `, weight decay ${figure(weightDecay)}`}: ` +
  `${Number.isFinite(loss) ? `loss ${figure(loss)}` : "diverged"}` +
  `${accuracy === null ? "" : `, accuracy ${share(accuracy)}`}`;

async function run(exam: Examination): Promise<StepOutcome> {
  const choices = grid(exam);
  const maxSteps = exam.quick ? 60 : 150;
  for (const [i, [lr, weightDecay]] of choices.entries()) {
    if (exam.isOver) break;
    const experiment = await exam.build(lr, weightDecay);
    const { train, validation, epochs } = experiment.options;
    const { events, diverged } = await exam.train(
      experiment,
      {
        maxSteps,
        epochs: Math.min(Math.max(epochs, 1), Math.ceil(maxSteps / train.length)),
        ...(validation && { validation: shortened(validation, validationBatches) }),
      },
      (done, loss) =>
        exam.progress((i + done) / choices.length, `rate ${figure(lr)}, loss ${figure(loss)}`),
    );
    if (exam.isOver) break;
    const result = diverged ? { loss: Number.POSITIVE_INFINITY, accuracy: null } : resultOf(events);
    exam.trials.push({ lr, weightDecay, ...result });
  }
  exam.trials.sort((a, b) => a.loss - b.loss);
  const best = exam.trials[0];
  if (!best) return { status: "skipped", sentence: `Not finished: ${exam.stopReason}.` };
  const isCut = exam.trials.length < choices.length ? `, ${exam.stopReason}` : "";
  return {
    status: Number.isFinite(best.loss) ? "passed" : "failed",
    sentence: `Of ${exam.trials.length} short runs the best is ${spellTrial(best)}${isCut}.`,
    details: exam.trials.slice(0, 5).map(spellTrial),
  };
}

export const coarseSearchStep: RecipeStep = { name: "coarseSearch", title: "Coarse search", run };
