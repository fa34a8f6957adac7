/** Search for settings: a grid against random draws where one setting matters, and Parzen estimators against random draws where several do. */
import { manualSeed, nn, optim } from "gradus";
import {
  choice,
  createStudy,
  drawImportance,
  GridSampler,
  logInteger,
  logUniform,
  type ParametersOf,
  parameterImportances,
  RandomSampler,
  type Sampler,
  Space,
  TPESampler,
  type TrialRecord,
  uniform,
} from "gradus/tune";
import { flatten, labelsOf, loadPictures } from "../data/pictures.js";
import { savePanels, saveSvg } from "../drawing.js";
import { type Lab, type LabOptions, main, percent } from "../lab.js";
import { follow, type Pair, type Point } from "../training.js";

interface Pictures {
  readonly train: Pair;
  /** Trials are compared on these; they are no test pictures. */
  readonly held: Pair;
}

interface Settings {
  readonly lr: number;
  readonly weightDecay: number;
  readonly momentum?: number;
  readonly width?: number;
  readonly activation?: keyof typeof activations;
}

const activations = { relu: nn.ReLU, tanh: nn.Tanh, sigmoid: nn.Sigmoid };

/** The loss on held pictures after a short training; NaN if it diverged. */
async function lossWith(
  { lr, weightDecay, momentum = 0, width = 32, activation = "relu" }: Settings,
  { train, held }: Pictures,
  options: LabOptions,
): Promise<number> {
  manualSeed(5);
  const model = new nn.Sequential(
    new nn.Linear(784, width),
    new activations[activation](),
    new nn.Linear(width, 10),
  );
  const { last, diverged } = await follow(
    model,
    {
      ...{ train, test: held, epochs: 2, batchSize: 50 },
      optimizer: (parameters) => new optim.SGD(parameters, { lr, momentum, weightDecay }),
    },
    options,
  );
  return diverged ? NaN : last!.validation!.loss!;
}

