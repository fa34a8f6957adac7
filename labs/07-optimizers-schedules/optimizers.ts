/** Optimizers on one surface, a narrow valley, and on one network: who arrives, and how fast. */
import { manualSeed, nn, optim, type Tensor, tensor } from "gradus";
import { cosineSchedule, type PanelLine } from "gradus/train";
import { flatten, labelsOf, loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, type LabOptions, main, percent } from "../lab.js";
import { best, type Followed, follow, type Point } from "../training.js";

type Make = (parameters: readonly Tensor[], lr: number) => optim.Optimizer;

interface Contestant {
  readonly make: Make;
  /** Rates on the surface and rates to choose from for the network. */
  readonly surface: number;
  readonly rates: readonly number[];
}

const { SGD, Adagrad, RMSprop, Adam, AdamW, NAdam, Lion, Adadelta } = optim;
const momentum = 0.9;
const contestants: Record<string, Contestant> = {
  SGD: { make: (p, lr) => new SGD(p, { lr }), surface: 0.045, rates: [0.03, 0.1, 0.3] },
  momentum: {
    ...{ make: (p, lr) => new SGD(p, { lr, momentum }), surface: 0.015 },
    rates: [0.01, 0.03, 0.1],
  },
  Nesterov: {
    ...{ make: (p, lr) => new SGD(p, { lr, momentum, nesterov: true }), surface: 0.015 },
    rates: [0.01, 0.03, 0.1],
  },
  Adagrad: { make: (p, lr) => new Adagrad(p, { lr }), surface: 1, rates: [0.01, 0.03, 0.1] },
  Adadelta: { make: (p, lr) => new Adadelta(p, { lr }), surface: 30, rates: [1, 3, 10] },
  RMSprop: { make: (p, lr) => new RMSprop(p, { lr }), surface: 0.1, rates: [1e-3, 3e-3, 0.01] },
  Adam: { make: (p, lr) => new Adam(p, { lr }), surface: 0.5, rates: [1e-3, 3e-3, 0.01] },
  AdamW: { make: (p, lr) => new AdamW(p, { lr }), surface: 0.5, rates: [1e-3, 3e-3, 0.01] },
  NAdam: { make: (p, lr) => new NAdam(p, { lr }), surface: 0.5, rates: [1e-3, 3e-3, 0.01] },
  Lion: { make: (p, lr) => new Lion(p, { lr }), surface: 0.1, rates: [1e-4, 3e-4, 1e-3] },
};

/** f(x, y) = x² / 2 + 20·y² / 2, forty times as steep across as along. */
const [along, across] = [0.5, 20] as const;
const start = [-9, 2] as const;
const arrived = 1e-2;

interface Path {
  readonly points: readonly Point[];
  readonly values: readonly Point[];
  /** Steps until the value is small; none if it never was. */
  readonly steps: number | undefined;
}

function walk({ make, surface }: Contestant, steps: number): Path {
  const [x, y] = start.map((value) => tensor([value], { requiresGrad: true }));
  const optimizer = make([x!, y!], surface);
  const points: Point[] = [];
  const values: Point[] = [];
  for (let step = 0; step <= steps; step++) {
    const value = x!.square().mul(along).add(y!.square().mul(across)).div(2).sum();
    points.push([x!.item(), y!.item()]);
    values.push([step, value.item()]);
    optimizer.zeroGrad();
    value.backward();
    optimizer.step();
  }
  // It has arrived when it stays there.
  const last = values.findLastIndex(([, value]) => value > arrived);
  return { points, values, steps: last === steps ? undefined : last + 1 };
}

/** Lines of equal height, which are ellipses here. */
function contours(): PanelLine[] {
  return [0.5, 2, 5, 10, 20, 40].map((height) => ({
    ...{ colour: "#1c2026", faint: true },
    points: Array.from({ length: 97 }, (_, i): Point => {
      const angle = (i * 2 * Math.PI) / 96;
      const [a, b] = [Math.sqrt((2 * height) / along), Math.sqrt((2 * height) / across)];
      return [a * Math.cos(angle), b * Math.sin(angle)];
    }).map(([x, y]): Point => [Math.max(-10, Math.min(10, x)), y]),
  }));
}

function network(): nn.Sequential {
  manualSeed(6);
  return new nn.Sequential(
    new nn.Linear(784, 128),
    new nn.ReLU(),
    new nn.Linear(128, 64),
    new nn.ReLU(),
    new nn.Linear(64, 10),
  );
}

