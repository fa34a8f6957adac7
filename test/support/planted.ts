/** Small networks and real pictures with one fault planted, as experiments for the doctor. */

import { loadDigits, loadIdxFolder } from "../../src/data/node.js";
import { data, manualSeed, nn, optim, type Tensor, tensor, vision } from "../../src/index.js";
import type { ExperimentBuilder, Settings } from "../../src/train/experiment.js";
import {
  accuracy,
  type Experiment,
  type FitOptions,
  imageStatistics,
} from "../../src/train/index.js";
import type { Model } from "../../src/train/steps.js";

/** What can be wrong with an experiment. */
export const faults = [
  ...(["healthy", "wrongInit", "rateTooHigh", "rateTooLow", "shuffledLabels"] as const),
  ...(["missingNormalization", "deadReLUs", "frozenLayer", "evaluationMode"] as const),
  ...(["nanInData", "nanInLoss", "saturated", "leakage"] as const),
] as const;
export type Fault = (typeof faults)[number];

export type Architecture = "mlp" | "lenet";

/** Layers one after another, pictures made flat first; `evalInside` is in eval mode whenever it runs. */
class Mlp extends nn.Module {
  readonly fc1 = new nn.Linear(784, 64);
  readonly drop = new nn.Dropout(0.1);
  readonly fc2 = new nn.Linear(64, 48);
  readonly fc3 = new nn.Linear(48, 10);
  readonly act: nn.Layer;
  readonly isForgetful: boolean;

  constructor(act: nn.Layer, isForgetful: boolean) {
    super();
    this.act = act;
    this.isForgetful = isForgetful;
  }

  forward(x: Tensor): Tensor {
    if (this.isForgetful) this.drop.eval();
    const hidden = this.drop.forward(this.act.forward(this.fc1.forward(x.flatten(1))));
    return this.fc3.forward(this.fc2.forward(hidden).relu());
  }
}

class LeNetWithDropout extends nn.Module {
  readonly net = new vision.LeNet5();
  readonly drop = new nn.Dropout(0.1);
  readonly isForgetful: boolean;

  constructor(isForgetful: boolean) {
    super();
    this.isForgetful = isForgetful;
  }

  forward(x: Tensor): Tensor {
    if (this.isForgetful) this.drop.eval();
    return this.net.forward(this.drop.forward(x));
  }
}

export interface Pictures {
  /** Pixels from 0 to 255, [N, 1, 28, 28]. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly mean: number;
  readonly std: number;
}

/** The first training pictures of the digits, or of a folder in MNIST's format. */
export async function pictures(count: number, folder?: string): Promise<Pictures> {
  const { train } = await (folder ? loadIdxFolder(folder) : loadDigits());
  const { mean, std } = imageStatistics(train.images);
  const size = 28 * 28;
  return {
    images: Float32Array.from(train.images.data.subarray(0, count * size)),
    labels: Int32Array.from(train.labels.data.subarray(0, count)),
    mean: mean * 255,
    std: std * 255,
  };
}

function shuffled(labels: Int32Array): Int32Array {
  const order = data.permutation(labels.length, 99);
  return labels.map((_, i) => labels[order[i]!]!);
}

function datasetOf(
  { images, labels, mean, std }: Pictures,
  fault: Fault,
  from: number,
  to: number,
) {
  const size = 784;
  const values = images.slice(from * size, to * size);
  if (fault !== "missingNormalization")
    for (let i = 0; i < values.length; i++) values[i] = (values[i]! - mean) / std;
  if (fault === "nanInData" && from === 0) values[size * 40 + 123] = Number.NaN;
  const own = labels.slice(from, to);
  const x = tensor(values, { shape: [to - from, 1, 28, 28] });
  return new data.TensorDataset(x, tensor(fault === "shuffledLabels" ? shuffled(own) : own));
}

function plantInModel(model: nn.Module, fault: Fault): void {
  for (const [name, p] of model.namedParameters()) {
    if (fault === "wrongInit" && name.endsWith("weight")) p.assign(p.mul(8));
    if (fault === "saturated" && name.endsWith("weight")) p.assign(p.mul(8));
    if (fault === "deadReLUs" && /(fc1|conv2)\.bias$/.test(name)) p.assign(p.mul(0).sub(40));
    if (fault === "frozenLayer" && /(fc2|conv2)\.(weight|bias)$/.test(name)) p.requiresGrad = false;
  }
}

export interface PlantOptions {
  readonly architecture: Architecture;
  readonly pictures: Pictures;
  readonly fault: Fault;
  readonly train?: number;
  readonly epochs?: number;
  readonly lr?: number;
  readonly weightDecay?: number;
  readonly batchSize?: number;
  readonly change?: Partial<FitOptions>;
}

/** An experiment with a fault in it. */
export function plant(options: PlantOptions): Experiment {
  const { architecture, fault, epochs = 6, batchSize = 32, weightDecay = 1e-4 } = options;
  const count = options.pictures.labels.length;
  const { train = Math.floor(count * 0.75) } = options;
  manualSeed(1);
  const isForgetful = fault === "evaluationMode";
  const act = fault === "saturated" ? new nn.Tanh() : new nn.ReLU();
  const model: Model =
    architecture === "mlp" ? new Mlp(act, isForgetful) : new LeNetWithDropout(isForgetful);
  plantInModel(model, fault);
  const rates: Partial<Record<Fault, number>> = { rateTooHigh: 1, rateTooLow: 1e-6 };
  const lr = options.lr ?? rates[fault] ?? 2e-3;
  const optimizer = new optim.AdamW(model.parameters(), { lr, weightDecay });
  const trainSet = datasetOf(options.pictures, fault, 0, train);
  const heldOut = datasetOf(options.pictures, fault, Math.floor(count * 0.75), count);
  const validation = fault === "leakage" ? trainSet : heldOut;
  const loss = (output: Tensor, target: Tensor) =>
    output.softmax(1).sub(0.02).relu().gather(1, target.unsqueeze(1)).log().mean().neg();
  return {
    model,
    classes: 10,
    options: {
      optimizer,
      train: new data.DataLoader(trainSet, { batchSize, shuffle: true, seed: 0 }),
      validation: new data.DataLoader(validation, { batchSize: 100 }),
      epochs,
      metrics: { accuracy },
      ...(fault === "nanInLoss" && { loss }),
      ...options.change,
    },
  };
}

/** The same as a builder, as a configuration gives one. */
export const planted =
  (options: PlantOptions): ExperimentBuilder =>
  async (changes: Settings = {}) => {
    const { "optim.lr": lr, "optim.weightDecay": weightDecay, ...others } = changes;
    const unknown = Object.keys(others).filter((path) => path !== "data.augment");
    if (unknown.length > 0) throw new Error(`unknown settings: ${unknown}`);
    return plant({
      ...options,
      ...(typeof lr === "number" && { lr }),
      ...(typeof weightDecay === "number" && { weightDecay }),
    });
  };
