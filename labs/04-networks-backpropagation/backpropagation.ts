/** Backpropagation, written out by hand for a two-layer network, and by the engine: the same gradients, the same training. */
import { Generator, nn, noGrad, randn, type Tensor, zeros } from "gradus";
import { flatten, labelsOf, loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import type { Pair, Point } from "../training.js";

/** Weights as [inputs, outputs], so that the formulas read as on the board. */
interface Weights {
  readonly w1: Tensor;
  readonly b1: Tensor;
  readonly w2: Tensor;
  readonly b2: Tensor;
}

const keys = ["w1", "b1", "w2", "b2"] as const;

const start = (inputs: number, hidden: number): Weights => {
  const generator = new Generator(7);
  return {
    w1: randn([inputs, hidden], { generator }).mul(Math.sqrt(2 / inputs)),
    b1: zeros([hidden]),
    w2: randn([hidden, 10], { generator }).mul(Math.sqrt(2 / hidden)),
    b2: zeros([10]),
  };
};

/** Loss and gradients, each line of the backward pass from the one of the forward pass that it mirrors. */
export function byHand({ w1, b1, w2, b2 }: Weights, [x, y]: Pair) {
  return noGrad(() => {
    const count = x.shape[0]!;
    const sums = x.matmul(w1).add(b1); // [N, H]
    const hidden = sums.relu();
    const scores = hidden.matmul(w2).add(b2); // [N, 10]
    const logs = scores.logSoftmax(1);
    const target = nn.functional.oneHot(y, 10).to(scores.dtype);
    const loss = logs.mul(target).sum().div(-count);

    const dScores = logs.exp().sub(target).div(count); // softmax less what is right
    const dHidden = dScores.matmul(w2.transpose(0, 1));
    const dSums = dHidden.mul(sums.gt(0).to(scores.dtype)); // relu lets through where it was open
    const gradients: Weights = {
      w1: x.transpose(0, 1).matmul(dSums),
      b1: dSums.sum(0),
      w2: hidden.transpose(0, 1).matmul(dScores),
      b2: dScores.sum(0),
    };
    return { loss: loss.item(), gradients };
  });
}

/** The forward pass alone; the engine does the rest. */
export function byEngine(weights: Weights, [x, y]: Pair) {
  const leaves = keys.map((key) => weights[key].detach().requiresGrad_());
  const [w1, b1, w2, b2] = leaves as [Tensor, Tensor, Tensor, Tensor];
  const loss = nn.functional.crossEntropy(x.matmul(w1).add(b1).relu().matmul(w2).add(b2), y);
  loss.backward();
  const grads = keys.map((key, i) => [key, leaves[i]!.grad!]);
  return { loss: loss.item(), gradients: Object.fromEntries(grads) as unknown as Weights };
}

const step = (weights: Weights, gradients: Weights, lr: number): Weights =>
  Object.fromEntries(
    keys.map((key) => [key, weights[key].sub(gradients[key].mul(lr))]),
  ) as unknown as Weights;

/** The largest difference, as a share of the largest gradient. */
function distance(a: Weights, b: Weights): number {
  let [apart, size] = [0, 0];
  for (const key of keys)
    a[key].data.forEach((value, i) => {
      apart = Math.max(apart, Math.abs(value - b[key].data[i]!));
      size = Math.max(size, Math.abs(value));
    });
  return apart / size;
}

export const backpropagation: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const parts = await loadPictures(options, { train: 4000, test: 2000 });
  const [x, testX] = flatten(parts);
  const [y, testY] = [labelsOf(parts.train), labelsOf(parts.test)];
  const [hidden, batch, steps, lr] = [64, 200, short ? 20 : 400, 0.1];
  let [hand, engine] = [start(784, hidden), start(784, hidden)];
  const curves = { hand: [] as Point[], engine: [] as Point[], apart: [] as Point[] };
  const times = { hand: 0, engine: 0 };
  const exact: Pair = [x.narrow(0, 0, batch).double(), y.narrow(0, 0, batch)];
  const doubles = Object.fromEntries(keys.map((key) => [key, hand[key].double()]));
  const [own, engines] = [byHand, byEngine].map((way) => way(doubles as unknown as Weights, exact));
  const first = distance(own!.gradients, engines!.gradients);
  log(`The first gradients differ by ${first.toExponential(1)} of the largest`);
  for (let i = 0; i < steps; i++) {
    signal?.throwIfAborted();
    const from = (i * batch) % (y.size - batch + 1);
    const pair: Pair = [x.narrow(0, from, batch), y.narrow(0, from, batch)];
    const before = performance.now();
    const one = byHand(hand, pair);
    const between = performance.now();
    const other = byEngine(engine, pair);
    times.hand += between - before;
    times.engine += performance.now() - between;
    curves.hand.push([i, one.loss]);
    curves.engine.push([i, other.loss]);
    curves.apart.push([i, distance(one.gradients, other.gradients)]);
    hand = step(hand, one.gradients, lr);
    engine = step(engine, other.gradients, lr);
  }
  const right = ({ w1, b1, w2, b2 }: Weights): number => {
    const guesses = testX.matmul(w1).add(b1).relu().matmul(w2).add(b2).argmax(1).data;
    return Array.from(testY.data).filter((label, i) => label === guesses[i]).length / testY.size;
  };
  savePanels(
    options,
    "backpropagation",
    [
      {
        ...{ title: "Loss", xLabel: "step" },
        lines: [
          { name: "by hand", points: curves.hand },
          { name: "by the engine", points: curves.engine, faint: true },
        ],
      },
      {
        ...{ title: "How far the gradients are apart", xLabel: "step", yKind: "log" },
        lines: [{ points: curves.apart }],
      },
    ],
    {
      title: "Backpropagation by hand and by the engine",
      subtitle: "As shares of the largest gradient, single precision",
    },
  );
  const measures = {
    ...{ first, accuracyHand: right(hand), accuracyEngine: right(engine) },
    apart: Math.max(...curves.apart.map(([, share]) => share)),
  };
  log(
    `by hand ${(times.hand / steps).toFixed(2)} ms a step, by the engine ${(times.engine / steps).toFixed(2)} ms`,
  );
  return {
    measures,
    sentence:
      `The six lines of gradients by hand equal the engine's to ${measures.first.toExponential(0)} of the largest in double precision; ` +
      `trained apart for ${steps} steps they get ${percent(measures.accuracyHand)} and ${percent(measures.accuracyEngine)} of the test pictures right.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(backpropagation);
