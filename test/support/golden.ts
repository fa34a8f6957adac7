/** The weights, batches and optimizers of scripts/fixtures/golden.py. */
import type { DType } from "../../src/core/dtype.js";
import { nn, noGrad, optim, type Tensor, tensor, vision } from "../../src/index.js";
import { readFixture } from "./fixtures.js";

interface Golden {
  readonly training: Record<string, { losses: readonly number[]; last: readonly number[] }>;
  readonly toys: Record<
    string,
    { path: readonly (readonly number[])[][]; state: Record<string, readonly number[]> }
  >;
}

export const golden = readFixture<Golden>("golden.json.gz");

/** scale · sin(1.7 i + phase), element by element. */
export function wave(
  shape: readonly number[],
  phase: number,
  scale: number,
  dtype: DType = "float32",
): Tensor {
  const size = shape.reduce((n, m) => n * m, 1);
  const values = Array.from({ length: size }, (_, i) => scale * Math.sin(1.7 * i + phase));
  return tensor(values, { dtype, shape });
}

export function fill<M extends nn.Module>(model: M): M {
  model.parameters().forEach((p, k) => {
    const fan = p.ndim > 1 ? p.size / p.shape[0]! : p.size;
    noGrad(() => p.assign(wave(p.shape, k, 1 / Math.sqrt(fan))));
  });
  return model;
}

const mlp = () =>
  new nn.Sequential(
    ...[new nn.Linear(20, 32), new nn.Tanh(), new nn.Linear(32, 16), new nn.ReLU()],
    new nn.Linear(16, 10),
  );

export const models = {
  lenet: { make: () => new vision.LeNet5(), shape: [1, 28, 28], batch: 16 },
  mlp: { make: mlp, shape: [20], batch: 32 },
} as const;

/** A batch of the first images of golden.py's batch of `step`. */
export function batchOf(name: keyof typeof models, step: number, size: number): [Tensor, Tensor] {
  const labels = Int32Array.from({ length: size }, (_, i) => (3 * i + (step % 2)) % 10);
  return [wave([size, ...models[name].shape], 0.1 * (step % 2), 1), tensor(labels)];
}

type Make = (params: Iterable<Tensor>) => optim.Optimizer;

export const optimizers: Record<string, Make> = {
  sgd: (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9 }),
  nesterov: (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  adam: (p) => new optim.Adam(p, { lr: 0.003 }),
  adamW: (p) => new optim.AdamW(p, { lr: 0.003, weightDecay: 0.1 }),
};

export const toys: Record<string, Make> = {
  plain: (p) => new optim.SGD(p, { lr: 0.1 }),
  decay: (p) => new optim.SGD(p, { lr: 0.1, weightDecay: 0.2 }),
  momentum: (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
  dampening: (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, dampening: 0.3, weightDecay: 0.1 }),
  nesterov: (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.8, nesterov: true }),
  adam: (p) => new optim.Adam(p, { lr: 0.05 }),
  adamDecay: (p) =>
    new optim.Adam(p, { lr: 0.05, betas: [0.8, 0.95], eps: 1e-4, weightDecay: 0.1 }),
  adamW: (p) => new optim.AdamW(p, { lr: 0.05, weightDecay: 0.3 }),
};
