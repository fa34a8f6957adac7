/** Small networks and batches for tests of whole training steps. */
import { nn, optim, type Tensor, tensor } from "../../src/index.js";
import { randomFrom } from "./samples.js";

const { functional: F } = nn;

export class SmallConvNet extends nn.Module {
  readonly conv = new nn.Conv2d(1, 3, 3, { padding: 1 });
  readonly fc = new nn.Linear(3 * 4 * 4, 5);

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.conv.forward(x).relu().maxPool2d(2).flatten(1));
  }
}

export class Mlp extends nn.Module {
  readonly fc1 = new nn.Linear(6, 8);
  readonly dropout = new nn.Dropout(0.25);
  readonly fc2 = new nn.Linear(8, 5);

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.dropout.forward(this.fc1.forward(x).tanh()));
  }
}

export function numbers(name: string, shape: readonly number[]): Tensor {
  const next = randomFrom(name);
  const size = shape.reduce((n, m) => n * m, 1);
  return tensor(
    Float32Array.from({ length: size }, () => next() * 2 - 1),
    { shape },
  );
}

export function labels(name: string, count: number, classes: number): Tensor {
  const next = randomFrom(name);
  return tensor(Int32Array.from({ length: count }, () => Math.floor(next() * classes)));
}

/** Sets all parameters to numbers that depend on their names alone. */
export function settle<M extends nn.Module>(model: M): M {
  for (const [name, parameter] of model.namedParameters())
    parameter.assign(numbers(name, parameter.shape).mul(0.3));
  return model;
}

export const optimizers = {
  sgd: (params: Iterable<Tensor>) => new optim.SGD(params, { lr: 0.1 }),
  momentum: (params: Iterable<Tensor>) =>
    new optim.SGD(params, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  dampening: (params: Iterable<Tensor>) =>
    new optim.SGD(params, { lr: 0.05, momentum: 0.9, dampening: 0.5 }),
  adam: (params: Iterable<Tensor>) => new optim.Adam(params, { lr: 0.01, weightDecay: 0.1 }),
  adamW: (params: Iterable<Tensor>) => new optim.AdamW(params, { lr: 0.01 }),
} as const;

/** The training step of every example: loss, gradients, update. */
export const trainingStep =
  (model: { forward(x: Tensor): Tensor }, optimizer: optim.Optimizer) =>
  (x: Tensor, y: Tensor): Tensor => {
    const loss = F.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
