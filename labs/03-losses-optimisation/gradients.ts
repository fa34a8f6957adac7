/** Optimisation: why to follow the gradient, and how to check one. A difference quotient is wrong for large steps and for tiny ones. */
import {
  Generator,
  gradCheck,
  nn,
  noGrad,
  numericalGradient,
  randn,
  type Tensor,
  tensor,
} from "gradus";
import { flatten, loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { best, type Point } from "../training.js";

type Objective = (weight: Tensor) => Tensor;

/** The largest |a − b| / max(|a|, |b|) over all places. */
function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, x, i) => {
    const size = Math.max(Math.abs(x), Math.abs(b[i]!));
    return size > 1e-8 ? Math.max(most, Math.abs(x - b[i]!) / size) : most;
  }, 0);
}

/** Central differences in the arithmetic of single precision, as a program without doubles would have them. */
function singleDifferences(objective: Objective, at: Tensor, eps: number): number[] {
  const valueAt = (i: number, by: number) => {
    const moved = Float32Array.from(at.data);
    moved[i] = moved[i]! + by;
    return objective(tensor(moved, { shape: at.shape })).item();
  };
  return noGrad(() =>
    Array.from(at.data, (_, i) => (valueAt(i, eps) - valueAt(i, -eps)) / (2 * eps)),
  );
}

function checkSteps() {
  const generator = new Generator(3);
  const x = randn([20, 4], { generator, dtype: "float64" });
  const labels = tensor(Int32Array.from({ length: 20 }, (_, i) => i % 3));
  const weight = randn([4, 3], { generator, dtype: "float64" });
  const objective: Objective = (w) =>
    nn.functional.crossEntropy(x.to(w.dtype).matmul(w).tanh(), labels);
  const leaf = tensor(weight.data.slice(), { shape: weight.shape, requiresGrad: true });
  objective(leaf).backward();
  const exact = leaf.grad!.data;
  const powers = Array.from({ length: 23 }, (_, i) => -i / 2);
  const errors = (differences: (eps: number) => ArrayLike<number>): Point[] =>
    powers.map((power) => [power, relativeError(exact, differences(10 ** power))]);
  return {
    double: errors((eps) => numericalGradient(objective, weight, { eps }).data),
    single: errors((eps) => singleDifferences(objective, weight.float(), eps)),
    report: gradCheck(objective, weight),
  };
}

/** Three ways to lower a loss, with one look at it a step. */
function descend(loss: Objective, shape: readonly number[], steps: number) {
  const generator = new Generator(5);
  const curves: Record<string, Point[]> = {};
  const zero = () => randn([...shape], { generator }).mul(0.001);
  const note = (name: string, step: number, value: number) => {
    curves[name] = [...(curves[name] ?? []), [step, value]];
  };
  let [bestRandom, local] = [Number.POSITIVE_INFINITY, zero()];
  let localLoss = loss(local).item();
  const weight = tensor(local.data.slice(), { shape: [...shape], requiresGrad: true });
  for (let step = 0; step < steps; step++) {
    bestRandom = Math.min(bestRandom, loss(zero().mul(10)).item());
    note("random guesses", step, bestRandom);
    const near = local.add(randn([...shape], { generator }).mul(0.003));
    const nearLoss = loss(near).item();
    if (nearLoss < localLoss) [local, localLoss] = [near, nearLoss];
    note("random steps", step, localLoss);
    weight.grad = null;
    const value = loss(weight);
    value.backward();
    noGrad(() => weight.assign(weight.sub(weight.grad!.mul(0.05))));
    note("gradient steps", step, value.item());
  }
  return { curves, weight: weight.detach(), local };
}

export const gradients: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const { double, single, report } = checkSteps();
  const lowest = (points: readonly Point[]) => best(points, ([, error]) => -error);
  const [bestDouble, bestSingle] = [lowest(double), lowest(single)];
  log(`gradCheck: relative error ${report.relativeError.toExponential(1)}`);
  const kink = gradCheck((x) => x.relu(), tensor([-1, 0, 2]));
  log(kink.messages[0]!);
  const parts = await loadPictures(options, { train: 1000, test: 1000 });
  const [x, testX] = flatten(parts);
  const loss: Objective = (w) => nn.functional.crossEntropy(x.matmul(w), parts.train.labels);
  signal?.throwIfAborted();
  const { curves, weight, local } = descend(loss, [784, 10], short ? 10 : 300);
  const right = (w: Tensor) => {
    const guesses = testX.matmul(w).argmax(1).data;
    const { data } = parts.test.labels;
    return Array.from(data).filter((label, i) => label === guesses[i]).length / data.length;
  };
  savePanels(
    options,
    "gradients",
    [
      {
        ...{ title: "Error of a difference quotient", xLabel: "log10 of its step", yKind: "log" },
        lines: [
          { name: "double precision", points: double, dots: true },
          { name: "single precision", points: single, dots: true },
        ],
      },
      {
        ...{ title: "Loss of a linear classifier", xLabel: "step" },
        lines: Object.entries(curves).map(([name, points]) => ({ name, points })),
      },
    ],
    { title: "Gradients: checked, and followed" },
  );
  const measures = {
    ...{ double: bestDouble[1], single: bestSingle[1], gradCheck: report.relativeError },
    ...{ kinks: kink.kinks.length, gradient: right(weight), randomSteps: right(local) },
  };
  const at = ([power, error]: Point) => `${error.toExponential(0)} at a step of 1e${power}`;
  return {
    measures,
    sentence:
      `Central differences agree with the engine's gradient to ${at(bestDouble)} in double precision, but only to ${at(bestSingle)} in single precision; ` +
      `after as many looks at the loss, gradient steps get ${percent(measures.gradient)} of the test pictures right and random steps ${percent(measures.randomSteps)}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(gradients);
