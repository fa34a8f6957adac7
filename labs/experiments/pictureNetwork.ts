/** Training of a convolutional network on uint8 pictures: augmentation, loss and update are one compiled program. And what came of it, drawn. */
import { data, nn, optim, type Tensor, vision } from "gradus";
import {
  accuracy,
  type BatchTransform,
  type EpochSummary,
  fit,
  mistakesPicture,
  predict,
  scheduler,
  type TrainEvent,
} from "gradus/train";
import type { Part, Parts } from "../data/pictures.js";
import { savePanels, savePicture } from "../drawing.js";
import type { LabOptions } from "../lab.js";
import { judge } from "../outcome.js";

export interface PictureTraining {
  readonly epochs: number;
  readonly batchSize: number;
  /** The highest rate of the one cycle. */
  readonly maxLr: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  /** Decides the order of the pictures; default 1. */
  readonly seed?: number;
  /** Changes float pictures [B, C, H, W] at random. */
  readonly augment?: vision.Transform;
  /** Mixes pictures of a batch, and their labels. */
  readonly mix?: vision.MixUp | vision.CutMix;
}

export interface TrainedPictures {
  /** From bytes to scores. */
  readonly model: nn.Layer;
  readonly history: readonly EpochSummary[];
  /** The share of the test pictures that are read right after the last epoch. */
  readonly accuracy: number;
}

/** Bytes [B, H, W] or [B, C, H, W] as floats [B, C, H, W] from 0 to 1; pictures that are floats already stay as they are. */
const floats = (pictures: Tensor): Tensor => {
  if (pictures.dtype === "float32") return pictures;
  return vision.functional.toFloat(pictures.ndim === 3 ? pictures.unsqueeze(1) : pictures);
};

/** So many pictures tell mean and deviation well enough. */
const sampled = 5000;

function channelStatistics(images: Tensor): { readonly mean: number[]; readonly std: number[] } {
  const x = floats(images.narrow(0, 0, Math.min(sampled, images.shape[0]!)));
  const numbers = (values: Tensor) => Array.from(values.data);
  return { mean: numbers(x.mean([0, 2, 3])), std: numbers(x.std([0, 2, 3])) };
}

/** From bytes to scores: pictures are changed while it trains, and normalised. */
class PictureNetwork extends nn.Layer {
  readonly network: nn.Layer;
  private readonly change: (x: Tensor) => Tensor;
  private readonly normalize: (x: Tensor) => Tensor;

  constructor(network: nn.Layer, augment: vision.Transform | undefined, images: Tensor) {
    super();
    const { mean, std } = channelStatistics(images);
    this.network = network;
    this.change = (x) => augment?.forward(x) ?? x;
    this.normalize = (x) => vision.functional.normalize(x, mean, std);
  }

  forward(bytes: Tensor): Tensor {
    const x = floats(bytes);
    return this.network.forward(this.normalize(this.training ? this.change(x) : x));
  }
}

/** Pictures mixed as floats, labels as shares of the classes. */
function mixing(mix: vision.MixUp | vision.CutMix): BatchTransform {
  return (bytes, classes) => {
    const { images, labels } = mix.forward(floats(bytes!), classes!);
    return [images, labels];
  };
}

/** Says a few times an epoch how it goes. */
function reporter(log: (line: string) => void): (event: TrainEvent) => void {
  return (event) => {
    if (event.type === "step" && event.batch % 50 === 0) {
      const { epoch, batch, batches, running, examplesPerSecond: speed, secondsLeft } = event;
      const left = secondsLeft === null ? "" : `, ${Math.round(secondsLeft)} s left`;
      const rate = speed === null ? "" : `, ${Math.round(speed)} pictures/s`;
      log(`  epoch ${epoch}, ${batch}/${batches}: loss ${running.loss.toFixed(4)}${rate}${left}`);
    }
    if (event.type === "epoch") {
      const { epoch, train, validation, seconds } = event;
      const right = `${(100 * (validation?.accuracy ?? 0)).toFixed(2)}%`;
      log(`epoch ${epoch}: loss ${train.loss.toFixed(4)}, test ${right}, ${seconds.toFixed(1)} s`);
    }
  };
}

/** Pictures to measure with. */
export const inOrder = ({ images, labels }: Part) =>
  new data.DataLoader(new data.TensorDataset(images, labels), { batchSize: 250 });

/** Trains a network from pictures [B, C, H, W] to scores, and measures it on the test pictures after each epoch. */
export async function trainPictureNetwork(
  network: nn.Layer,
  { train, test }: Parts,
  training: PictureTraining,
  { log = () => {}, signal }: LabOptions,
): Promise<TrainedPictures> {
  const {
    epochs,
    batchSize,
    maxLr,
    weightDecay,
    labelSmoothing,
    augment,
    mix,
    seed = 1,
  } = training;
  const model = new PictureNetwork(network, augment, train.images);
  const settings = { lr: maxLr, momentum: 0.9, nesterov: true };
  const all = model.parameters();
  const optimizer = new optim.SGD(
    [
      { params: all.filter((p) => p.ndim > 1), weightDecay },
      { params: all.filter((p) => p.ndim <= 1) },
    ],
    settings,
  );
  log(`${all.reduce((sum, p) => sum + p.size, 0)} parameters, ${epochs} epochs`);
  const { status, history } = await fit(model, {
    optimizer,
    train: new data.DataLoader(new data.TensorDataset(train.images, train.labels), {
      ...{ batchSize, shuffle: true, dropLast: true, seed },
    }),
    validation: inOrder(test),
    epochs,
    schedule: scheduler(
      (o, totalSteps) => new optim.lrScheduler.OneCycleLR(o, { maxLr, totalSteps, pctStart: 0.25 }),
    ),
    loss: (scores, labels) => nn.functional.crossEntropy(scores, labels, { labelSmoothing }),
    metrics: { accuracy },
    onEvent: reporter(log),
    ...(mix && { batchTransform: mixing(mix) }),
    ...(signal && { signal }),
  });
  if (status === "stopped") signal?.throwIfAborted();
  return { model, history, accuracy: history.at(-1)!.validation!.accuracy! };
}

/** Draws the curves, what was taken for what, and the pictures that it was surest of and got wrong. */
export async function drawOutcome(
  options: LabOptions,
  { model, history }: TrainedPictures,
  { test, classNames }: Parts,
  title: string,
): Promise<void> {
  if (options.out === undefined) return;
  const line = (name: string, value: (epoch: EpochSummary) => number) => ({
    name,
    points: history.map((epoch) => [epoch.epoch, value(epoch)] as const),
  });
  const loss = [
    line("training", ({ train }) => train.loss),
    line("test", ({ validation }) => validation!.loss),
  ];
  const right = [
    line("training", ({ train }) => train.accuracy!),
    line("test", ({ validation }) => validation!.accuracy!),
  ];
  savePanels(
    options,
    "curves",
    [
      { title: "Loss", xLabel: "epoch", wholeX: true, lines: loss },
      { title: "Accuracy", xLabel: "epoch", wholeX: true, percent: true, lines: right },
    ],
    {
      title,
      subtitle: "Training pictures are measured while they are learned, as they are changed",
    },
  );
  const { outputs } = await predict(model, inOrder(test));
  const { values, indices } = outputs.softmax(1).max(1);
  judge(options, { predicted: indices, labels: test.labels, classNames, title });
  const [predictions, confidences] = [indices.data, values.data];
  const seen = { images: test.images, labels: test.labels.data, predictions, confidences };
  await savePicture(options, "mistakes", mistakesPicture({ ...seen, classNames, title }));
}
