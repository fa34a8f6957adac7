/** Initialisation: weights too small or too large end a deep network before it begins. Read the drawing's histograms from left to right. */
import { manualSeed, nn, optim } from "gradus";
import { drawInitStatistics, type InitName, initStatistics } from "gradus/train";
import { flatten, labelsOf, loadPictures } from "../data/pictures.js";
import { savePanels, saveSvg } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { best, type Followed, follow } from "../training.js";

const [depth, width] = [12, 128];

const rules: Record<string, (weight: nn.Parameter) => unknown> = {
  "normal, 0.01": (weight) => nn.init.normal(weight, 0, 0.01),
  "normal, 0.2": (weight) => nn.init.normal(weight, 0, 0.2),
  Xavier: (weight) => nn.init.xavierNormal(weight),
  Kaiming: (weight) => nn.init.kaimingNormal(weight, { nonlinearity: "relu" }),
  orthogonal: (weight) => nn.init.orthogonal(weight, { gain: Math.SQRT2 }),
};

function deep(rule: (weight: nn.Parameter) => unknown): nn.Sequential {
  manualSeed(4);
  const layers = Array.from({ length: depth }, (_, i) => [
    new nn.Linear(i === 0 ? 784 : width, width),
    new nn.ReLU(),
  ]).flat();
  const model = new nn.Sequential(...layers, new nn.Linear(width, 10));
  for (const layer of model)
    if (layer instanceof nn.Linear) {
      rule(layer.weight);
      nn.init.zeros(layer.bias!);
    }
  return model;
}

/** How much smaller or larger the spread is after the last layer than after the first. */
function growth(init: InitName) {
  const rows = initStatistics({ init, layers: depth, width: 256 });
  return { rows, factor: rows.at(-1)!.activation.std / rows[0]!.activation.std };
}

export const initialisation: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const compared = ["small", "xavierNormal", "kaimingNormal", "lsuv"] as const;
  const growths = Object.fromEntries(compared.map((name) => [name, growth(name)]));
  const rows = Object.entries(growths).map(([name, { rows: list }]) => [name, list] as const);
  const subtitle = `${depth} layers of 256 units with ReLU, random inputs`;
  saveSvg(options, "statistics", drawInitStatistics(Object.fromEntries(rows), { subtitle }));
  const parts = await loadPictures(options, { train: 6000, test: 2000 });
  const [x, testX] = flatten(parts);
  const [y, testY] = [labelsOf(parts.train), labelsOf(parts.test)];
  const found: { name: string; course: Followed; accuracy: number }[] = [];
  for (const [name, rule] of Object.entries(rules)) {
    signal?.throwIfAborted();
    const course = await follow(
      deep(rule),
      {
        ...{ train: [x, y], test: [testX, testY], epochs: short ? 1 : 5 },
        optimizer: (parameters) => new optim.SGD(parameters, { lr: 0.01, momentum: 0.9 }),
      },
      options,
    );
    const accuracy = course.last?.validation?.accuracy ?? 0;
    found.push({ name, course, accuracy });
    log(`${name}: ${course.diverged ? "the loss is no number any more" : percent(accuracy)}`);
  }
  const lost = found.filter(({ course }) => course.diverged).map(({ name }) => name);
  savePanels(
    options,
    "training",
    [
      {
        ...{ title: "Loss", xLabel: "step" },
        ...(lost.length > 0 && { note: `${lost.join("; ")}: diverged` }),
        lines: found.map(({ name, course }) => ({
          name,
          points: course.losses.filter(([, loss]) => loss < 4),
        })),
      },
      {
        ...{ title: "Accuracy on test pictures", xLabel: "epoch", percent: true, wholeX: true },
        lines: found.map(({ name, course }) => ({ name, points: course.accuracies, dots: true })),
      },
    ],
    { title: `A ReLU network of ${depth} hidden layers, by its first weights` },
  );
  const of = (name: string) => found.find((entry) => entry.name === name)!;
  const top = best(found, ({ accuracy }) => accuracy);
  const factor = (name: InitName) => growths[name]!.factor;
  const large = of("normal, 0.2");
  return {
    measures: {
      ...{
        small: factor("small"),
        xavier: factor("xavierNormal"),
        kaiming: factor("kaimingNormal"),
      },
      ...{ lsuv: factor("lsuv"), accuracySmall: of("normal, 0.01").accuracy, best: top.accuracy },
    },
    sentence:
      `Over ${depth} layers of ReLU the spread of activations changes by a factor of ${factor("small").toExponential(0)} for weights of 0.01, ${factor("xavierNormal").toExponential(0)} for Xavier's, ${factor("kaimingNormal").toPrecision(2)} for Kaiming's and ${factor("lsuv").toPrecision(2)} after LSUV; ` +
      `trained, weights of 0.01 get ${percent(of("normal, 0.01").accuracy)} right, weights of 0.2 ${large.course.diverged ? "end in numbers without a value" : percent(large.accuracy)}, and ${top.name} is best with ${percent(top.accuracy)}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(initialisation);
