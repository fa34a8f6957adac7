/**
 * Runs for the doctor to read: each fault planted in several ways, and healthy runs of many kinds. bench/doctor.ts counts what is found;
 * tests take some of them.
 */
import { data, nn, optim, type Tensor, vision } from "../../src/index.js";
import type { Experiment, SymptomName } from "../../src/train/index.js";
import { makeExperiment, type Net, type Plan, size, type World } from "./doctorNets.js";

const { functional: F } = nn;

export interface DoctorCase {
  readonly name: string;
  /** What it must be called, one of these as a problem; none for a healthy run. */
  readonly expected: readonly SymptomName[];
  readonly make: (world: World) => Experiment;
}

const weightsOf = (net: nn.Module): Tensor[] =>
  [...net.namedParameters()].flatMap(([name, p]) =>
    name.endsWith("weight") && p.ndim > 1 ? [p] : [],
  );

const scaled = (factor: number) => (net: Net) => {
  for (const w of weightsOf(net)) w.assign(w.mul(factor));
};

/** The second layer with weights. */
function secondLayer(net: Net): nn.Module {
  const layers = [...net.body.namedModules()].flatMap(([, one]) =>
    one instanceof nn.Linear || one instanceof nn.Conv2d ? [one] : [],
  );
  return layers[1]!;
}

const biasesOf = (net: Net): Tensor[] =>
  [...net.body.namedParameters()].flatMap(([name, p]) => (name.endsWith("bias") ? [p] : []));

const permuted = (labels: Int32Array, seed: number): Int32Array => {
  const order = data.permutation(labels.length, seed + 7);
  return labels.map((_, i) => labels[order[i]!]!);
};

const sgd =
  (lr: number, momentum = 0.9) =>
  (net: Net) =>
    new optim.SGD(net.parameters(), { lr, momentum });

const raw = (pixels: Float32Array): void => void pixels;

type Row = readonly [name: string, expected: readonly SymptomName[], plan: Plan];

const faultRows: readonly Row[] = [
  ["wrong init: weights × 8", ["initialLoss"], { start: scaled(8) }],
  [
    "wrong init: normal(0, 1)",
    ["initialLoss"],
    {
      start: (net) => {
        for (const w of weightsOf(net)) nn.init.normal(w, 0, 1);
      },
    },
  ],
  [
    "wrong init: all zeros",
    ["symmetricWeights"],
    {
      start: (net) => {
        for (const p of net.parameters()) nn.init.zeros(p);
      },
    },
  ],
  ["rate too high: AdamW 1", ["rateTooHigh"], { lr: 1 }],
  ["rate too high: AdamW 0.1", ["rateTooHigh"], { lr: 0.1 }],
  ["rate too high: SGD 10", ["rateTooHigh"], { optimizer: sgd(10, 0) }],
  ["rate too high: SGD 1, momentum", ["rateTooHigh"], { optimizer: sgd(1) }],
  ["rate too low: AdamW 1e-6", ["rateTooLow"], { lr: 1e-6 }],
  ["rate too low: SGD 1e-5", ["rateTooLow"], { optimizer: sgd(1e-5, 0) }],
  ["rate too low: SGD 1e-5, momentum", ["rateTooLow"], { optimizer: sgd(1e-5) }],
  ["shuffled labels", ["shuffledLabels"], { labels: permuted }],
  ["shuffled labels, 12 epochs", ["shuffledLabels"], { labels: permuted, epochs: 12 }],
  ["shuffled labels, SGD", ["shuffledLabels"], { labels: permuted, optimizer: sgd(0.02) }],
  ["no normalisation: 0 to 255", ["unnormalizedInput"], { inputs: raw }],
  ["no normalisation, batch norm", ["unnormalizedInput"], { inputs: raw, norm: "batch" }],
  [
    "no normalisation: ÷ 255²",
    ["unnormalizedInput"],
    {
      inputs: (pixels) => {
        for (let i = 0; i < pixels.length; i++) pixels[i] = pixels[i]! / 65025;
      },
    },
  ],
  [
    "dead ReLUs: biases −40",
    ["deadUnits"],
    {
      start: (net) => {
        for (const b of biasesOf(net)) b.assign(b.mul(0).sub(40));
      },
    },
  ],
  [
    "dead ReLUs: second layer",
    ["deadUnits"],
    {
      start: (net) => {
        const bias = secondLayer(net).namedParameters();
        for (const [name, p] of bias) if (name === "bias") p.assign(p.mul(0).sub(40));
      },
    },
  ],
  [
    "frozen: requiresGrad off",
    ["frozenLayer"],
    {
      start: (net) => {
        for (const p of secondLayer(net).parameters()) p.requiresGrad = false;
      },
    },
  ],
  [
    "frozen: not given to the optimizer",
    ["frozenLayer"],
    {
      optimizer: (net) => {
        const own = new Set(secondLayer(net).parameters());
        return new optim.AdamW(
          net.parameters().filter((p) => !own.has(p)),
          { lr: 2e-3 },
        );
      },
    },
  ],
  ["frozen: detached body", ["frozenLayer"], { planted: { cut: true } }],
  [
    "frozen: rate 0 in its group",
    ["frozenLayer"],
    {
      optimizer: (net) => {
        const own = new Set(secondLayer(net).parameters());
        const others = net.parameters().filter((p) => !own.has(p));
        return new optim.AdamW([{ params: others }, { params: [...own], lr: 0 }], { lr: 2e-3 });
      },
    },
  ],
  [
    "eval() in forward, dropout",
    ["evaluationMode"],
    { dropout: 0.2, planted: { prepare: (net) => void net.eval() } },
  ],
  [
    "eval() in forward, batch norm",
    ["evaluationMode"],
    { norm: "batch", planted: { prepare: (net) => void net.eval() } },
  ],
  [
    "saturated tanh: weights × 8",
    ["saturatedUnits", "initialLoss"],
    { activation: () => new nn.Tanh(), start: scaled(8) },
  ],
  [
    "NaN in the data",
    ["nan"],
    {
      inputs: (pixels, { mean: m, std }) => {
        for (let i = 0; i < pixels.length; i++) pixels[i] = (pixels[i]! - m) / std;
        pixels[size * 40 + 123] = Number.NaN;
      },
    },
  ],
];