interface Result {
  readonly name: string;
  readonly path: Path;
  readonly course: Followed;
  readonly lr: number;
  readonly loss: number;
  readonly accuracy: number;
}

async function compareOnNetwork(options: LabOptions): Promise<Result[]> {
  const { short = false, log, signal } = options;
  const parts = await loadPictures(options, { train: 5000, test: 2000 });
  const [x, testX] = flatten(parts);
  const data = { train: [x, labelsOf(parts.train)], test: [testX, labelsOf(parts.test)] } as const;
  const results: Result[] = [];
  for (const [name, contestant] of Object.entries(contestants)) {
    const path = walk(contestant, short ? 30 : 150);
    const rates = short ? contestant.rates.slice(1, 2) : contestant.rates;
    const courses: { lr: number; course: Followed; loss: number }[] = [];
    for (const lr of rates) {
      signal?.throwIfAborted();
      const optimizer = (parameters: readonly Tensor[]) => contestant.make(parameters, lr);
      const course = await follow(
        network(),
        { ...data, optimizer, epochs: short ? 1 : 4, schedule: cosineSchedule() },
        options,
      );
      const loss = course.diverged ? Number.POSITIVE_INFINITY : course.losses.at(-1)![1];
      courses.push({ lr, course, loss });
    }
    const { lr, course, loss } = best(courses, ({ loss: value }) => -value);
    const accuracy = course.last?.validation?.accuracy ?? 0;
    results.push({ name, path, course, lr, loss, accuracy });
    const there =
      path.steps === undefined ? "not in the valley's bottom" : `there in ${path.steps} steps`;
    log?.(
      `${name}: ${there}; network at rate ${lr}: loss ${loss.toFixed(4)}, ${percent(accuracy)}`,
    );
  }
  return results;
}

export const optimizers: Lab = async (options) => {
  const results = await compareOnNetwork(options);
  const shown = ["SGD", "momentum", "Nesterov", "RMSprop", "Adam", "Lion"];
  savePanels(
    options,
    "surface",
    [
      {
        ...{ title: "Ways down a valley", xLabel: "x; y upwards" },
        // All lines, so that a name has one colour in both panels; those without points are left out.
        lines: [
          ...contours(),
          ...results.map(({ name, path }) => ({
            name,
            points: shown.includes(name) ? path.points.slice(0, 60) : [],
          })),
        ],
      },
      {
        ...{ title: "Height above the bottom", xLabel: "step", yKind: "log" },
        lines: results.map(({ name, path }) => ({
          name,
          points: path.values.map(([step, value]): Point => [step, Math.max(value, 1e-8)]),
        })),
      },
    ],
    { title: "Optimizers on f(x, y) = x² / 4 + 10·y²", width: 620, height: 460 },
  );
  savePanels(
    options,
    "network",
    [
      {
        ...{ title: "Training loss", xLabel: "step", yKind: "log" },
        lines: results.map(({ name, lr, course }) => ({
          name: `${name}, ${lr}`,
          points: course.losses,
        })),
      },
      {
        ...{ title: "Accuracy on test pictures", xLabel: "epoch", percent: true, wholeX: true },
        lines: results.map(({ name, course }) => ({ name, points: course.accuracies, dots: true })),
      },
    ],
    {
      title:
        "Optimizers on a network of three layers, each at its best rate of three, falling along a cosine",
      width: 620,
      height: 460,
    },
  );
  const there = results.filter(({ path }) => path.steps !== undefined);
  const quickest = there.length > 0 ? best(there, ({ path }) => -path.steps!) : undefined;
  const plain = results.find(({ name }) => name === "SGD")!;
  const lowest = best(results, ({ loss }) => -loss);
  const highest = best(results, ({ loss }) => loss);
  const stepsOf = ({ path }: Result) =>
    path.steps === undefined
      ? `has not arrived in ${path.values.length - 1}`
      : `takes ${path.steps}`;
  return {
    measures: {
      ...{ arrived: there.length, quickest: quickest?.path.steps ?? Number.NaN },
      ...{ lowest: lowest.loss, highest: highest.loss, accuracy: lowest.accuracy },
    },
    sentence:
      `In a valley forty times as steep across as along, ${quickest ? `${quickest.name} is quickest with ${quickest.path.steps} steps` : "none arrives"} and plain SGD ${stepsOf(plain)}; ` +
      `on the network ${lowest.name} reaches the lowest loss, ${lowest.loss.toFixed(3)} (${percent(lowest.accuracy)} of the test pictures), and ${highest.name} the highest, ${highest.loss.toFixed(3)}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(optimizers);
