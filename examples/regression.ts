/** Numbers instead of classes, from loaders of its own: y = sin 3x with noise. */
import { data, Generator, rand, randn } from "gradus";
import { defineRun } from "gradus/train";

const { DataLoader, TensorDataset } = data;

/** So many examples x in [−1, 1], y = sin 3x + noise. */
function noisySine(count: number, seed: number): data.Dataset {
  const generator = new Generator(seed);
  const x = rand([count, 1], { generator }).mul(2).sub(1);
  const y = x
    .mul(3)
    .sin()
    .add(randn([count, 1], { generator }).mul(0.1));
  return new TensorDataset(x, y);
}

export default defineRun({
  model: { name: "mlp", hidden: [64, 64], activation: "tanh" },
  data: {
    load({ batchSize, evaluationBatchSize, seed, limit = 1000 }) {
      const loader = (count: number, part: number, shuffle: boolean) =>
        new DataLoader(noisySine(count, part), {
          batchSize: shuffle ? batchSize : evaluationBatchSize,
          ...{ shuffle, seed },
        });
      return {
        train: loader(limit, 1, true),
        validation: loader(200, 2, false),
        test: loader(200, 3, false),
        inputShape: [1],
        outputs: 1,
      };
    },
  },
  loss: { name: "huber", delta: 0.5 },
  optim: { name: "adam", lr: 3e-3 },
  schedule: { name: "plateau", factor: 0.5, patience: 3 },
  train: { epochs: 40, batchSize: 32 },
  metrics: ["r2", "meanAbsoluteError"],
});
