/** What the tests of the training loop share: a small network, points in the plane, everything that a run starts from. */
import { data, manualSeed, nn, optim, type Tensor, tensor } from "../../src/index.js";
import type { SafetensorsContent } from "../../src/io/browser.js";
import { accuracy, cosineSchedule, type FitOptions } from "../../src/train/index.js";
import { makeRandom } from "../trainSupport.js";

export class Net extends nn.Module {
  readonly fc1: nn.Linear;
  readonly dropout = new nn.Dropout(0.25);
  readonly fc2: nn.Linear;

  constructor(hidden = 8) {
    super();
    this.fc1 = new nn.Linear(2, hidden);
    this.fc2 = new nn.Linear(hidden, 2);
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.dropout.forward(this.fc1.forward(x).relu()));
  }
}

/** Points in the plane; the class says on which side of a circle. */
function points(count: number, seed: number) {
  const random = makeRandom(seed);
  const values = Float32Array.from({ length: 2 * count }, () => random() * 4 - 2);
  const labels = Int32Array.from({ length: count }, (_, i) =>
    Number(values[2 * i]! ** 2 + values[2 * i + 1]! ** 2 > 1.5),
  );
  return new data.TensorDataset(tensor(values, { shape: [count, 2] }), tensor(labels));
}

export const examples = points(44, 1);
export const testExamples = points(20, 2);
export const [batches, epochs] = [6, 3];

/** Everything a run starts from, made anew: the last batch of an epoch is smaller than the others. */
export function setUp(options: Partial<FitOptions> = {}) {
  manualSeed(7);
  const model = new Net();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
  const train = new data.DataLoader(examples, { batchSize: 8, shuffle: true, seed: 3 });
  const validation = new data.DataLoader(testExamples, { batchSize: 8 });
  const schedule = cosineSchedule({ warmup: 0.2 });
  const metrics = { accuracy };
  return {
    model,
    options: { optimizer, train, validation, epochs, schedule, metrics, ...options },
  };
}

/** A copy that later steps do not change, as a file would hold it. */
export function copyOf({ tensors, metadata }: SafetensorsContent): SafetensorsContent {
  const copies = [...tensors].map(
    ([name, { shape, dtype, data: values }]) =>
      [name, { shape, dtype, data: values.slice() }] as const,
  );
  return { tensors: new Map(copies), metadata: { ...metadata } };
}

export const weightsOf = (model: nn.Module): string =>
  JSON.stringify([...model.stateDict()].map(([name, x]) => [name, ...x.data]));
