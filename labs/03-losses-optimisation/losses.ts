/** What losses ask of scores, and what penalties do to weights: hinge and softmax, L1 and L2. */
import { nn, tensor } from "gradus";
import { LinearClassifier, multiclassHinge, type Penalty } from "gradus/linear";
import { flatten, loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { best, type Point } from "../training.js";

/** Two classes, the right one's score ahead by so much. */
const lossAt: Record<string, (lead: number) => number> = {
  "hinge (SVM)": (lead) => multiclassHinge(...twoScores(lead)).item(),
  "squared hinge": (lead) => multiclassHinge(...twoScores(lead), { squared: true }).item(),
  "softmax (cross-entropy)": (lead) => nn.functional.crossEntropy(...twoScores(lead)).item(),
};

const twoScores = (lead: number) =>
  [tensor([[lead, 0]]), tensor(new Int32Array([0]))] as [
    ReturnType<typeof tensor>,
    ReturnType<typeof tensor>,
  ];

interface Penalised {
  readonly alpha: number;
  readonly train: number;
  /** On pictures that chose the factor, and on pictures that chose nothing. */
  readonly validation: number;
  readonly test: number;
  /** Share of weights below a hundredth of the largest. */
  readonly small: number;
}

const alphas = {
  l1: [0, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
  l2: [0, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1],
} as const;

function shareOfSmall(weights: ArrayLike<number>): number {
  const sizes = Array.from(weights, Math.abs);
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  return sizes.filter((size) => size < most / 100).length / sizes.length;
}

export const losses: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const parts = await loadPictures(options, { train: 2000, test: 2000 });
  const [all, testX] = flatten(parts);
  const [labels, testY] = [parts.train.labels, parts.test.labels];
  const half = labels.size / 2;
  const [x, heldX] = [all.narrow(0, 0, half), all.narrow(0, half, half)];
  const [y, heldY] = [labels.narrow(0, 0, half), labels.narrow(0, half, half)];
  const penalised = async (penalty: Penalty, alpha: number): Promise<Penalised> => {
    const model = new LinearClassifier(x.shape[1]!, 10, { penalty, alpha });
    const epochs = short ? 3 : 60;
    await model.fit(x, y, { epochs, lr: 3e-3, ...(signal && { signal }) });
    const [train, validation] = [await model.score(x, y), await model.score(heldX, heldY)];
    const test = await model.score(testX, testY);
    log(
      `${penalty}, α ${alpha}: ${percent(train)} of training, ${percent(validation)} of validation`,
    );
    return { alpha, train, validation, test, small: shareOfSmall(model.weight.data) };
  };
  const found: Record<"l1" | "l2", Penalised[]> = { l1: [], l2: [] };
  for (const penalty of ["l1", "l2"] as const)
    for (const alpha of short ? alphas[penalty].slice(0, 4) : alphas[penalty])
      found[penalty].push(await penalised(penalty, alpha));
  const leads = Array.from({ length: 81 }, (_, i) => (i - 30) / 10);
  const over = (list: readonly Penalised[], value: (at: Penalised) => number): Point[] =>
    list.filter(({ alpha }) => alpha > 0).map((at) => [Math.log10(at.alpha), value(at)]);
  const xLabel = "log10 of the penalty's factor";
  savePanels(
    options,
    "losses",
    [
      {
        ...{ title: "Loss", xLabel: "score of the right class less the other's" },
        lines: Object.entries(lossAt).map(([name, loss]) => ({
          name,
          points: leads.map((lead): Point => [lead, loss(lead)]).filter(([, value]) => value <= 5),
        })),
      },
      {
        ...{ title: "Accuracy on validation pictures", xLabel, percent: true },
        lines: (["l1", "l2"] as const).map((name) => ({
          ...{ name: name.toUpperCase(), dots: true },
          points: over(found[name], ({ validation }) => validation),
        })),
      },
      {
        ...{ title: "Accuracy on training pictures", xLabel, percent: true },
        lines: (["l1", "l2"] as const).map((name) => ({
          ...{ name: name.toUpperCase(), dots: true },
          points: over(found[name], ({ train }) => train),
        })),
      },
      {
        ...{ title: "Weights below 1% of the largest", xLabel, percent: true },
        lines: (["l1", "l2"] as const).map((name) => ({
          ...{ name: name.toUpperCase(), dots: true },
          points: over(found[name], ({ small }) => small),
        })),
      },
    ],
    { title: "Losses and penalties", subtitle: `${y.size} training pictures` },
  );
  const hinge = lossAt["hinge (SVM)"]!;
  const softmax = lossAt["softmax (cross-entropy)"]!;
  const [plain, l2, l1] = [
    found.l2[0]!,
    best(found.l2.slice(1), ({ validation }) => validation),
    best(found.l1.slice(1), ({ validation }) => validation),
  ];
  const measures = {
    ...{ hingeFall: hinge(2) - hinge(4), softmaxFall: softmax(2) - softmax(4) },
    ...{ plain: plain.test, l2: l2.test, l1: l1.test, smallL1: l1.small, smallL2: l2.small },
  };
  return {
    measures,
    sentence:
      `When the right score's lead grows from 2 to 4, the hinge loss falls by ${measures.hingeFall.toFixed(3)} and the softmax loss by ${measures.softmaxFall.toFixed(3)}; ` +
      `without a penalty ${percent(plain.test)} of the test pictures are right, with the L2 and the L1 that validation chose (α = ${l2.alpha} and ${l1.alpha}) ${percent(l2.test)} and ${percent(l1.test)}, ` +
      `and ${percent(l1.small)} of L1's weights are next to nothing, ${percent(l2.small)} of L2's.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(losses);
