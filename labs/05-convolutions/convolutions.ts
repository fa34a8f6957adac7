/** Convolution arithmetic: sizes of outputs, numbers of weights, and how much of a picture one output sees, by formula and measured. */
import { Generator, manualSeed, nn, noGrad, randn, type Tensor, zeros } from "gradus";
import type { Tile } from "gradus/train";
import { savePanels, saveSheet } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import type { Point } from "../training.js";

interface Window {
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
}

/** ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1. */
export const outputSize = (
  size: number,
  { kernel, stride = 1, padding = 0, dilation = 1 }: Window,
): number => Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

/** Each layer adds dilation·(kernel − 1) steps of the layers below it. */
export function receptiveField(layers: readonly Window[]): number {
  let [field, jump] = [1, 1];
  for (const { kernel, stride = 1, dilation = 1 } of layers) {
    field += dilation * (kernel - 1) * jump;
    jump *= stride;
  }
  return field;
}

const layerOf = ({ kernel, ...rest }: Window, from: number, to: number) =>
  new nn.Conv2d(from, to, kernel, { ...rest, bias: false });

/** The gradient of the output in the middle with regard to the picture, its size at each pixel: what that output sees. */
function influence(layers: readonly Window[], size: number, generator: Generator): Tensor {
  const chain = layers.map((window) => layerOf(window, 1, 1));
  for (const { weight } of chain) noGrad(() => weight.assign(randn(weight.shape, { generator })));
  const x = zeros([1, 1, size, size], { requiresGrad: true });
  const y = chain.reduce((value: Tensor, layer) => layer.forward(value), x);
  const [rows, columns] = y.shape.slice(2) as [number, number];
  y.at(0, 0, rows >> 1, columns >> 1).backward();
  return x.grad!.detach().abs().reshape([size, size]);
}

/** The side of the smallest square that holds all pixels with any influence. */
function measuredField(map: Tensor): number {
  const size = map.shape[0]!;
  const seen = (values: Tensor) => Array.from(values.data).flatMap((v, i) => (v > 0 ? [i] : []));
  const sides = [map.sum(0), map.sum(1)].map((line) => {
    const places = seen(line);
    return places.length === 0 ? 0 : places.at(-1)! - places[0]! + 1;
  });
  return Math.min(size, Math.max(...sides));
}

const shapes: readonly Window[] = [1, 2, 3, 5, 7].flatMap((kernel) =>
  [1, 2, 3].flatMap((stride) =>
    [0, 1, 2].flatMap((padding) =>
      [1, 2].map((dilation) => ({ kernel, stride, padding, dilation })),
    ),
  ),
);

const plain: Window = { kernel: 3, padding: 1 };
const many = (window: Window, count: number) => Array.from({ length: count }, () => window);
const stacks: Record<string, (depth: number) => readonly Window[]> = {
  "3 × 3": (depth) => many(plain, depth),
  "3 × 3, each second one by stride 2": (depth) =>
    Array.from({ length: depth }, (_, i) => (i % 2 ? { ...plain, stride: 2 } : plain)),
  "3 × 3, dilation 1, 2, 4 …": (depth) =>
    Array.from({ length: depth }, (_, i) => ({ kernel: 3, padding: 2 ** i, dilation: 2 ** i })),
};

/** The share of a receptive field's pixels, the strongest first, that hold nine tenths of the influence. */
function effectiveShare(map: Tensor, field: number): number {
  const values = Array.from(map.data).sort((a, b) => b - a);
  const total = values.reduce((a, b) => a + b, 0);
  let [sum, count] = [0, 0];
  while (sum < 0.9 * total) sum += values[count++]!;
  return count / field ** 2;
}

/** Mean influence over networks with weights of their own, as a picture from 0 to 1. */
function meanInfluence(layers: readonly Window[], size: number, runs: number): Tensor {
  const generator = new Generator(4);
  let sum = zeros([size, size]);
  for (let i = 0; i < runs; i++) {
    const map = influence(layers, size, generator);
    sum = sum.add(map.div(map.amax()));
  }
  return sum.div(sum.amax());
}

export const convolutions: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  manualSeed(1);
  const size = 65;
  const measuredSize = (window: Window) =>
    layerOf(window, 1, 1).forward(zeros([1, 1, 32, 32])).shape[2]!;
  const agreeing = shapes.filter((window) => measuredSize(window) === outputSize(32, window));
  log(`Sizes: ${agreeing.length} of ${shapes.length} as the formula says`);
  const generator = new Generator(1);
  const panels: Record<string, Point[]> = {};
  let [fields, equal] = [0, 0];
  for (const [name, layers] of Object.entries(stacks))
    for (let depth = 1; depth <= 5; depth++) {
      signal?.throwIfAborted();
      const field = receptiveField(layers(depth));
      const measured = measuredField(influence(layers(depth), size, generator));
      fields++;
      equal += Number(field === measured);
      panels[name] = [...(panels[name] ?? []), [depth, measured]];
    }
  const channels = 64;
  const weights = (windows: readonly Window[]) =>
    windows.reduce((sum, window) => sum + layerOf(window, channels, channels).weight.size, 0);
  const [three, one] = [weights(many(plain, 3)), weights([{ kernel: 7, padding: 3 }])];
  const depths = short ? [2, 8] : [1, 4, 8, 16, 24];
  const shares: Point[] = [];
  const tiles: Tile[] = [];
  for (const depth of depths) {
    signal?.throwIfAborted();
    const map = meanInfluence(many(plain, depth), size, short ? 3 : 30);
    const field = receptiveField(many(plain, depth));
    shares.push([depth, effectiveShare(map, field)]);
    tiles.push({ image: map.sqrt(), caption: `${depth} layers: ${field} x ${field}` });
  }
  await saveSheet(options, "effective-fields", tiles, {
    ...{ columns: 5, scale: 2, title: "What one output sees of 65 x 65 pixels" },
  });
  savePanels(
    options,
    "receptive-fields",
    [
      {
        ...{ title: "Side of the receptive field, measured", xLabel: "layers", wholeX: true },
        lines: Object.entries(panels).map(([name, points]) => ({ name, points, dots: true })),
      },
      {
        ...{ title: "Share of the field with 90% of the influence", xLabel: "layers of 3 × 3" },
        ...{ wholeX: true, percent: true, lines: [{ points: shares, dots: true }] },
      },
    ],
    { title: "Receptive fields" },
  );
  const [depth, share] = shares.at(-1)!;
  const fieldsOf = [receptiveField(many(plain, 3)), receptiveField([{ kernel: 7 }])];
  return {
    measures: {
      ...{ shapes: shapes.length, agreeing: agreeing.length, fields, equal },
      ...{ weightsOfThree: three, weightsOfOne: one, share },
    },
    sentence:
      `${agreeing.length} of ${shapes.length} output sizes and ${equal} of ${fields} receptive fields are what the formulas say; ` +
      `three 3 × 3 layers see ${fieldsOf[0]} pixels across, one 7 × 7 layer ${fieldsOf[1]}, with ${three} and ${one} weights for ${channels} channels (${percent(three / one)}), ` +
      `and after ${depth} layers 90% of the influence comes from ${percent(share)} of the field.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(convolutions);
