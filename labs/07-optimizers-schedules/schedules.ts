/** Schedules of the learning rate: how they look, and how far one network comes with each in the same number of steps. */
import { manualSeed, nn, optim } from "gradus";
import { type Drawable, drawSchedule, scheduler } from "gradus/train";
import { flatten, labelsOf, loadPictures } from "../data/pictures.js";
import { savePanels, saveSvg } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { best, type Followed, follow } from "../training.js";

const { lrScheduler: s } = optim;
type Make = (optimizer: optim.Optimizer, steps: number) => optim.lrScheduler.Schedulable & Drawable;

/** By the number of steps of the whole run. */
const kinds: Record<string, Make> = {
  constant: (o) => new s.ConstantLR(o, { factor: 1, totalIters: 1 }),
  steps: (o, steps) =>
    new s.MultiStepLR(o, {
      milestones: [Math.floor(steps / 2), Math.floor(steps * 0.75)],
      gamma: 0.1,
    }),
  exponential: (o, steps) => new s.ExponentialLR(o, { gamma: 0.01 ** (1 / steps) }),
  linear: (o, steps) => new s.LinearLR(o, { startFactor: 1, endFactor: 0.001, totalIters: steps }),
  cosine: (o, steps) => new s.CosineAnnealingLR(o, { tMax: steps }),
  restarts: (o, steps) => new s.CosineAnnealingWarmRestarts(o, { t0: Math.ceil(steps / 3) }),
  "warm-up and cosine": (o, steps) => {
    const warmup = Math.ceil(steps / 10);
    return s.withWarmup(new s.CosineAnnealingLR(o, { tMax: steps - warmup }), { steps: warmup });
  },
  "inverse root": (o, steps) => new s.InverseSqrtLR(o, { warmupSteps: Math.ceil(steps / 10) }),
  "one cycle": (o, totalSteps) => new s.OneCycleLR(o, { maxLr: 0.2, totalSteps }),
};

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

export const schedules: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const parts = await loadPictures(options, { train: 5000, test: 2000 });
  const [x, testX] = flatten(parts);
  const data = { train: [x, labelsOf(parts.train)], test: [testX, labelsOf(parts.test)] } as const;
  const [epochs, lr, steps] = [short ? 2 : 8, 0.1, 400];
  const drawn = Object.entries(kinds).map(
    ([name, make]) => [name, (o: optim.Optimizer) => make(o, steps)] as const,
  );
  const svg = drawSchedule(Object.fromEntries(drawn), { steps, lr, title: "Schedules" });
  saveSvg(options, "schedules", svg);
  const found: { name: string; course: Followed; loss: number; accuracy: number }[] = [];
  for (const [name, make] of Object.entries(kinds)) {
    signal?.throwIfAborted();
    const course = await follow(
      network(),
      {
        ...{ ...data, epochs, batchSize: 64, schedule: scheduler(make) },
        optimizer: (parameters) => new optim.SGD(parameters, { lr, momentum: 0.9 }),
      },
      options,
    );
    const { train, validation } = course.last!;
    found.push({ name, course, loss: train.loss, accuracy: validation!.accuracy! });
    log(`${name}: loss ${train.loss.toExponential(1)}, ${percent(validation!.accuracy!)} right`);
  }
  savePanels(
    options,
    "training",
    [
      {
        ...{ title: "Training loss", xLabel: "step", yKind: "log" },
        lines: found.map(({ name, course }) => ({ name, points: course.losses })),
      },
      {
        ...{ title: "Accuracy on test pictures", xLabel: "epoch", percent: true, wholeX: true },
        lines: found.map(({ name, course }) => ({ name, points: course.accuracies, dots: true })),
      },
    ],
    { title: "The same network by each schedule", width: 620, height: 440 },
  );
  const constant = found.find(({ name }) => name === "constant")!;
  const top = best(found, ({ accuracy }) => accuracy);
  const lowest = best(found, ({ loss }) => -loss);
  const better = found.filter(({ accuracy }) => accuracy > constant.accuracy).length;
  return {
    measures: {
      ...{ constant: constant.accuracy, best: top.accuracy, better, others: found.length - 1 },
      ...{ constantLoss: constant.loss, lowestLoss: lowest.loss },
    },
    sentence:
      `At a constant rate of ${lr} the network gets ${percent(constant.accuracy)} of the test pictures right, and ${better} of ${found.length - 1} schedules do better: ` +
      `the best is "${top.name}" with ${percent(top.accuracy)}; "${lowest.name}" brings the training loss from ${constant.loss.toExponential(1)} down to ${lowest.loss.toExponential(1)}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(schedules);
