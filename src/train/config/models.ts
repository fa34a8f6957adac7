/**
 * The models that a configuration can name, made for the data at hand. Read choices.ts for the form of a table, data.ts for
 * what is known of the data.
 */
import * as z from "zod";
import { ShapeError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import * as nn from "../../nn/index.js";
import { CifarResNet } from "../../vision/models/cifarResNet.js";
import { LeNet5 } from "../../vision/models/lenet.js";
import type { Model } from "../steps.js";
import { type Choices, choice, count, share } from "./choices.js";

/** What a model is made for. */
export interface ModelInfo {
  /** Of one example: [C, H, W] of pictures, [F] of rows of numbers. */
  readonly inputShape: readonly number[];
  /** How many numbers it gives for an example: the classes, or the targets. */
  readonly outputs: number;
}

export const activations = {
  elu: () => new nn.ELU(),
  gelu: () => new nn.GELU(),
  identity: () => new nn.Identity(),
  leakyRelu: () => new nn.LeakyReLU(),
  mish: () => new nn.Mish(),
  relu: () => new nn.ReLU(),
  selu: () => new nn.SELU(),
  sigmoid: () => new nn.Sigmoid(),
  silu: () => new nn.SiLU(),
  tanh: () => new nn.Tanh(),
} as const;

type Activation = keyof typeof activations;
const names = <T extends object>(table: T) =>
  Object.keys(table) as [string & keyof T, ...(string & keyof T)[]];

const nonlinearity = { nonlinearity: "relu" } as const;

/** How weights begin; biases are 0 then. `default` leaves them as PyTorch's layers have them. */
const inits = {
  default: undefined,
  kaimingNormal: (w: nn.Parameter) => nn.init.kaimingNormal(w, nonlinearity),
  kaimingUniform: (w: nn.Parameter) => nn.init.kaimingUniform(w, nonlinearity),
  lecunNormal: (w: nn.Parameter) => nn.init.lecunNormal(w),
  normal: (w: nn.Parameter, std: number) => nn.init.normal(w, 0, std),
  orthogonal: (w: nn.Parameter) => nn.init.orthogonal(w),
  xavierNormal: (w: nn.Parameter) => nn.init.xavierNormal(w),
  xavierUniform: (w: nn.Parameter) => nn.init.xavierUniform(w),
  zeros: (w: nn.Parameter) => nn.init.zeros(w),
} as const;

const usual = {
  activation: z.enum(names(activations)).default("relu"),
  dropout: share().default(0).describe("share of values that is dropped"),
  init: z.enum(names(inits)).default("default").describe("how weights begin"),
  initStd: z.number().min(0).default(0.01).describe("standard deviation of init `normal`"),
};

interface Init {
  readonly init: keyof typeof inits;
  readonly initStd: number;
}

/** Draws the weights of all linear and convolutional layers. */
function initialize<M extends nn.Module>(model: M, { init, initStd }: Init): M {
  const draw = inits[init];
  if (!draw) return model;
  for (const module of model.modules()) {
    if (!(module instanceof nn.Linear || module instanceof nn.Conv2d)) continue;
    draw(module.weight, initStd);
    if (module.bias) nn.init.zeros(module.bias);
  }
  return model;
}

const norms = ["none", "batch", "layer"] as const;

const dropping = (p: number): nn.Layer[] => (p > 0 ? [new nn.Dropout(p)] : []);

const mlp = choice(
  "linear layers, one after another, with an activation between",
  {
    hidden: z.array(count()).max(1000).default([128]).describe("widths of the hidden layers"),
    norm: z.enum(norms).default("none").describe("between a hidden layer and its activation"),
    ...usual,
  },
  ({ hidden, norm, activation, dropout, ...init }, { inputShape, outputs }: ModelInfo): Model => {
    const layers: nn.Layer[] = inputShape.length > 1 ? [new nn.Flatten()] : [];
    let width = inputShape.reduce((product, n) => product * n, 1);
    for (const next of hidden) {
      layers.push(new nn.Linear(width, next, { bias: norm !== "batch" }));
      if (norm === "batch") layers.push(new nn.BatchNorm1d(next));
      if (norm === "layer") layers.push(new nn.LayerNorm(next));
      layers.push(activations[activation as Activation](), ...dropping(dropout));
      width = next;
    }
    layers.push(new nn.Linear(width, outputs));
    return initialize(new nn.Sequential(...layers), init);
  },
);

function pictureShape(model: string, shape: readonly number[]): readonly [number, number, number] {
  if (shape.length === 3) return shape as readonly [number, number, number];
  throw new ShapeError(model, `examples are ${formatShape(shape)}; it takes pictures [C, H, W]`);
}

const cnn = choice(
  "stages of convolutions, each halved by max pooling; then one linear layer",
  {
    channels: z.array(count()).min(1).max(10).default([32, 64]).describe("of each stage"),
    convolutions: count().max(10).default(1).describe("convolutions in a stage"),
    kernelSize: z.union([z.literal(1), z.literal(3), z.literal(5), z.literal(7)]).default(3),
    batchNorm: z.boolean().default(true),
    head: z
      .enum(["flatten", "average"])
      .default("flatten")
      .describe("what the last layer sees: all places, or their mean"),
    ...usual,
  },
  (options, { inputShape, outputs }: ModelInfo): Model => {
    const { channels, convolutions, kernelSize, batchNorm, head, activation, dropout } = options;
    let [from, height, width] = pictureShape("cnn", inputShape);
    const layers: nn.Layer[] = [];
    for (const to of channels) {
      if (Math.min(height, width) < 2)
        throw new ShapeError(
          "cnn",
          `${channels.length} stages halve pictures of ${inputShape[1]} × ${inputShape[2]} to nothing`,
        );
      for (let i = 0; i < convolutions; i++, from = to) {
        const shape = { padding: kernelSize >> 1, bias: !batchNorm };
        layers.push(new nn.Conv2d(from, to, kernelSize, shape));
        if (batchNorm) layers.push(new nn.BatchNorm2d(to));
        layers.push(activations[activation as Activation]());
      }
      layers.push(new nn.MaxPool2d(2));
      [height, width] = [height >> 1, width >> 1];
    }
    if (head === "average") layers.push(new nn.AdaptiveAvgPool2d(1));
    layers.push(new nn.Flatten(), ...dropping(dropout));
    layers.push(new nn.Linear(head === "average" ? from : from * height * width, outputs));
    return initialize(new nn.Sequential(...layers), options);
  },
);

const lenet = choice(
  "LeNet-5 (LeCun et al., 1998), for pictures of 28 × 28 pixels",
  {},
  (_, { inputShape, outputs }: ModelInfo): Model => {
    const [channels, height, width] = pictureShape("lenet", inputShape);
    if (height !== 28 || width !== 28)
      throw new ShapeError("lenet", `pictures are ${height} × ${width}; LeNet-5 takes 28 × 28`);
    return new LeNet5({ classes: outputs, channels });
  },
);

const resnet = choice(
  "a residual network for small pictures (He et al., 2015, section 4.2)",
  {
    depth: z
      .int()
      .refine((n) => n >= 8 && n % 6 === 2, "6n + 2")
      .default(20)
      .describe("layers with weights, 6n + 2: 8, 14, 20 …"),
    width: count().max(10_000).default(16).describe("channels of the first stage"),
  },
  ({ depth, width }, { inputShape, outputs }: ModelInfo): Model => {
    const [channels] = pictureShape("resnet", inputShape);
    return new CifarResNet({ classes: outputs, channels, depth, width });
  },
);

export const models = { cnn, lenet, mlp, resnet } satisfies Choices<ModelInfo, Model>;
