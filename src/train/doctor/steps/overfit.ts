/** Step 2: a few small batches must be learned by heart; what cannot do that has a bug. Read rateSearch.ts next. */
import { firstBatches, firstExamples, fixedSource } from "../batches.js";
import { diagnose } from "../diagnose.js";
import type { Diagnosis, SymptomName } from "../diagnosis.js";
import { figure } from "../diagnosis.js";
import type { Examination, RecipeStep, StepOutcome, TrainingRun } from "../examination.js";

const [batchCount, most] = [6, 16];

/** Rates tried, as factors of the configured one. */
const factors = [1, 0.1, 10, 0.01, 100, 1000];

/** What this short run can show of the network; curves of a few examples show nothing else. */
const shown: ReadonlySet<SymptomName> = new Set([
  ...(["nan", "evaluationMode", "unnormalizedInput", "frozenLayer"] as const),
  ...(["deadUnits", "saturatedUnits", "vanishingGradients", "explodingGradients"] as const),
]);

async function attempt(exam: Examination, lr: number, share: number) {
  const experiment = await exam.buildPlain(lr);
  const { train } = experiment.options;
  const batches = await firstBatches(train, batchCount);
  const small = batches.map((batch) => firstExamples(batch, most));
  const examples = small.reduce((sum, batch) => sum + batch[0]!.shape[0]!, 0);
  const { classes } = experiment;
  const chance = classes ? Math.log(classes) : (exam.facts.initialLoss ?? 1);
  const target = 0.03 * chance;
  const maxSteps = exam.quick ? 240 : 480;
  let isReached = false;
  const { validation: _, schedule: __, ema: ___, ...options } = experiment.options;
  const run = await exam.train(
    { ...experiment, options },
    {
      train: fixedSource(small),
      maxSteps,
      epochs: Math.ceil(maxSteps / small.length),
      monitor: { everySteps: 20 },
      callbacks: [
        (event, control) => {
          if (event.type !== "epoch" || !(event.train.loss < target)) return;
          isReached = true;
          control.stop("learned by heart");
        },
      ],
    },
    (done, loss) =>
      exam.progress(share * done, `${examples} examples, rate ${figure(lr)}, loss ${figure(loss)}`),
  );
  const losses = run.events.flatMap((event) => (event.type === "step" ? [event.loss] : []));
  return { run, examples, losses, isReached };
}

const endOf = (losses: readonly number[]): number => {
  const last = losses.slice(-batchCount);
  return last.reduce((sum, x) => sum + x, 0) / Math.max(1, last.length);
};

function findings(exam: Examination, { events }: TrainingRun): readonly Diagnosis[] {
  const { classes } = exam.facts;
  return diagnose(events, classes ? { classes } : {}).filter(
    ({ symptom, severity }) => shown.has(symptom) && severity === "problem",
  );
}

async function run(exam: Examination): Promise<StepOutcome> {
  const { lr } = exam.configured;
  const attempts: Awaited<ReturnType<typeof attempt>>[] = [];
  let best: (typeof attempts)[number] | null = null;
  const tried: string[] = [];
  const rates = exam.paths.lr === null ? [lr] : factors.map((factor) => lr * factor);
  for (const [i, rate] of rates.entries()) {
    if (exam.isOver) break;
    const one = await attempt(exam, rate, (i + 1) / rates.length);
    attempts.push(one);
    const end = one.run.diverged ? Number.POSITIVE_INFINITY : endOf(one.losses);
    tried.push(`rate ${figure(rate)}: ${one.run.diverged ? "diverged" : `loss ${figure(end)}`}`);
    if (!best || one.isReached || end < endOf(best.losses)) {
      best = one;
      const { examples, losses, isReached: reached } = one;
      exam.overfit = { lr: rate, examples, losses, reached };
    }
    if (one.isReached) break;
  }
  if (!best || (exam.isOver && !best.isReached))
    return { status: "skipped", sentence: `Not finished: ${exam.stopReason}.` };
  // Where nothing helped, the configured rate shows best what is wrong.
  const shownBy = best.isReached ? best : attempts[0]!;
  const found = findings(exam, shownBy.run);
  exam.addDiagnoses(found);
  exam.facts = { ...exam.facts, overfits: best.isReached };
  const said = found.map(({ evidence, advice }) => `${evidence} ${advice}`);
  if (!best.isReached)
    return {
      status: "failed",
      sentence: `${best.examples} examples cannot be learned by heart: the loss stays at ${figure(endOf(best.losses))}.`,
      details: [
        ...tried,
        ...said,
        ...(said.length > 0
          ? []
          : [
              "Look for a bug: labels, loss, gradients that do not flow, or a model that is far too small.",
            ]),
      ],
    };
  return {
    status: found.length > 0 ? "warned" : "passed",
    sentence: `${best.examples} examples are learned by heart in ${best.losses.length} steps, at the rate ${figure(exam.overfit!.lr)}.`,
    details: [...(tried.length > 1 ? tried : []), ...said],
  };
}

export const overfitStep: RecipeStep = { name: "overfit", title: "Overfit a few batches", run };
