/** The workloads that are timed: the same models, shapes and optimizers as the PyTorch baseline defines. */
import { compile, nn, optim, randn, type Tensor, tensor, vision } from "gradus";

/** One training step on fixed data, eager or compiled; gives the loss. */
export interface Workload {
  readonly name: string;
  readonly what: string;
  prepare(mode: Mode): () => Promise<number>;
}

export type Mode = "eager" | "compiled";

const { functional: F } = nn;

interface Model {
  parameters(): Tensor[];
  forward(x: Tensor): Tensor;
}

/** zero_grad, forward, loss, backward, step, item: what the baseline's step does. */
function trainingStep(
  model: Model,
  optimizer: optim.Optimizer,
  [x, y]: readonly [Tensor, Tensor],
  mode: Mode,
): () => Promise<number> {
  const step = (images: Tensor, labels: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    return loss;
  };
  if (mode === "eager") return async () => step(x, y).item();
  const compiled = compile(step);
  return async () => (await compiled(x, y)).item();
}

const labels = (count: number): Tensor =>
  tensor(Int32Array.from({ length: count }, (_, i) => (i * 7) % 10));

const mlp: Workload = {
  name: "mlp",
  what: "MLP 784-256-128-10, ReLU, batch 128, SGD momentum 0.9",
  prepare(mode) {
    const model = new nn.Sequential(
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    );
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    return trainingStep(model, optimizer, [randn([128, 784]), labels(128)], mode);
  },
};

const lenet: Workload = {
  name: "lenet",
  what: "LeNet-5 with ReLU and max pooling, 1x28x28, batch 64, Adam",
  prepare(mode) {
    const model = new vision.LeNet5();
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
    return trainingStep(model, optimizer, [randn([64, 1, 28, 28]), labels(64)], mode);
  },
};

export const workloads: readonly Workload[] = [mlp, lenet];
