/**
 * Batch norm: it lets a network learn at higher rates, is another function in training (where a picture's scores depend on its batch)
 * than in evaluation, suffers from small batches, and is part of the layer before it in the end.
 */
import { cat, manualSeed, nn, noGrad, optim, type Tensor } from "gradus";
import { cosineSchedule } from "gradus/train";
import { flatten, labelsOf, loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, type LabOptions, main, percent } from "../lab.js";
import { best, type Followed, follow, type Pair, type Point } from "../training.js";

const [depth, width] = [6, 100];

function network(normalised: boolean): nn.Sequential {
  manualSeed(2);
  const layers = Array.from({ length: depth }, (_, i) => [
    new nn.Linear(i === 0 ? 784 : width, width),
    ...(normalised ? [new nn.BatchNorm1d(width)] : []),
    new nn.ReLU(),
  ]).flat();
  const model = new nn.Sequential(...layers, new nn.Linear(width, 10));
  for (const layer of model)
    if (layer instanceof nn.Linear) nn.init.kaimingNormal(layer.weight, { nonlinearity: "relu" });
  return model;
}

interface Data {
  readonly train: Pair;
  readonly test: Pair;
}

const learn = (
  model: nn.Layer,
  data: Data,
  lr: number,
  epochs: number,
  batchSize: number,
  options: LabOptions,
): Promise<Followed> => {
  const optimizer = (parameters: readonly Tensor[]) => new optim.SGD(parameters, { lr });
  const course = { ...data, epochs, batchSize, optimizer, schedule: cosineSchedule() };
  return follow(model, course, options);
};

/** How far the scores of one picture lie apart when the others in its batch change. */
function spreadOverBatches(model: nn.Layer, [x]: Pair): number {
  const others = 31;
  const batches = Math.min(20, Math.floor((x.shape[0]! - 1) / others));
  const first = x.narrow(0, 0, 1);
  const scores = Array.from({ length: batches }, (_, i) => {
    const batch = cat([first, x.narrow(0, 1 + i * others, others)]);
    return noGrad(() => model.forward(batch).narrow(0, 0, 1));
  });
  const all = cat(scores);
  return all.amax(0).sub(all.amin(0)).amax().item();
}

/** Accuracy in batches of a size, by each batch's own statistics and by the running ones. */
function accuracies(model: nn.Layer, [x, y]: Pair, size: number) {
  const count = Math.floor(y.size / size) * size;
  const rightBy = (network: nn.Layer): number => {
    let right = 0;
    for (let from = 0; from < count; from += size) {
      const scores = noGrad(() => network.forward(x.narrow(0, from, size)));
      right += scores
        .argmax(1)
        .eq(y.narrow(0, from, size))
        .sum()
        .item();
    }
    return right / count;
  };
  const training = rightBy(nn.utils.cloneModule(model).train());
  return { training, test: rightBy(model.eval()) };
}

async function sweepRates(data: Data, options: LabOptions) {
  const rates = options.short ? [0.1, 1] : [0.01, 0.03, 0.1, 0.3, 1, 3];
  const found: { normalised: boolean; lr: number; accuracy: number; course: Followed }[] = [];
  for (const normalised of [false, true])
    for (const lr of rates) {
      const epochs = options.short ? 1 : 4;
      const course = await learn(network(normalised), data, lr, epochs, 64, options);
      const accuracy = course.diverged ? 0.1 : (course.last?.validation?.accuracy ?? 0.1);
      found.push({ normalised, lr, accuracy, course });
      options.log?.(`${normalised ? "with" : "without"}, rate ${lr}: ${percent(accuracy)}`);
    }
  return found;
}

