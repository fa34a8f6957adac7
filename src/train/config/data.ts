/**
 * Examples in memory on their way to a run: a share is held back, a limit drawn, and what normalises them measured on what is
 * left to train with. Read build.ts for the loaders.
 */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { TensorDataset } from "../../data/dataset.js";
import { toTensor } from "../../data/loader.js";
import { permutation } from "../../data/order.js";
import type { Tensor } from "../../tensor/tensor.js";
import { type ImageStatistics, imageStatistics } from "../imageStatistics.js";

/** Inputs, and what is to be told of each. */
export interface Pair {
  /** uint8 pictures [N, H, W] or [N, C, H, W], or float32 rows [N, F]. */
  readonly x: Tensor;
  /** int32 classes [N], or float32 numbers [N, K]. */
  readonly y: Tensor;
}

/** A data set as it was read. */
export interface Examples {
  readonly train: Pair;
  readonly test?: Pair;
  /** What the classes are called; nothing where numbers are to be told. */
  readonly classNames?: readonly string[];
  /** For people, such as `handwritten digits`. */
  readonly title: string;
}

export interface SplitOptions {
  readonly validation: "test" | false | number;
  readonly splitSeed: number;
}

/** What normalises inputs: (x − mean) / std, one number for all or one a channel or column. */
export interface Normalization {
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}

export interface Split {
  readonly train: Pair;
  readonly validation?: Pair;
  readonly test?: Pair;
  /** Measured on what is trained with. */
  readonly normalization: Normalization;
  /** Of greyscale pictures. */
  readonly statistics?: ImageStatistics;
}

export const isPictures = ({ x }: Pair): boolean => x.dtype === "uint8";

/** The shape of one input as a model gets it. */
export function inputShapeOf({ x }: Pair): readonly number[] {
  const [, ...shape] = x.shape;
  return x.dtype === "uint8" && shape.length === 2 ? [1, ...shape] : shape;
}

function takeRows({ x, y }: Pair, rows: Int32Array): Pair {
  const [inputs, targets] = new TensorDataset(x, y).gather(rows);
  return { x: toTensor(inputs!), y: toTensor(targets!) };
}

/** So many examples at random; all of them where there are no more. */
export function limitPair(pair: Pair, limit: number | undefined, seed: number): Pair {
  const total = pair.y.shape[0]!;
  if (limit === undefined || limit >= total) return pair;
  return takeRows(pair, permutation(total, seed, limitDraw).subarray(0, limit).sort());
}

/** Set the two draws apart from one another, as epochs of one order. */
const [splitDraw, limitDraw] = [0, 1];

function channelStatistics({ data, shape }: Tensor): Normalization {
  const [count, channels, height, width] = shape as readonly [number, number, number, number];
  const plane = height * width;
  const [mean, std]: [number[], number[]] = [[], []];
  for (let c = 0; c < channels; c++) {
    const histogram = new Float64Array(256);
    for (let n = 0; n < count; n++) {
      const start = (n * channels + c) * plane;
      for (let i = start; i < start + plane; i++) histogram[data[i]!]!++;
    }
    const moment = (f: (byte: number) => number) =>
      histogram.reduce((sum, n, byte) => sum + n * f(byte), 0) / (count * plane);
    const average = moment((byte) => byte);
    const variance = moment((byte) => byte * byte) - average * average;
    mean.push(average / 255);
    std.push(Math.sqrt(Math.max(variance, 0)) / 255 || 1);
  }
  return { mean, std };
}

function columnStatistics({ data, shape }: Tensor): Normalization {
  const rows = shape[0]!;
  const columns = data.length / rows;
  const [mean, std]: [number[], number[]] = [[], []];
  for (let c = 0; c < columns; c++) {
    let [sum, squares] = [0, 0];
    for (let i = c; i < data.length; i += columns) sum += data[i]!;
    const average = sum / rows;
    for (let i = c; i < data.length; i += columns) squares += (data[i]! - average) ** 2;
    mean.push(average);
    std.push(Math.sqrt(squares / rows) || 1);
  }
  return { mean, std };
}

function measure(pair: Pair): Pick<Split, "normalization" | "statistics"> {
  if (!isPictures(pair)) return { normalization: columnStatistics(pair.x) };
  if (pair.x.ndim === 4) return { normalization: channelStatistics(pair.x) };
  const statistics = imageStatistics(pair.x);
  const { mean, std } = statistics;
  return { normalization: { mean, std }, statistics };
}

function checkPair(title: string, { x, y }: Pair): void {
  const isX =
    x.dtype === "uint8" ? x.ndim === 3 || x.ndim === 4 : x.dtype === "float32" && x.ndim > 1;
  const isY = y.dtype === "int32" ? y.ndim === 1 : y.dtype === "float32" && y.ndim === 2;
  if (!isX || !isY || x.shape[0] !== y.shape[0] || x.size === 0) {
    const [came, target] = [x, y].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
    throw new ShapeError(
      "data",
      `${title}: examples are ${came}, targets ${target}; expected uint8 pictures [N, H, W] or [N, C, H, W] ` +
        "or float32 rows [N, F], and int32 classes [N] or float32 numbers [N, K]",
    );
  }
}

/**
 * Holds a share of the training part back for validation, and measures what normalises the rest.
 *
 * @throws ValueError where nothing would be left, or there is no test part to validate with.
 */
export function splitExamples(examples: Examples, { validation, splitSeed }: SplitOptions): Split {
  const { train, test, title } = examples;
  checkPair(title, train);
  if (test) checkPair(`${title}, test part`, test);
  const rest = test ? { test } : {};
  if (validation === "test") {
    if (test) return { train, validation: test, ...rest, ...measure(train) };
    throw new ValueError("data", `${title} has no test part; give validation a share, such as 0.1`);
  }
  if (validation === false) return { train, ...rest, ...measure(train) };
  const total = train.y.shape[0]!;
  const held = Math.round(total * validation);
  if (held < 1 || held >= total)
    throw new ValueError(
      "data",
      `validation ${validation} of ${total} examples leaves ${total - held} to train on and ${held} to validate with`,
    );
  const order = permutation(total, splitSeed, splitDraw);
  const kept = takeRows(train, order.slice(held).sort());
  return {
    train: kept,
    validation: takeRows(train, order.slice(0, held).sort()),
    ...rest,
    ...measure(kept),
  };
}
