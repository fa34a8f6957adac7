/**
 * The base of random transforms, and the draws that they share. A batch gets other numbers for each picture; all are tensors, so that the
 * same lines run inside compiled functions. Read randomColor.ts next.
 */
import { DTypeError, ValueError } from "../../core/errors.js";
import { Layer } from "../../nn/module.js";
import { where } from "../../ops/index.js";
import { type Generator, generatorOf, rand } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";
import { onBatch } from "./pictures.js";

export interface GeneratorOption {
  /** Where random numbers come from; default the one that `manualSeed` seeds. */
  readonly generator?: Generator;
}

export interface ChanceOptions extends GeneratorOption {
  /** Share of pictures that are changed, 0 to 1; default 0.5. */
  readonly p?: number;
}

/** A range of numbers. */
export type Range = readonly [low: number, high: number];

/** A transform of pictures [C, H, W] or [B, C, H, W], floats or bytes: a layer, so that `nn.Sequential` takes it too. */
export abstract class Transform extends Layer {
  protected readonly generator: Generator;

  constructor({ generator }: GeneratorOption = {}) {
    super();
    this.generator = generatorOf(new.target.name, generator);
  }

  /** Transforms a batch [B, C, H, W]. */
  protected abstract transform(x: Tensor): Tensor;

  forward(x: Tensor): Tensor {
    return onBatch(this.constructor.name, x, (batch) => this.transform(batch), "kept");
  }

  /** A uniform number for each picture, float64 [B]. */
  protected uniform(x: Tensor, [low, high]: Range = [0, 1]): Tensor {
    const numbers = rand([x.shape[0]!], { dtype: "float64", generator: this.generator });
    return numbers.mul(high - low).add(low);
  }

  /** A whole number from 0 to `most` for each picture, float64 [B]; `most` may differ from picture to picture. */
  protected whole(x: Tensor, most: Tensor | number): Tensor {
    const count = typeof most === "number" ? most + 1 : most.add(1);
    return this.uniform(x).mul(count).floor();
  }

  /** `changed` for a share p of the pictures, the others as they were. */
  protected sometimes(x: Tensor, changed: Tensor, p: number): Tensor {
    checkSameUnit(this.constructor.name, x, changed);
    return where(this.uniform(x).lt(p).reshape([-1, 1, 1, 1]), changed, x);
  }
}

/** Throws where some pictures would be bytes up to 255 and others floats up to 1. */
export function checkSameUnit(op: string, a: Tensor, b: Tensor): void {
  if ((a.dtype === "uint8") !== (b.dtype === "uint8"))
    throw new DTypeError(
      op,
      `some pictures would be ${a.dtype}, others ${b.dtype}; turn bytes into floats for all, before`,
    );
}

/** Throws unless p is a probability. */
export function checkChance(op: string, p: number): number {
  if (typeof p !== "number" || !(p >= 0 && p <= 1))
    throw new ValueError(op, `p is ${p}; expected 0 to 1`);
  return p;
}

/** Throws unless a range is in order and inside of bounds. */
export function checkRange(op: string, name: string, range: Range, bounds: Range): Range {
  const [low, high] = range;
  const isFinite = range.length === 2 && range.every(Number.isFinite);
  if (!(isFinite && low >= bounds[0] && low <= high && high <= bounds[1]))
    throw new ValueError(
      op,
      `${name} is [${range}]; expected finite [low, high] within ${bounds[0]} to ${bounds[1]}`,
    );
  return range;
}

/** A range from −n to n for a number n. */
export function aroundZero(op: string, name: string, value: number | Range): Range {
  const range: Range = typeof value === "number" ? [-value, value] : value;
  return checkRange(op, name, range, [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
}

/** A transform that changes a share of the pictures in one way. */
export abstract class RandomChange extends Transform {
  private readonly p: number;

  constructor(options: ChanceOptions = {}, usual = 0.5) {
    super(options);
    this.p = checkChance(new.target.name, options.p ?? usual);
  }

  protected abstract change(x: Tensor): Tensor;

  protected transform(x: Tensor): Tensor {
    return this.sometimes(x, this.change(x), this.p);
  }
}
