/** Regularisation on few examples: a convolutional network that could learn its training pictures by heart, and what keeps it from that. */
import { manualSeed, nn, optim, type Tensor, vision } from "gradus";
import { classifierAccuracy } from "gradus/linear";
import { labelsOf, loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, type LabOptions, main, percent } from "../lab.js";
import { best, type Followed, follow, type Pair, type Point } from "../training.js";

interface Means {
  readonly dropout?: number;
  readonly batchNorm?: boolean;
  readonly weightDecay?: number;
  readonly labelSmoothing?: number;
  readonly augment?: boolean;
}

const methods: Record<string, Means> = {
  nothing: {},
  "weight decay": { weightDecay: 0.5 },
  dropout: { dropout: 0.5 },
  "batch norm": { batchNorm: true },
  "label smoothing": { labelSmoothing: 0.1 },
  augmentation: { augment: true },
  "all together": {
    ...{ weightDecay: 0.05, dropout: 0.25, batchNorm: true, labelSmoothing: 0.1, augment: true },
  },
};

/** Small turns, moves and changes of size, drawn anew for each picture in each step. */
class Augmented extends nn.Layer {
  readonly network: nn.Layer;
  private readonly change = new vision.RandomAffine(12, {
    translate: [0.08, 0.08],
    scale: [0.9, 1.1],
    interpolation: "bilinear",
  });

  constructor(network: nn.Layer) {
    super();
    this.network = network;
  }

  forward(x: Tensor): Tensor {
    return this.network.forward(this.training ? this.change.forward(x) : x);
  }
}

function build({ dropout, batchNorm, augment }: Means): nn.Layer {
  manualSeed(3);
  const block = (from: number, to: number): nn.Layer[] => [
    new nn.Conv2d(from, to, 3, { padding: 1 }),
    ...(batchNorm ? [new nn.BatchNorm2d(to)] : []),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
  ];
  const drop = dropout ? [new nn.Dropout(dropout)] : [];
  const network = new nn.Sequential(
    ...block(1, 16),
    ...block(16, 32),
    new nn.Flatten(),
    ...drop,
    new nn.Linear(32 * 7 * 7, 128),
    new nn.ReLU(),
    ...drop,
    new nn.Linear(128, 10),
  );
  return augment ? new Augmented(network) : network;
}

interface Result {
  readonly name: string;
  readonly course: Followed;
  /** Accuracy in evaluation on the training pictures and on the test pictures. */
  readonly train: number;
  readonly test: number;
}

/** Accuracy without the noise of training. */
async function evaluateOn(model: nn.Layer, [x, y]: Pair): Promise<number> {
  model.eval();
  return classifierAccuracy(model, x, y);
}

async function learn(name: string, train: Pair, test: Pair, options: LabOptions): Promise<Result> {
  const means = methods[name]!;
  const model = build(means);
  const { labelSmoothing = 0, weightDecay = 0 } = means;
  const course = await follow(
    model,
    {
      ...{ train, test, epochs: options.short ? 2 : 40, batchSize: 50 },
      optimizer: (parameters) => new optim.AdamW(parameters, { lr: 1e-3, weightDecay }),
      loss: (scores, labels) => nn.functional.crossEntropy(scores, labels, { labelSmoothing }),
    },
    options,
  );
  const [seen, unseen] = [await evaluateOn(model, train), await evaluateOn(model, test)];
  options.log?.(`${name}: ${percent(seen)} of training, ${percent(unseen)} of test pictures`);
  return { name, course, train: seen, test: unseen };
}

export const regularisation: Lab = async (options) => {
  const parts = await loadPictures(options, { train: options.short ? 200 : 500, test: 1000 });
  const pictures = ({ images }: { images: Tensor }) =>
    vision.functional.toFloat(images.unsqueeze(1));
  const train: Pair = [pictures(parts.train), labelsOf(parts.train)];
  const test: Pair = [pictures(parts.test), labelsOf(parts.test)];
  const results: Result[] = [];
  for (const name of Object.keys(methods)) {
    options.signal?.throwIfAborted();
    results.push(await learn(name, train, test, options));
  }
  const bars = (value: (result: Result) => number): Point[] =>
    results.map((result, i) => [i + 1, value(result)]);
  savePanels(
    options,
    "regularisation",
    [
      {
        ...{ title: "Accuracy on test pictures", xLabel: "epoch", percent: true, wholeX: true },
        lines: results.map(({ name, course }) => ({ name, points: course.accuracies })),
      },
      {
        ...{ title: "Training loss, with the noise of training", xLabel: "step", yKind: "log" },
        lines: results.map(({ name, course }) => ({ name, points: course.losses })),
      },
      {
        ...{
          title: "Accuracy at the end",
          xLabel: results.map(({ name }, i) => `${i + 1} ${name}`).join(", "),
        },
        ...{ percent: true, wholeX: true },
        lines: [
          { name: "training pictures", points: bars((result) => result.train), dots: true },
          { name: "test pictures", points: bars((result) => result.test), dots: true },
        ],
      },
    ],
    {
      ...{ title: "Regularisation", width: 660, height: 420 },
      subtitle: `${parts.train.labels.size} training pictures`,
    },
  );
  const plain = results[0]!;
  const top = best(results.slice(1), ({ test: share }) => share);
  const better = results.slice(1).filter(({ test: share }) => share > plain.test);
  const listed = better.map(({ name, test: share }) => `${name} ${percent(share)}`).join(", ");
  return {
    measures: {
      ...{ plainTrain: plain.train, plainTest: plain.test, best: top.test, bestTrain: top.train },
      better: better.length,
    },
    sentence:
      `On ${parts.train.labels.size} training pictures the network without regularisation gets ${percent(plain.train)} of them and ${percent(plain.test)} of the test pictures right; ` +
      `${better.length > 0 ? `better are ${listed}` : "no method does better"}, and ${top.name} takes the gap between them from ${((plain.train - plain.test) * 100).toFixed(1)} to ${((top.train - top.test) * 100).toFixed(1)} points.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(regularisation);
