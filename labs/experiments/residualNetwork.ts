/** CIFAR-10 by a narrow residual network (He et al., 2015), trained on flipped and moved pictures. */
import { nn, type Tensor, vision } from "gradus";
import { loadCifar } from "../data/cifar.js";
import { type Lab, main, percent } from "../lab.js";
import { drawOutcome, trainPictureNetwork } from "./pictureNetwork.js";

export interface ResidualOptions {
  /** The share of examples for which the last block is left out while training; earlier blocks less often. Default 0. */
  readonly stochasticDepth?: number;
  /** The share of features that are dropped before the last layer. Default 0. */
  readonly dropout?: number;
}

/** x: [B, 3, 32, 32] → scores [B, 10]: ten layers with weights, `width` channels before the first halving. */
export class ResNet10 extends nn.Layer {
  readonly stem: nn.Sequential;
  readonly blocks: nn.Sequential;
  readonly dropout: nn.Dropout;
  readonly fc: nn.Linear;

  constructor(width: number, { stochasticDepth = 0, dropout = 0 }: ResidualOptions = {}) {
    super();
    this.stem = new nn.Sequential(
      new nn.Conv2d(3, width, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(width),
      new nn.ReLU(),
    );
    const block = (from: number, to: number, stride: number, depth: number) =>
      new vision.BasicBlock(from, to, { stride, stochasticDepth: (stochasticDepth * depth) / 4 });
    this.blocks = new nn.Sequential(
      block(width, width, 1, 1),
      block(width, 2 * width, 2, 2),
      block(2 * width, 4 * width, 2, 3),
      block(4 * width, 8 * width, 2, 4),
    );
    this.dropout = new nn.Dropout(dropout);
    this.fc = new nn.Linear(8 * width, 10);
  }

  forward(x: Tensor): Tensor {
    const features = this.blocks.forward(this.stem.forward(x)).mean([2, 3]);
    return this.fc.forward(this.dropout.forward(features));
  }
}

export const residualNetwork: Lab = async (options) => {
  const parts = await loadCifar(options);
  const trained = await trainPictureNetwork(
    new ResNet10(options.short ? 8 : 32),
    parts,
    {
      epochs: options.short ? 2 : 5,
      batchSize: options.short ? 32 : 128,
      maxLr: 0.2,
      weightDecay: 5e-4,
      labelSmoothing: 0.1,
      augment: new vision.Compose(
        new vision.RandomHorizontalFlip(),
        new vision.RandomCrop(32, { padding: 4 }),
      ),
    },
    options,
  );
  await drawOutcome(options, trained, parts, "Residual network of ten layers");
  const { accuracy } = trained;
  return {
    measures: { accuracy },
    sentence: `A residual network of ten layers gets ${percent(accuracy)} of CIFAR-10's test pictures right.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(residualNetwork);
