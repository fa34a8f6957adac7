/** Step 2: a few small batches must be learned by heart; what cannot do that has a bug. Read rateSearch.ts next. */
import { firstBatches, firstExamples, fixedSource } from "../batches.js";
import { diagnose } from "../diagnose.js";
import type { Diagnosis, SymptomName } from "../diagnosis.js";
import { diagnosis, figure } from "../diagnosis.js";
import type { Examination, RecipeStep, StepOutcome, TrainingRun } from "../examination.js";
import { rangeTest } from "../rangeTest.js";

const [batchCount, most] = [6, 16];

/** Shares of what guessing costs: this low it is learned by heart at once, and after all attempts as good as learned. */
const [low, nearlyLow] = [0.03, 0.15];

/** What this short run can show of the network; curves of a few examples show nothing else. */
const shown: ReadonlySet<SymptomName> = new Set([
  ...(["nan", "evaluationMode", "unnormalizedInput", "symmetricWeights", "frozenLayer"] as const),
  ...(["deadUnits", "saturatedUnits", "vanishingGradients", "explodingGradients"] as const),
]);

interface Attempt {
  readonly lr: number;
  readonly run: TrainingRun;
  readonly examples: number;
  readonly losses: readonly number[];
  readonly isReached: boolean;
  readonly isNear: boolean;
  /** The loss it ended with; infinity for a run that diverged. */
  readonly end: number;
}

/** The experiment without regularisation, on the first examples alone. */
async function smallExperiment(exam: Examination, lr: number) {
  const experiment = await exam.buildPlain(lr);
  const batches = await firstBatches(experiment.options.train, batchCount);
  const small = batches.map((batch) => firstExamples(batch, most));
  const { validation: _, schedule: __, ema: ___, ...options } = experiment.options;
  return { experiment: { ...experiment, options }, train: fixedSource(small) };
}

async function attempt(
  exam: Examination,
  { lr, maxSteps, from }: { lr: number; maxSteps: number; from: number },
): Promise<Attempt> {
  const { experiment, train } = await smallExperiment(exam, lr);
  const examples = train.dataset.length;
  const { classes } = experiment;
  const chance = classes ? Math.log(classes) : (exam.facts.initialLoss ?? 1);
  let isReached = false;
  const run = await exam.train(
    experiment,
    {
      ...{ train, maxSteps },
      epochs: Math.ceil(maxSteps / train.length),
      monitor: { everySteps: 20 },
      callbacks: [
        (event, control) => {
          if (event.type !== "epoch" || !(event.train.loss < low * chance)) return;
          isReached = true;
          control.stop("learned by heart");
        },
      ],
    },
    (done, loss) =>
      exam.progress(
        from + (1 - from) * done,
        `${examples} examples, rate ${figure(lr)}, loss ${figure(loss)}`,
      ),
  );
  const losses = run.events.flatMap((event) => (event.type === "step" ? [event.loss] : []));
  const end = run.diverged ? Number.POSITIVE_INFINITY : endOf(losses);
  return { lr, run, examples, losses, isReached, isNear: end < nearlyLow * chance, end };
}

/** Rates at which a range test on the same examples saw the loss fall, or else the highest that it bears. */
async function likelyRates(exam: Examination): Promise<readonly number[]> {
  const { experiment, train } = await smallExperiment(exam, exam.configured.lr);
  const { model, options } = experiment;
  const { lowest, suggestion, divergence } = await rangeTest(model, {
    ...options,
    ...{ train, signal: exam.signal },
  });
  const edge = divergence ?? 10;
  return suggestion === null ? [edge / 10, edge / 100] : [lowest / 3, suggestion];
}

const best = (attempts: readonly Attempt[]): Attempt | undefined =>
  attempts.find(({ isReached }) => isReached) ?? [...attempts].sort((a, b) => a.end - b.end)[0];

