/** The two-layer network: what a hidden layer adds to a line, how many units it takes, and what features do instead. */
import { arange, Generator, nn, optim, randn, stack, type Tensor, tensor } from "gradus";
import { Hog, Pipeline, StandardScaler } from "gradus/features";
import { classifierAccuracy, fitClassifier, predictClasses } from "gradus/linear";
import type { Tile } from "gradus/train";
import { flatten, loadPictures } from "../data/pictures.js";
import { savePanels, saveSheet } from "../drawing.js";
import { type Lab, type LabOptions, main, percent } from "../lab.js";
import type { Pair, Point } from "../training.js";

const [arms, perArm] = [3, 120];

/** Points on three spirals that wind around one another, [N, 2], and the arm of each. */
function spirals(generator: Generator): Pair {
  const t = arange(0, perArm).div(perArm - 1);
  const parts = Array.from({ length: arms }, (_, arm) => {
    const noise = randn([perArm], { generator }).mul(0.12);
    const angle = t
      .mul(4)
      .add((arm * 2 * Math.PI) / arms)
      .add(noise);
    return stack([angle.cos().mul(t), angle.sin().mul(t)], 1);
  });
  const labels = Int32Array.from({ length: arms * perArm }, (_, i) => Math.floor(i / perArm));
  return [stack(parts).reshape([-1, 2]), tensor(labels)];
}

const network = (inputs: number, hidden: number, classes: number): nn.Layer =>
  hidden === 0
    ? new nn.Linear(inputs, classes)
    : new nn.Sequential(
        new nn.Linear(inputs, hidden),
        new nn.ReLU(),
        new nn.Linear(hidden, classes),
      );

const colours = [
  [0.15, 0.39, 0.72],
  [0.85, 0.41, 0.12],
  [0.17, 0.54, 0.34],
] as const;
const [side, reach] = [160, 1.15];

/** Which class the network gives to each place of the plane, with the examples on it. */
async function regions(model: nn.Layer, [x, y]: Pair, caption: string): Promise<Tile> {
  const at = arange(0, side)
    .div(side - 1)
    .mul(2 * reach)
    .sub(reach);
  const columns = at.expand([side, side]);
  const grid = stack([columns, at.neg().reshape([-1, 1]).expand([side, side])], 2);
  const classes = (await predictClasses(model, grid.reshape([-1, 2]))).data;
  const image = new Float32Array(3 * side * side);
  const paint = (place: number, label: number, strength: number) => {
    for (let c = 0; c < 3; c++)
      image[c * side * side + place] = 1 - strength * (1 - colours[label]![c]!);
  };
  classes.forEach((label, place) => {
    paint(place, label, 0.35);
  });
  const pixel = (value: number) => Math.round(((value + reach) / (2 * reach)) * (side - 1));
  for (let i = 0; i < y.size; i++) {
    const [column, row] = [pixel(x.data[2 * i]!), pixel(-x.data[2 * i + 1]!)];
    for (const [down, right] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      const [r, c] = [row + down, column + right];
      if (r >= 0 && r < side && c >= 0 && c < side) paint(r * side + c, y.data[i]!, 1);
    }
  }
  return { image: tensor(image, { shape: [3, side, side] }), caption };
}

/** Accuracy on the spirals by number of hidden units, and the regions. */
async function learnSpirals(options: LabOptions): Promise<Point[]> {
  const { short = false, signal } = options;
  const pair = spirals(new Generator(2));
  const tiles: Tile[] = [];
  const points: Point[] = [];
  for (const hidden of short ? [0, 16] : [0, 2, 4, 8, 16, 64]) {
    const model = network(2, hidden, arms);
    await fitClassifier(model, nn.functional.crossEntropy, ...pair, {
      ...{ epochs: short ? 30 : 400, lr: 0.02, batchSize: arms * perArm },
      ...(signal && { signal }),
    });
    const accuracy = await classifierAccuracy(model, ...pair);
    points.push([hidden, accuracy]);
    const what = hidden === 0 ? "linear" : `${hidden} units`;
    tiles.push(await regions(model, pair, `${what}: ${(accuracy * 100).toFixed(0)}%`));
  }
  const look = { columns: 3, scale: 1, title: "Regions of each class" };
  await saveSheet(options, "regions", tiles, look);
  return points;
}

export const twoLayers: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const points = await learnSpirals(options);
  for (const [hidden, share] of points) log(`spirals, ${hidden} hidden units: ${percent(share)}`);
  const parts = await loadPictures(options, { train: 3000, test: 2000 });
  const [y, testY] = [parts.train.labels, parts.test.labels];
  const hog = new Pipeline(
    new Hog({ pixelsPerCell: [4, 4], cellsPerBlock: [2, 2] }),
    new StandardScaler(),
  );
  const gradientsOf = hog.fitTransform(parts.train.images);
  const inputs = { pixels: flatten(parts), HOG: [gradientsOf, hog.transform(parts.test.images)] };
  const right: Record<string, number> = {};
  for (const [name, [x, testX]] of Object.entries(inputs) as [string, readonly [Tensor, Tensor]][])
    for (const hidden of [0, 128]) {
      const model = network(x.shape[1]!, hidden, 10);
      await fitClassifier(model, nn.functional.crossEntropy, x, y, {
        ...{ epochs: short ? 3 : 20, lr: 2e-3 },
        optimizer: (parameters, lr) => new optim.AdamW(parameters, { lr, weightDecay: 1e-2 }),
        ...(signal && { signal }),
      });
      const key = `${name}${hidden === 0 ? "Linear" : "TwoLayers"}`;
      right[key] = await classifierAccuracy(model, testX, testY);
      log(`${name}, ${hidden} hidden units: ${percent(right[key])} of the test pictures`);
    }
  savePanels(
    options,
    "spirals",
    [
      {
        ...{
          title: "Accuracy on the spirals",
          xLabel: "hidden units",
          percent: true,
          wholeX: true,
        },
        lines: [{ points, dots: true }],
      },
    ],
    { title: "What hidden units bring", columns: 1 },
  );
  const [first, last] = [points[0]!, points.at(-1)!];
  const at = (key: string) => percent(right[key]!);
  return {
    measures: { ...right, spiralsLinear: first[1], spiralsTwoLayers: last[1] },
    sentence:
      `A linear classifier tells ${percent(first[1])} of the points on three spirals apart, one with ${last[0]} hidden units ${percent(last[1])}; ` +
      `on pictures a hidden layer takes raw pixels from ${at("pixelsLinear")} to ${at("pixelsTwoLayers")}, and histograms of gradients from ${at("HOGLinear")} to ${at("HOGTwoLayers")}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(twoLayers);
