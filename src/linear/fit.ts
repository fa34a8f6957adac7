/** Training of a small classifier on data that lie in memory, through one compiled step. Read classifier.ts for what uses it. */
import { GradusError, ShapeError, ValueError } from "../core/errors.js";
import { checkNames } from "../core/options.js";
import { formatShape } from "../core/shape.js";
import { TensorDataset } from "../data/dataset.js";
import { DataLoader, toTensor } from "../data/loader.js";
import type { ArrayData } from "../io/arrayData.js";
import type { Layer } from "../nn/module.js";
import { argmax } from "../ops/index.js";
import { Adam } from "../optim/adam.js";
import type { Optimizer } from "../optim/optimizer.js";
import { compile } from "../tensor/compile.js";
import { noGrad } from "../tensor/context.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Mean loss over the epoch, while the weights changed. */
  readonly loss: number;
}

export interface ClassifierFitOptions {
  /** Passes over the data; default 10. */
  readonly epochs?: number;
  /** Default 128. */
  readonly batchSize?: number;
  /** Learning rate at the start; default 1e-3. It falls to 0 along half a cosine. */
  readonly lr?: number;
  /** Decides the order of the examples; default 0. */
  readonly seed?: number;
  /** Default Adam. */
  readonly optimizer?: (parameters: readonly Tensor[], lr: number) => Optimizer;
  /** Told after each epoch. */
  readonly onEpoch?: (report: EpochReport) => void;
  /** Ends the training after the step that runs: it throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The mean loss of a batch's scores [B, C] and labels [B]. */
export type Objective = (scores: Tensor, labels: Tensor) => Tensor;

const optionNames = ["epochs", "batchSize", "lr", "seed", "optimizer", "onEpoch", "signal"];

function checkData(op: string, x: ArrayData, y: ArrayData): [x: Tensor, y: Tensor] {
  if (x.dtype !== "float32" && x.dtype !== "float64")
    throw new ShapeError(op, `x is ${x.dtype}; expected float features [N, …]`);
  if (y.shape.length !== 1 || y.shape[0] !== x.shape[0] || y.dtype === "bool") {
    const came = `${formatShape(x.shape)} and ${y.dtype} ${formatShape(y.shape)}`;
    throw new ShapeError(op, `x and y are ${came}; expected [N, …] and class numbers [N]`);
  }
  const bad = Array.from(y.data).find((label) => !Number.isInteger(label));
  if (bad !== undefined) throw new ValueError(op, `y holds ${bad}; expected class numbers`);
  return [toTensor(x), fromTypedArray(Int32Array.from(y.data))];
}

/**
 * Trains a model from features x `[N, …]` and class numbers y `[N]` by mini-batches in a seeded order; gives the last epoch's mean loss.
 *
 * @throws ShapeError where x and y do not fit; GradusError where the loss is no longer a number.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * import { classifierAccuracy, fitClassifier } from "gradus/linear";
 * const x = tensor([[-2], [-1], [1], [2]]);
 * const y = tensor(new Int32Array([0, 0, 1, 1]));
 * const model = new nn.Sequential(new nn.Linear(1, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * await fitClassifier(model, nn.functional.crossEntropy, x, y, { epochs: 100, lr: 0.1 });
 * console.log(await classifierAccuracy(model, x, y)); // → 1
 * ```
 */
export async function fitClassifier(
  model: Layer,
  objective: Objective,
  x: ArrayData,
  y: ArrayData,
  options: ClassifierFitOptions = {},
): Promise<number> {
  const op = "fitClassifier";
  checkNames(op, options, optionNames);
  const { epochs = 10, batchSize = 128, lr = 1e-3, seed = 0, onEpoch, signal } = options;
  if (!Number.isInteger(epochs) || epochs < 1)
    throw new ValueError(op, `epochs is ${epochs}; expected a whole number ≥ 1`);
  if (!(lr > 0)) throw new ValueError(op, `lr is ${lr}; expected a number > 0`);
  const dataset = new TensorDataset(...checkData(op, x, y));
  const loader = new DataLoader(dataset, { batchSize, shuffle: true, seed });
  const make = options.optimizer ?? ((parameters) => new Adam(parameters, { lr }));
  const optimizer = make(model.parameters(), lr);
  const step = compile((inputs, labels) => {
    const loss = objective(model.forward(inputs), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  model.train();
  let loss = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let [sum, done] = [0, 0];
    for await (const [inputs, labels] of loader) {
      const progress = (epoch - 1 + done / loader.length) / epochs;
      for (const group of optimizer.paramGroups)
        group.lr = (lr * (1 + Math.cos(Math.PI * progress))) / 2;
      sum += (await step(inputs!, labels!)).item();
      done++;
      signal?.throwIfAborted();
    }
    loss = sum / loader.length;
    if (!Number.isFinite(loss))
      throw new GradusError(op, `the loss became ${loss} in epoch ${epoch}; try a smaller lr`);
    onEpoch?.({ epoch, epochs, loss });
  }
  model.eval();
  return loss;
}

/** The class with the highest score for each row, int32 `[N]`; of several the first. */
export async function predictClasses(
  model: Layer,
  x: ArrayData,
  batchSize = 1024,
): Promise<Tensor> {
  const loader = new DataLoader(new TensorDataset(toTensor(x)), { batchSize });
  const step = compile((inputs) => noGrad(() => argmax(model.forward(inputs), 1)));
  const out = new Int32Array(x.shape[0]!);
  let at = 0;
  for await (const [inputs] of loader) {
    const { data } = await step(inputs!);
    out.set(data, at);
    at += data.length;
  }
  return fromTypedArray(out);
}

/**
 * The share of rows whose class is predicted right, 0 to 1.
 *
 * @throws ShapeError where x and y do not fit.
 */
export async function classifierAccuracy(
  model: Layer,
  x: ArrayData,
  y: ArrayData,
): Promise<number> {
  checkData("classifierAccuracy", x, y);
  const { data } = await predictClasses(model, x);
  return Array.from(data).filter((label, i) => label === y.data[i]).length / data.length;
}