/** A search that is over. */
interface Searched {
  readonly trials: readonly TrialRecord[];
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** The best value after each trial. */
function bestSoFar(trials: readonly TrialRecord[]): number[] {
  let best = Number.POSITIVE_INFINITY;
  return trials.map(({ value }) => {
    best = Math.min(best, value ?? best);
    return best;
  });
}

const decades = 6;
/** Where the range of learning rates begins, so that no grid is lucky in all of them. */
const beginnings = [-5.5, -4.9, -4.3, -3.7, -3.1];

/** Searches a learning rate and a weight decay too small to matter: so many values of either, or as many trials at random. */
async function oneMatters(pictures: Pictures, options: LabOptions) {
  const points = options.short ? 2 : 3;
  const ranges = options.short ? beginnings.slice(0, 1) : beginnings;
  const search = async (from: number, sampler: Sampler): Promise<Searched> => {
    const lr = logUniform(10 ** from, 10 ** (from + decades));
    const study = await createStudy({
      space: { lr, weightDecay: logUniform(1e-9, 1e-6) },
      sampler,
    });
    const { signal } = options;
    await study.optimize((trial) => lossWith(trial.parameters, pictures, options), {
      trials: points ** 2,
      ...(signal && { signal }),
    });
    signal?.throwIfAborted();
    return { trials: await study.trials() };
  };
  const [grid, random]: [Searched[], Searched[]] = [[], []];
  for (const [seed, from] of ranges.entries()) {
    grid.push(await search(from, new GridSampler({ resolution: points })));
    random.push(await search(from, new RandomSampler({ seed })));
    const [a, b] = [grid, random].map((runs) => bestSoFar(runs.at(-1)!.trials).at(-1)!);
    const range = `10^${from} to 10^${(from + decades).toFixed(1)}`;
    options.log?.(`Rates ${range}: grid ${a!.toFixed(3)}, random ${b!.toFixed(3)}`);
  }
  return { grid, random, points };
}

const several = {
  lr: logUniform(1e-4, 10),
  momentum: uniform(0, 0.99),
  weightDecay: logUniform(1e-6, 1e-1),
  width: logInteger(4, 128),
  activation: choice(["relu", "tanh", "sigmoid"]),
};

/** Searches five settings by random draws and by Parzen estimators, several times each. */
async function severalMatter(pictures: Pictures, options: LabOptions) {
  const [seeds, count] = options.short ? [1, 12] : [5, 40];
  const { signal } = options;
  const search = async (sampler: Sampler): Promise<Searched> => {
    const study = await createStudy({ space: several, sampler });
    const objective = ({ parameters }: { parameters: ParametersOf<typeof several> }) =>
      lossWith(parameters, pictures, options);
    await study.optimize(objective, { trials: count, ...(signal && { signal }) });
    signal?.throwIfAborted();
    return { trials: await study.trials() };
  };
  const [random, tpe]: [Searched[], Searched[]] = [[], []];
  for (let seed = 0; seed < seeds; seed++) {
    random.push(await search(new RandomSampler({ seed })));
    tpe.push(await search(new TPESampler({ seed })));
    const [a, b] = [random, tpe].map((runs) => bestSoFar(runs.at(-1)!.trials).at(-1)!);
    options.log?.(`Five settings, seed ${seed}: random ${a!.toFixed(4)}, TPE ${b!.toFixed(4)}`);
  }
  return { random, tpe, count };
}

/** Loss by the logarithm of the learning rate. */
const byRate = (trials: readonly TrialRecord[]): Point[] =>
  trials
    .filter(({ value }) => value !== undefined)
    .map(({ parameters, value }): Point => [Math.log10(parameters.lr as number), value!])
    .sort(([a], [b]) => a - b);

/** The mean over searches of the best value after each trial. */
function meanCourse(runs: readonly Searched[]): Point[] {
  const courses = runs.map(({ trials }) => bestSoFar(trials));
  const steps = courses[0]!.map((_, i): Point => [i + 1, mean(courses.map((best) => best[i]!))]);
  return steps.filter(([, value]) => Number.isFinite(value));
}

function drawCharts(
  options: LabOptions,
  one: Awaited<ReturnType<typeof oneMatters>>,
  five: Awaited<ReturnType<typeof severalMatter>>,
) {
  const searches = `${five.random.length} searches`;
  savePanels(
    options,
    "search",
    [
      {
        ...{ title: `${one.points ** 2} trials for two settings`, xLabel: "log₁₀ learning rate" },
        lines: [
          { name: "grid", points: byRate(one.grid[0]!.trials), dots: true },
          { name: "random", points: byRate(one.random[0]!.trials), dots: true },
        ],
      },
      {
        ...{ title: "Best loss so far, five settings", xLabel: "trial", yKind: "log" as const },
        lines: [
          { name: "random", points: meanCourse(five.random) },
          { name: "TPE", points: meanCourse(five.tpe) },
        ],
      },
    ],
    {
      ...{ title: "Search for settings", width: 620, height: 440 },
      subtitle: `Loss on held pictures; right: mean of ${searches}`,
    },
  );
}

const last = (runs: readonly Searched[]): number[] =>
  runs.map(({ trials }) => bestSoFar(trials).at(-1)!);

export const search: Lab = async (options) => {
  const parts = await loadPictures(options, { train: 2000, test: 10 });
  const [x] = flatten(parts);
  const y = labelsOf(parts.train);
  const half = Math.floor(y.size / 2);
  const pictures: Pictures = {
    train: [x.narrow(0, 0, half), y.narrow(0, 0, half)],
    held: [x.narrow(0, half, half), y.narrow(0, half, half)],
  };
  const one = await oneMatters(pictures, options);
  const five = await severalMatter(pictures, options);
  drawCharts(options, one, five);
  const all = five.random.flatMap(({ trials }) => trials);
  const importances = parameterImportances(Space.of(several), all, { cap: 0.75 });
  const shares = Object.fromEntries(importances.map((i) => [i.parameter, i.importance]));
  saveSvg(options, "importance", drawImportance(shares, { title: "a network of two layers" }));
  const [grid, random] = [last(one.grid), last(one.random)];
  const [drawn, tpe] = [last(five.random), last(five.tpe)];
  const [gridMean, randomMean, drawnMean, tpeMean] = [grid, random, drawn, tpe].map(mean);
  const won = tpe.filter((value, i) => value < drawn[i]!).length;
  const [first] = importances;
  return {
    measures: {
      ...{ grid: gridMean!, random: randomMean!, drawn: drawnMean!, tpe: tpeMean!, won },
      ...{ randomWon: random.filter((value, i) => value < grid[i]!).length },
      ...{ mostImportant: first!.importance },
    },
    sentence:
      `Where only the learning rate matters, ${one.points ** 2} trials reach a loss of ${gridMean!.toFixed(3)} on a grid and ${randomMean!.toFixed(3)} at random (mean of ${grid.length} ranges); ` +
      `with five settings ${five.count} trials reach ${drawnMean!.toFixed(4)} at random and ${tpeMean!.toFixed(4)} by TPE, which wins ${won} of ${tpe.length} searches; ` +
      `${first!.parameter} alone explains ${percent(first!.importance)} of the spread.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(search);