export const batchNorm: Lab = async (options) => {
  const { short = false, log = () => {} } = options;
  const parts = await loadPictures(options, { train: 5000, test: 2000 });
  const [x, testX] = flatten(parts);
  const data: Data = { train: [x, labelsOf(parts.train)], test: [testX, labelsOf(parts.test)] };
  const rates = await sweepRates(data, options);
  const small = {
    train: data.train.map((t) => t.narrow(0, 0, short ? 400 : 2000)) as [Tensor, Tensor],
    test: data.test,
  };
  const sizes: { size: number; training: number; test: number }[] = [];
  for (const size of short ? [4, 32] : [2, 4, 8, 16, 64]) {
    const model = network(true);
    // The rate in proportion to the batch, so that an epoch goes about as far.
    await learn(model, small, 0.005 * size, short ? 1 : 4, size, options);
    sizes.push({ size, ...accuracies(model, data.test, size) });
    log(`batches of ${size}: ${percent(sizes.at(-1)!.test)} of the test pictures`);
  }
  const model = network(true);
  await learn(model, data, 0.1, short ? 1 : 3, 64, options);
  const spread = {
    // A clone, since in training the running statistics would take these batches in.
    training: spreadOverBatches(nn.utils.cloneModule(model).train(), data.test),
    evaluation: spreadOverBatches(model.eval(), data.test),
  };
  const folded = nn.utils.foldBatchNorm(model);
  const [whole, parted] = [folded, model].map((net) => noGrad(() => net.forward(testX)));
  const apart = whole!.sub(parted!).abs().amax().item();
  const line = (normalised: boolean): Point[] =>
    rates
      .filter((at) => at.normalised === normalised)
      .map((at) => [Math.log10(at.lr), at.accuracy]);
  const top = (normalised: boolean) =>
    best(
      rates.filter((at) => at.normalised === normalised),
      ({ accuracy }) => accuracy,
    );
  const [without, with_] = [top(false), top(true)];
  savePanels(
    options,
    "batch-norm",
    [
      {
        ...{ title: "Test accuracy by learning rate", xLabel: "log10 of the rate", percent: true },
        lines: [
          { name: "without batch norm", points: line(false), dots: true },
          { name: "with batch norm", points: line(true), dots: true },
        ],
      },
      {
        ...{ title: "Loss at the best rate of each", xLabel: "step" },
        lines: [
          { name: `without, ${without.lr}`, points: without.course.losses },
          { name: `with, ${with_.lr}`, points: with_.course.losses },
        ],
      },
      {
        ...{
          title: "Test accuracy by batch size",
          xLabel: "log2 of the batch size",
          percent: true,
        },
        lines: [
          {
            ...{ name: "by each batch's own statistics (training)", dots: true },
            points: sizes.map(({ size, training }) => [Math.log2(size), training]),
          },
          {
            ...{ name: "by the running ones (evaluation)", dots: true },
            points: sizes.map(({ size, test }) => [Math.log2(size), test]),
          },
        ],
      },
    ],
    { title: "Batch norm" },
  );
  const count = (normalised: boolean) =>
    rates.filter((at) => at.normalised === normalised && at.accuracy > 0.9).length;
  return {
    measures: {
      ...{ without: without.accuracy, with: with_.accuracy, spreadTraining: spread.training },
      ...{ spreadEvaluation: spread.evaluation, folded: apart, smallest: sizes[0]!.test },
      ...{ usableWithout: count(false), usableWith: count(true) },
    },
    sentence:
      `Without batch norm the network gets over 90% at ${count(false)} of ${rates.length / 2} learning rates, with it at ${count(true)} (best: ${percent(without.accuracy)} and ${percent(with_.accuracy)}); ` +
      `one picture's scores move by ${spread.training.toFixed(2)} with the batch around it in training and by ${spread.evaluation.toFixed(2)} in evaluation; ` +
      `trained in batches of ${sizes[0]!.size} it gets ${percent(sizes[0]!.test)} in evaluation and ${percent(sizes[0]!.training)} by its batches' own statistics, in batches of ${sizes.at(-1)!.size} ${percent(sizes.at(-1)!.test)} and ${percent(sizes.at(-1)!.training)}; folded into the layers before, it gives the same scores to ${apart.toExponential(0)}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(batchNorm);
