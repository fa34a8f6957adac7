/** Training steps: zero_grad, forward, loss, backward, step, item, on data that stays. Read kernels.ts next. */
import { compile, nn, optim, randn, type Tensor, tensor } from "gradus";
import { type Mode, need, type Prepared, type Start, type Workload } from "./contract.js";
import { convCost, type LayerCost, linearCost, type StepShape, stepCost } from "./cost.js";
import { CharLSTM, GPT, type GPTSizes, lenet, mlp, resnet18Cifar, resnetBlocks } from "./models.js";

const { functional: F } = nn;

const sizeOf = (x: Tensor): number => x.shape.reduce((a, b) => a * b, 1);

export interface TrainingOptions {
  readonly name: string;
  readonly what: string;
  readonly model: () => nn.Layer;
  readonly optimizer: (parameters: nn.Parameter[]) => optim.Optimizer;
  readonly data: () => readonly [Tensor, Tensor];
  readonly shape: Omit<StepShape, "parameters">;
  readonly tolerance?: number;
}

/** How many losses must be the same on both sides. */
const checkedSteps = 3;

/** crossEntropy of scores [B, C], or of [B, T, C] as B·T rows. */
function lossOf(scores: Tensor, labels: Tensor): Tensor {
  if (scores.ndim === 2) return F.crossEntropy(scores, labels);
  return F.crossEntropy(scores.reshape([-1, scores.shape[2]!]), labels.reshape([-1]));
}

function makeStep(
  model: nn.Layer,
  optimizer: optim.Optimizer,
  [x, y]: readonly [Tensor, Tensor],
  mode: Mode,
): () => Promise<number> {
  const step = (inputs: Tensor, labels: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = lossOf(model.forward(inputs), labels);
    loss.backward();
    optimizer.step();
    return loss;
  };
  if (mode === "eager") return async () => step(x, y).item();
  const compiled = compile(step);
  return async () => (await compiled(x, y)).item();
}

/** Takes a model's part out of a start. Counts of batches come as any integer type. */
function loadModel(model: nn.Module, start: Start): void {
  const own = model.stateDict();
  const state = [...start].flatMap(([name, value]): [string, Tensor][] => {
    if (!name.startsWith("model.")) return [];
    const key = name.slice("model.".length);
    return [[key, value.to(own.get(key)?.dtype ?? value.dtype)]];
  });
  model.loadStateDict(state);
}

export function training(options: TrainingOptions): Workload {
  const { name, what, shape, tolerance = 1e-4 } = options;
  const all = options.model().parameters();
  const parameters = all.reduce((sum, x) => sum + sizeOf(x), 0);
  return {
    name,
    what,
    tolerance,
    cost: stepCost({ ...shape, parameters }),
    start() {
      const [x, y] = options.data();
      const state = [...options.model().stateDict()];
      return new Map([
        ...state.map(([key, value]) => [`model.${key}`, value] as const),
        ["data.x", x],
        ["data.y", y],
      ]);
    },
    prepare(mode, start): Prepared {
      const model = options.model();
      loadModel(model, start);
      const data = [need(start, "data.x"), need(start, "data.y")] as const;
      const step = makeStep(model, options.optimizer(model.parameters()), data, mode);
      return {
        step,
        async check() {
          const losses: number[] = [];
          for (let i = 0; i < checkedSteps; i++) losses.push(await step());
          return losses;
        },
      };
    },
  };
}

const labels = (shape: readonly number[], classes: number): Tensor => {
  const length = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Int32Array.from({ length }, (_, i) => (i * 7919 + (i >> 3)) % classes),
    { shape: [...shape] },
  );
};

const momentum = (parameters: nn.Parameter[]) =>
  new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 });
const adam = (parameters: nn.Parameter[]) => new optim.Adam(parameters, { lr: 1e-3 });
const adamW = (parameters: nn.Parameter[]) => new optim.AdamW(parameters, { lr: 1e-3 });