/** The configured rate, others beside it, what a range test shows, and more time for one that is on its way; until one has learned. */
async function attemptAll(exam: Examination): Promise<readonly Attempt[]> {
  const { lr } = exam.configured;
  const done: Attempt[] = [];
  const steps = exam.quick ? 240 : 480;
  const isEnough = () => exam.isOver || done.some(({ isReached }) => isReached);
  const go = async (rates: readonly number[], maxSteps: number) => {
    for (const rate of rates)
      if (!isEnough())
        done.push(await attempt(exam, { lr: rate, maxSteps, from: done.length / 6 }));
  };
  await go([lr], steps);
  if (exam.paths.lr !== null) {
    await go([lr / 10, lr * 10], steps);
    if (!isEnough()) await go(await likelyRates(exam), steps);
  }
  const nearest = best(done);
  if (nearest && nearest.end < 0.9 * nearest.losses[0]!) await go([nearest.lr], 4 * steps);
  return done;
}

/** The mean of the last round; infinity where there was no step. */
const endOf = (losses: readonly number[]): number => {
  const last = losses.slice(-batchCount);
  return last.length > 0
    ? last.reduce((sum, x) => sum + x, 0) / last.length
    : Number.POSITIVE_INFINITY;
};

function findings(exam: Examination, { events }: TrainingRun): readonly Diagnosis[] {
  const { classes } = exam.facts;
  return diagnose(events, classes ? { classes } : {}).filter(
    ({ symptom, severity }) => shown.has(symptom) && severity === "problem",
  );
}

/** A configured rate at which nothing moves, where one far above it learns. */
function rateFinding(configured: Attempt, found: Attempt): readonly Diagnosis[] {
  const { lr, end, losses } = configured;
  if (!found.isNear || found.lr < 30 * lr || end < 0.9 * losses[0]!) return [];
  return [
    diagnosis(
      "rateTooLow",
      "problem",
      `At the configured rate ${figure(lr)} the loss of ${found.examples} examples is ${figure(end)} after ` +
        `${losses.length} steps; at ${figure(found.lr)} they are learned by heart.`,
      `Raise the learning rate to about ${figure(found.lr)}.`,
      { lr, end, suggestion: found.lr },
    ),
  ];
}

/** Nothing in the network explains it. */
const unexplained = ({ examples, end }: Attempt, tried: number): Diagnosis =>
  diagnosis(
    "lossNotFalling",
    "problem",
    `${examples} examples cannot be learned by heart: the best of ${tried} attempts ends at the loss ${figure(end)}.`,
    "Look for a bug: labels, loss, gradients that do not flow, or a model that is far too small.",
    { examples, end },
  );

async function run(exam: Examination): Promise<StepOutcome> {
  const attempts = await attemptAll(exam);
  const found = best(attempts);
  if (!found || (exam.isOver && !found.isReached && !found.isNear))
    return { status: "skipped", sentence: `Not finished: ${exam.stopReason}.` };
  const { lr, examples, losses, end } = found;
  const reached = found.isReached || found.isNear;
  exam.overfit = { lr, examples, losses, reached };
  exam.facts = { ...exam.facts, overfits: reached };
  // Where nothing helped, the configured rate shows best what is wrong.
  const seen = [
    ...findings(exam, (reached ? found : attempts[0]!).run),
    ...rateFinding(attempts[0]!, found),
  ];
  const said = reached || seen.length > 0 ? seen : [unexplained(found, attempts.length)];
  exam.addDiagnoses(said);
  const tried = attempts.map(
    (one) => `rate ${figure(one.lr)}: ${one.run.diverged ? "diverged" : `loss ${figure(one.end)}`}`,
  );
  const details = [
    ...(tried.length > 1 ? tried : []),
    ...said.map(({ evidence, advice }) => `${evidence} ${advice}`),
  ];
  if (!reached)
    return {
      status: "failed",
      sentence: `${examples} examples cannot be learned by heart: the loss stays at ${figure(end)}.`,
      details,
    };
  return {
    status: seen.length > 0 ? "warned" : "passed",
    sentence: `${examples} examples are ${found.isReached ? "" : "nearly "}learned by heart in ${losses.length} steps, at the rate ${figure(lr)}.`,
    details,
  };
}

export const overfitStep: RecipeStep = { name: "overfit", title: "Overfit a few batches", run };
