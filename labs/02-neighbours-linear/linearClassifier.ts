/** The linear classifier: one template a class. Perceptron, SVM and softmax regression find templates in different ways. */
import { LinearClassifier, type LinearLoss, Perceptron } from "gradus/linear";
import { flatten, loadPictures } from "../data/pictures.js";
import { savePanels, saveTemplates } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import type { Point } from "../training.js";

const names = { softmax: "softmax regression", hinge: "SVM" } as const;

export const linearClassifier: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const parts = await loadPictures(options, { train: 8000, test: 2000 });
  const [x, testX] = flatten(parts);
  const [y, testY] = [parts.train.labels, parts.test.labels];
  const epochs = short ? 3 : 20;
  const losses: Record<string, Point[]> = {};
  const accuracies: Record<string, number> = {};
  for (const [loss, name] of Object.entries(names) as [LinearLoss, string][]) {
    const model = new LinearClassifier(x.shape[1]!, 10, { loss, alpha: 1e-3 });
    const points: Point[] = [];
    await model.fit(x, y, {
      ...{ epochs, lr: 2e-3 },
      ...(signal && { signal }),
      onEpoch: ({ epoch, loss: value }) => points.push([epoch, value]),
    });
    losses[name] = points;
    accuracies[loss] = await model.score(testX, testY);
    log(`${name}: ${percent(accuracies[loss]!)} of the test pictures`);
    await saveTemplates(options, model.weight, [1, 28, 28], parts.classNames, `${loss}-templates`);
  }
  const perceptron = new Perceptron({ rule: "multiclass", epochs, shuffle: true });
  const { mistakes, converged } = perceptron.fit(x, y);
  signal?.throwIfAborted();
  const guesses = perceptron.predict(testX).data;
  const right = Array.from(testY.data).filter((label, i) => label === guesses[i]).length;
  accuracies.perceptron = right / testY.size;
  log(`perceptron: ${percent(accuracies.perceptron)}`);
  const { weight } = perceptron;
  await saveTemplates(options, weight, [1, 28, 28], parts.classNames, "perceptron-templates");
  savePanels(
    options,
    "learning",
    [
      {
        ...{ title: "Loss", xLabel: "epoch", wholeX: true, yKind: "log" },
        lines: Object.entries(losses).map(([name, points]) => ({ name, points, dots: true })),
      },
      {
        ...{ title: "Mistakes of the perceptron in each pass", xLabel: "epoch", wholeX: true },
        lines: [{ points: mistakes.map((count, i) => [i + 1, count]), dots: true }],
      },
    ],
    { title: "Three ways to a linear classifier" },
  );
  const last = mistakes.at(-1)!;
  const separated = converged
    ? `separates its ${y.size} training pictures after ${mistakes.length} passes`
    : `still errs ${last} times in pass ${mistakes.length} over ${y.size} training pictures`;
  return {
    measures: { ...accuracies, mistakes: last } as Record<string, number>,
    sentence:
      `One template a class gets ${percent(accuracies.softmax!)} of the test pictures right by softmax regression, ` +
      `${percent(accuracies.hinge!)} as an SVM and ${percent(accuracies.perceptron)} by the perceptron's rule, which ${separated}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(linearClassifier);