const cosine = (done: number): number => 0.5 * (1 + Math.cos(Math.PI * done));
const warm = (done: number): number =>
  done < 0.2 ? done / 0.2 + 1e-3 : cosine((done - 0.2) / 0.8);

const mixUp = new vision.MixUp({ alpha: 0.2, numClasses: 10 });
const healthyRows: readonly (readonly [name: string, plan: Plan])[] = [
  ["AdamW", {}],
  ["Adam 1e-3", { optimizer: (net) => new optim.Adam(net.parameters(), { lr: 1e-3 }) }],
  [
    "Adam 3e-4, 8 epochs",
    { epochs: 8, optimizer: (net) => new optim.Adam(net.parameters(), { lr: 3e-4 }) },
  ],
  ["Adam 1e-2", { optimizer: (net) => new optim.Adam(net.parameters(), { lr: 1e-2 }) }],
  ["SGD, momentum 0.9", { optimizer: sgd(0.02) }],
  ["SGD, no momentum", { epochs: 8, optimizer: sgd(0.1, 0) }],
  ["RMSprop", { optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1e-3 }) }],
  ["Adagrad", { optimizer: (net) => new optim.Adagrad(net.parameters(), { lr: 1e-2 }) }],
  ["cosine schedule", { change: { schedule: cosine } }],
  ["warm-up and cosine", { optimizer: sgd(0.05), change: { schedule: warm } }],
  ["batch norm", { norm: "batch" }],
  ["batch norm, SGD 0.1", { norm: "batch", optimizer: sgd(0.1) }],
  ["layer or group norm", { norm: "layer" }],
  ["dropout 0.5", { dropout: 0.5 }],
  ["tanh", { activation: () => new nn.Tanh() }],
  ["sigmoid", { activation: () => new nn.Sigmoid(), epochs: 8, lr: 5e-3 }],
  ["GELU", { activation: () => new nn.GELU() }],
  ["leaky ReLU", { activation: () => new nn.LeakyReLU() }],
  [
    "label smoothing",
    {
      change: { loss: (output, target) => F.crossEntropy(output, target, { labelSmoothing: 0.1 }) },
    },
  ],
  [
    "mixup",
    {
      change: {
        batchTransform: (x, y) => {
          const { images, labels } = mixUp.forward(x!, y!);
          return [images, labels];
        },
      },
    },
  ],
  ["batches of 8", { batchSize: 8, epochs: 2, lr: 1e-3 }],
  ["batches of 256", { batchSize: 256, epochs: 12 }],
  [
    "clipped, weight decay 0.1",
    {
      change: { clip: { norm: 1 } },
      optimizer: (net) => new optim.AdamW(net.parameters(), { lr: 2e-3, weightDecay: 0.1 }),
    },
  ],
  ["2 classes", { classes: 2, labels: (labels) => labels.map((y) => y % 2) }],
  [
    "2 classes, 1 of 10 positive",
    { classes: 2, labels: (labels) => labels.map((y) => Number(y === 3)) },
  ],
  [
    "pixels from 0 to 1",
    {
      epochs: 8,
      inputs: (pixels) => {
        for (let i = 0; i < pixels.length; i++) pixels[i] = pixels[i]! / 255;
      },
    },
  ],
  ["100 outputs, 10 of them used", { classes: 100 }],
  [
    "regression, mean squared error",
    {
      classes: null,
      labels: (labels) => Float32Array.from(labels, (y) => (y - 4.5) / 2.9),
      change: { loss: F.mseLoss },
    },
  ],
  [
    "regression, targets from 0 to 900",
    {
      classes: null,
      epochs: 8,
      lr: 1e-2,
      labels: (labels) => Float32Array.from(labels, (y) => 100 * y),
      change: { loss: F.mseLoss },
    },
  ],
  [
    "a frozen body, a new head",
    {
      norm: "batch",
      lr: 1e-2,
      start: (net) => {
        for (const p of net.body.parameters()) p.requiresGrad = false;
      },
    },
  ],
  ["20 epochs, few examples", { epochs: 20, examples: 300 }],
];

export const faultCases: readonly DoctorCase[] = faultRows.map(([name, expected, plan]) => ({
  name,
  expected,
  make: (world) => makeExperiment(world, plan),
}));

export const healthyCases: readonly DoctorCase[] = healthyRows.map(([name, plan]) => ({
  name,
  expected: [],
  make: (world) => makeExperiment(world, plan),
}));
