/** CIFAR-10 by the same residual network under one means against overfitting after the other, as a table. */
import { manualSeed, type nn, vision } from "gradus";
import { accuracy, evaluate } from "gradus/train";
import { loadCifar } from "../data/cifar.js";
import { head, type Part } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { best, type Point } from "../training.js";
import { inOrder, type PictureTraining, trainPictureNetwork } from "./pictureNetwork.js";
import { type ResidualOptions, ResNet10 } from "./residualNetwork.js";

interface Means {
  readonly network?: ResidualOptions;
  readonly training?: Partial<PictureTraining>;
}

const classes = { numClasses: 10 };
const moved = () =>
  new vision.Compose(new vision.RandomHorizontalFlip(), new vision.RandomCrop(32, { padding: 4 }));

/** Means by name; made anew for each run, since they draw their own random numbers. */
const means: Readonly<Record<string, () => Means>> = {
  nothing: () => ({}),
  dropout: () => ({ network: { dropout: 0.3 } }),
  "stochastic depth": () => ({ network: { stochasticDepth: 0.2 } }),
  "label smoothing": () => ({ training: { labelSmoothing: 0.1 } }),
  mixup: () => ({ training: { mix: new vision.MixUp({ alpha: 0.2, ...classes }) } }),
  cutmix: () => ({ training: { mix: new vision.CutMix({ alpha: 1, ...classes }) } }),
  "flips and crops": () => ({ training: { augment: moved() } }),
};

interface Row {
  readonly name: string;
  readonly train: number;
  readonly test: number;
  readonly course: readonly Point[];
}

/** Few pictures, so that a network can learn them by heart. */
const examples = 10_000;

const accuracyOn = async (model: nn.Layer, part: Part): Promise<number> =>
  (await evaluate(model, inOrder(part), { metrics: { accuracy } })).accuracy!;

function table(rows: readonly Row[]): string[] {
  const widest = Math.max(...rows.map(({ name }) => name.length));
  const line = (name: string, ...cells: readonly string[]) =>
    [name.padEnd(widest), ...cells.map((cell) => cell.padStart(9))].join("");
  return [
    line("", "training", "test", "gap"),
    ...rows.map(({ name, train, test }) =>
      line(name, percent(train), percent(test), percent(train - test)),
    ),
  ];
}

export const regularisers: Lab = async (options) => {
  const { short, log } = options;
  const { train: all, test, classNames } = await loadCifar(options);
  const parts = { train: head(all, examples), test, classNames };
  const rows: Row[] = [];
  for (const [name, make] of Object.entries(means)) {
    manualSeed(1);
    const { network, training } = make();
    log?.(`With ${name}:`);
    const { model, history, accuracy } = await trainPictureNetwork(
      new ResNet10(short ? 4 : 16, network),
      parts,
      {
        ...{ epochs: short ? 1 : 15, batchSize: short ? 32 : 128, maxLr: 0.1 },
        ...{ weightDecay: 5e-4, labelSmoothing: 0, ...training },
      },
      options,
    );
    const course = history.map(({ epoch, validation }): Point => [epoch, validation!.accuracy!]);
    const train = await accuracyOn(model, head(parts.train, 5000));
    rows.push({ name, train, test: accuracy, course });
  }
  for (const line of table(rows)) log?.(line);
  savePanels(
    options,
    "regularisers",
    [
      {
        ...{ title: "Accuracy on test pictures", xLabel: "epoch", wholeX: true, percent: true },
        lines: rows.map(({ name, course }) => ({ name, points: course })),
      },
    ],
    { title: "One means against overfitting at a time" },
  );
  const [plain, first] = [rows[0]!, best(rows, ({ test }) => test)];
  return {
    measures: Object.fromEntries(rows.map(({ name, test }) => [name, test])),
    sentence:
      `With ${first.name} the network gets ${percent(first.test)} of the test pictures right, without any means ` +
      `${percent(plain.test)} (and ${percent(plain.train)} of those it learned from).`,
  };
};

if (process.argv[1] === import.meta.filename) await main(regularisers);
