/** Activations: their slopes, how much of a gradient gets through many of them, and how deep networks with each learn. */
import { grad, linspace, manualSeed, nn, optim, type Tensor } from "gradus";
import { layerStatistics } from "gradus/train";
import { flatten, labelsOf, loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { best, type Followed, follow, type Point } from "../training.js";

const kinds: Record<string, () => nn.Layer> = {
  sigmoid: () => new nn.Sigmoid(),
  tanh: () => new nn.Tanh(),
  ReLU: () => new nn.ReLU(),
  "leaky ReLU": () => new nn.LeakyReLU(),
  ELU: () => new nn.ELU(),
  SELU: () => new nn.SELU(),
  GELU: () => new nn.GELU(),
  SiLU: () => new nn.SiLU(),
};

const [depth, width] = [10, 128];

/** Linear layers and activations by turns; the same weights for each kind. */
function deep(make: () => nn.Layer): nn.Sequential {
  manualSeed(4);
  const layers = Array.from({ length: depth }, (_, i) => [
    new nn.Linear(i === 0 ? 784 : width, width),
    make(),
  ]).flat();
  for (const layer of layers)
    if (layer instanceof nn.Linear) {
      nn.init.xavierNormal(layer.weight);
      nn.init.zeros(layer.bias!);
    }
  return new nn.Sequential(...layers, new nn.Linear(width, 10));
}

const zip = (x: Tensor, y: Tensor): Point[] =>
  Array.from(x.data, (value, i) => [value, y.data[i]!]);

/** The gradient's deviation at the first activation, as a share of that at the last. */
function passedThrough(model: nn.Layer, x: Tensor, labels: Tensor): number {
  const stats = layerStatistics(model, x, {
    loss: (scores) => nn.functional.crossEntropy(scores, labels),
    filter: (module) => !(module instanceof nn.Linear || module instanceof nn.Sequential),
  });
  return stats[0]!.gradient.std / stats.at(-1)!.gradient.std;
}

export const activations: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const at = linspace(-5, 5, 101);
  const curves = Object.entries(kinds).map(([name, make]) => {
    const layer = make();
    const slopes = grad((x: Tensor) => layer.forward(x).sum())(at);
    return { name, values: zip(at, layer.forward(at)), slopes: zip(at, slopes) };
  });
  const parts = await loadPictures(options, { train: 6000, test: 2000 });
  const [x, testX] = flatten(parts);
  const [y, testY] = [labelsOf(parts.train), labelsOf(parts.test)];
  const found: { name: string; passed: number; course: Followed; accuracy: number }[] = [];
  for (const [name, make] of Object.entries(kinds)) {
    signal?.throwIfAborted();
    const model = deep(make);
    const passed = passedThrough(model, x.narrow(0, 0, 200), y.narrow(0, 0, 200));
    const course = await follow(
      model,
      {
        ...{ train: [x, y], test: [testX, testY], epochs: short ? 1 : 5 },
        optimizer: (parameters) => new optim.SGD(parameters, { lr: 0.02, momentum: 0.9 }),
      },
      options,
    );
    const accuracy = course.last?.validation?.accuracy ?? 0;
    found.push({ name, passed, course, accuracy });
    log(`${name}: ${passed.toExponential(1)} of the gradient arrives, ${percent(accuracy)} right`);
  }
  const named = (points: (at: (typeof found)[number]) => readonly Point[]) =>
    found.map((entry) => ({ name: entry.name, points: points(entry) }));
  savePanels(
    options,
    "activations",
    [
      {
        ...{ title: "Activations", xLabel: "input" },
        lines: curves.map(({ name, values }) => ({ name, points: values })),
      },
      {
        ...{ title: "Their slopes", xLabel: "input" },
        lines: curves.map(({ name, slopes }) => ({ name, points: slopes })),
      },
      {
        ...{ title: `Loss of networks of ${depth} hidden layers`, xLabel: "step" },
        lines: named(({ course }) => course.losses),
      },
      {
        ...{ title: "Accuracy on test pictures", xLabel: "epoch", percent: true, wholeX: true },
        lines: named(({ course }) => course.accuracies),
      },
    ],
    { title: "Activations", height: 360 },
  );
  const steepest = (name: string) =>
    Math.max(...curves.find((curve) => curve.name === name)!.slopes.map(([, slope]) => slope));
  const of = (name: string) => found.find((entry) => entry.name === name)!;
  const top = best(found, ({ accuracy }) => accuracy);
  const worst = best(found, ({ accuracy }) => -accuracy);
  return {
    measures: {
      ...{ sigmoidSlope: steepest("sigmoid"), sigmoidPassed: of("sigmoid").passed },
      ...{ reluPassed: of("ReLU").passed, best: top.accuracy, worst: worst.accuracy },
    },
    sentence:
      `The sigmoid's slope is ${steepest("sigmoid").toFixed(2)} at most, and through ${depth - 1} layers of it ${of("sigmoid").passed.toExponential(0)} of the gradient arrives, through ReLU ${of("ReLU").passed.toExponential(0)}; ` +
      `after as much training ${top.name} is best with ${percent(top.accuracy)} of the test pictures and ${worst.name} last with ${percent(worst.accuracy)}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(activations);