export const mlpWorkload = (batch = 128): Workload =>
  training({
    name: "mlp",
    what: `MLP 784-256-128-10, ReLU, batch ${batch}, SGD momentum 0.9`,
    model: mlp,
    optimizer: momentum,
    data: () => [randn([batch, 784]), labels([batch], 10)],
    shape: {
      layers: [
        linearCost(batch, 784, 256),
        linearCost(batch, 256, 128),
        linearCost(batch, 128, 10),
      ],
      states: 1,
      inputs: batch * 784,
      firstReadsData: true,
    },
  });

export const lenetWorkload = (batch = 64): Workload =>
  training({
    name: "lenet",
    what: `LeNet-5 with ReLU and max pooling, 1×28×28, batch ${batch}, Adam`,
    model: lenet,
    optimizer: adam,
    data: () => [randn([batch, 1, 28, 28]), labels([batch], 10)],
    shape: {
      layers: [
        convCost(batch, 1, 6, 5, 28),
        convCost(batch, 6, 16, 5, 10),
        linearCost(batch, 400, 120),
        linearCost(batch, 120, 84),
        linearCost(batch, 84, 10),
      ],
      states: 2,
      inputs: batch * 784,
      firstReadsData: true,
    },
  });

function resnetLayers(batch: number): LayerCost[] {
  const layers = [convCost(batch, 3, 64, 3, 32)];
  let [width, size] = [64, 32];
  for (const [out, stride] of resnetBlocks) {
    size /= stride;
    layers.push(convCost(batch, width, out, 3, size), convCost(batch, out, out, 3, size));
    if (stride !== 1) layers.push(convCost(batch, width, out, 1, size));
    width = out;
  }
  return [...layers, linearCost(batch, 512, 10)];
}

export const resnetWorkload = (batch = 32): Workload =>
  training({
    name: "resnet18-cifar",
    what: `ResNet-18, CIFAR stem, 3×32×32, batch ${batch}, SGD momentum 0.9`,
    model: resnet18Cifar,
    optimizer: momentum,
    data: () => [randn([batch, 3, 32, 32]), labels([batch], 10)],
    // The first steps at this learning rate double rounding differences, of whatever implementation.
    tolerance: 5e-3,
    shape: {
      layers: resnetLayers(batch),
      states: 1,
      inputs: batch * 3 * 1024,
      firstReadsData: true,
    },
  });

function gptLayers(batch: number, { width = 128, layers = 4, context = 64 }: GPTSizes) {
  const rows = batch * context;
  const block = [
    linearCost(rows, width, 3 * width),
    { flops: 2 * rows * context * width, outputs: 0 }, // scores, half of them masked, and their mix
    linearCost(rows, width, width),
    linearCost(rows, width, 4 * width),
    linearCost(rows, 4 * width, width),
  ];
  return [...Array.from({ length: layers }, () => block).flat(), linearCost(rows, width, 65)];
}

export const gptWorkload = (batch = 12, sizes: GPTSizes = {}): Workload => {
  const { width = 128, layers = 4, context = 64 } = sizes;
  return training({
    name: "gpt",
    what: `Character GPT: ${layers} layers, 4 heads, width ${width}, context ${context}, batch ${batch}, GELU, AdamW`,
    model: () => new GPT(sizes),
    optimizer: adamW,
    data: () => [labels([batch, context], 65), labels([batch, context], 61)],
    shape: {
      layers: gptLayers(batch, sizes),
      states: 2,
      inputs: 2 * batch * context,
      firstReadsData: false,
    },
  });
};

export const lstmWorkload = (batch = 32, steps = 64, hidden = 256): Workload =>
  training({
    name: "lstm",
    what: `Character LSTM: embedding 64, hidden ${hidden}, batch ${batch}, ${steps} steps, Adam`,
    model: () => new CharLSTM({ hidden }),
    optimizer: adam,
    data: () => [labels([batch, steps], 65), labels([batch, steps], 61)],
    shape: {
      layers: [
        linearCost(batch * steps, 64, 4 * hidden),
        linearCost(batch * steps, hidden, 4 * hidden),
        linearCost(batch * steps, hidden, 65),
      ],
      states: 2,
      inputs: 2 * batch * steps,
      firstReadsData: false,
    },
  });

export const trainingWorkloads = (): Workload[] => [
  mlpWorkload(),
  lenetWorkload(),
  resnetWorkload(),
  gptWorkload(),
  lstmWorkload(),
];
