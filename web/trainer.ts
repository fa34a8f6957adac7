/**
 * The network and its training, as one would write them in Node: nothing here knows that it runs in a tab, except that
 * the digits are fetched. lenet.ts shows what happens.
 */
import {
  backendDescription,
  compile,
  data,
  manualSeed,
  nn,
  optim,
  type Tensor,
  tensor,
  vision,
} from "gradus";

const { functional: F } = nn;
const batchSize = 64;
const maxBytes = 2 ** 26;
const normalize = data.normalizeImages({ mean: 0.1307, std: 0.3081, addChannel: true });

async function fetchIdx(name: string) {
  const response = await fetch(`mnist/${name}.gz`);
  if (!response.ok) throw new Error(`${name} could not be fetched: ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Some servers inflate on the way.
  const inflated = data.isGzip(bytes) ? await data.gunzip(bytes, { maxBytes }) : bytes;
  return data.decodeIdx(inflated, { source: name });
}

/** Fetches the digits that come with the package: 8,000 to train on, 2,000 to test with. */
export async function fetchDigits(): Promise<data.LabelledImages> {
  const fetchPart = async (part: string) => ({
    images: await fetchIdx(`${part}-images-idx3-ubyte`),
    labels: await fetchIdx(`${part}-labels-idx1-ubyte`),
  });
  const [train, test] = await Promise.all([fetchPart("train"), fetchPart("t10k")]);
  return data.labelledImages(train, test, { classes: 10 });
}

export interface Trainer {
  readonly backend: string;
  readonly batchSize: number;
  /** Trains on one batch and gives its loss; a new epoch begins by itself. */
  step(): Promise<number>;
  /** The share of test images that are read right, from 0 to 1. */
  test(): Promise<number>;
  /** Probabilities of the ten digits for `count` images of 28 × 28 grey values: [count × 10]. */
  classify(pixels: Uint8Array, count: number): Promise<Float32Array>;
}

export function createTrainer(digits: data.LabelledImages): Trainer {
  manualSeed(0);
  const model = new vision.LeNet5();
  const optimizer = new optim.Adam(model.parameters(), { lr: 2e-3 });
  const loaderOf = (part: data.LabelledPart, size: number, shuffle: boolean) =>
    new data.DataLoader(part.dataset, {
      batchSize: size,
      shuffle,
      dropLast: shuffle,
      transform: normalize,
    });
  const training = loaderOf(digits.train, batchSize, true);
  const testing = loaderOf(digits.test, 250, false);
  const trainStep = compile((x: Tensor, y: Tensor) => {
    const loss = F.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const predict = compile((x: Tensor) => model.forward(x).softmax(1));
  let epoch = training.iterate();
  return {
    // What follows the colon says why it is not native code, which goes without saying here.
    backend: backendDescription().split(":")[0]!,
    batchSize,
    async step() {
      let batch = epoch.next();
      if (batch.done) {
        epoch = training.iterate();
        batch = epoch.next();
      }
      const [x, y] = batch.value;
      return (await trainStep(x, y)).item();
    },
    async test() {
      let right = 0;
      for (const [x, y] of testing) {
        const guesses = (await predict(x)).argmax(1).data;
        for (const [i, label] of y.data.entries()) right += Number(label === guesses[i]);
      }
      return right / digits.test.dataset.length;
    },
    async classify(pixels, count) {
      const images = { shape: [count, 28, 28], dtype: "uint8", data: pixels } as const;
      const [x] = normalize<readonly [data.ArrayData]>([images]);
      const input = tensor(x.data, { shape: [count, 1, 28, 28] });
      return (await predict(input)).data as Float32Array;
    },
  };
}
