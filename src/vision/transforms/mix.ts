/** Pictures mixed with others of the batch, and their labels with them. Read auto.ts next. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { argmax, maximum, oneHot, where } from "../../ops/index.js";
import { type Generator, generatorOf, rand, randn } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";
import { erase } from "./crop.js";
import { checkPictures } from "./pictures.js";
import type { GeneratorOption } from "./transform.js";

/** Candidates a draw: the chance that all are refused is below 1e-12. */
const candidates = 16;

/**
 * Gamma(alpha) numbers by Marsaglia and Tsang's method (2000), all candidates at once so that no loop depends on values; below 1 by way of
 * alpha + 1. Float64 [count].
 */
export function gamma(alpha: number, count: number, generator: Generator): Tensor {
  const raised = alpha < 1 ? alpha + 1 : alpha;
  const d = raised - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  const options = { dtype: "float64", generator } as const;
  const z = randn([count, candidates], options);
  const u = rand([count, candidates], options);
  const base = z.mul(c).add(1);
  const v = base.mul(base).mul(base);
  const isPositive = base.gt(0);
  const safe = where(isPositive, v, 1);
  const limit = z.square().mul(0.5).add(safe.neg().add(1).add(safe.log()).mul(d));
  const isTaken = isPositive.logicalAnd(u.neg().add(1).log().lt(limit));
  const first = argmax(isTaken.int(), 1).unsqueeze(1);
  const result = safe.gather(1, first).squeeze(1).mul(d);
  if (alpha >= 1) return result;
  return result.mul(
    rand([count], options)
      .neg()
      .add(1)
      .pow(1 / alpha),
  );
}

/** Beta(alpha, alpha) numbers, float64 [count]. */
export function beta(alpha: number, count: number, generator: Generator): Tensor {
  const [a, b] = [gamma(alpha, count, generator), gamma(alpha, count, generator)];
  const sum = a.add(b);
  // Both may underflow for a tiny alpha; the half is as good as any then.
  return where(sum.gt(0), a.div(where(sum.gt(0), sum, 1)), 0.5);
}

export interface MixOptions extends GeneratorOption {
  /** Both parameters of the beta distribution that shares come from, > 0; default 1: uniform. */
  readonly alpha?: number;
  /** Classes, for labels that are numbers. */
  readonly numClasses?: number;
}

/** Pictures [B, C, H, W] and shares of classes [B, classes]. */
export interface Mixed {
  readonly images: Tensor;
  readonly labels: Tensor;
}

abstract class Mix {
  protected readonly generator: Generator;
  private readonly alpha: number;
  private readonly numClasses: number | undefined;

  constructor({ alpha = 1, numClasses, generator }: MixOptions = {}) {
    if (!(alpha > 0) || !Number.isFinite(alpha))
      throw new ValueError(new.target.name, `alpha is ${alpha}; expected a number > 0`);
    if (numClasses !== undefined && !(Number.isInteger(numClasses) && numClasses >= 1))
      throw new ValueError(
        new.target.name,
        `numClasses is ${numClasses}; expected a whole number ≥ 1`,
      );
    this.alpha = alpha;
    this.numClasses = numClasses;
    this.generator = generatorOf(new.target.name, generator);
  }

  /** The mixed pictures, and the share of each picture that is its own, float64 [B]. */
  protected abstract mix(x: Tensor, other: Tensor, share: Tensor): [images: Tensor, own: Tensor];

  /**
   * Mixes each picture [B, C, H, W] with the one before it in the batch, and its label: class numbers int32 [B], or shares [B, classes].
   *
   * @throws ShapeError where labels do not fit.
   */
  forward(x: Tensor, y: Tensor): Mixed {
    const op = this.constructor.name;
    checkPictures(op, x);
    const count = x.shape[0]!;
    if (x.ndim !== 4 || y.shape[0] !== count || y.ndim < 1 || y.ndim > 2)
      throw new ShapeError(
        op,
        `got ${formatShape(x.shape)} and ${formatShape(y.shape)}; expected [B, C, H, W] and [B] or [B, classes]`,
      );
    if (y.ndim === 1 && this.numClasses === undefined)
      throw new ValueError(op, "labels are class numbers: say numClasses");
    const labels = y.ndim === 2 ? y : oneHot(y, this.numClasses!).to(x.dtype);
    const [images, own] = this.mix(x, x.roll(1, 0), beta(this.alpha, count, this.generator));
    const share = own.to(labels.dtype).unsqueeze(1);
    const mixed = labels.mul(share).add(labels.roll(1, 0).mul(share.neg().add(1)));
    return { images, labels: mixed };
  }
}

/**
 * mixup (Zhang et al., 2018): λ·x + (1 − λ)·x′ for each picture and its neighbour in the batch, labels alike; λ ~ Beta(α, α).
 *
 * @example
 * ```ts
 * import { nn, rand, tensor } from "gradus";
 * import { MixUp } from "gradus/vision";
 * const mixUp = new MixUp({ alpha: 0.2, numClasses: 3 });
 * const { images, labels } = mixUp.forward(rand([2, 1, 4, 4]), tensor(new Int32Array([0, 2])));
 * console.log(images.shape, labels.shape); // → [ 2, 1, 4, 4 ] [ 2, 3 ]
 * ```
 */
export class MixUp extends Mix {
  protected mix(x: Tensor, other: Tensor, share: Tensor): [Tensor, Tensor] {
    const own = share.to(x.dtype).reshape([-1, 1, 1, 1]);
    return [x.mul(own).add(other.mul(own.neg().add(1))), share];
  }
}

/**
 * CutMix (Yun et al., 2019): a rectangle of the neighbour in the batch is set into each picture; labels go by area.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { CutMix } from "gradus/vision";
 * const { images } = new CutMix().forward(rand([2, 1, 4, 4]), rand([2, 3]));
 * console.log(images.shape); // → [ 2, 1, 4, 4 ]
 * ```
 */
export class CutMix extends Mix {
  protected mix(x: Tensor, other: Tensor, share: Tensor): [Tensor, Tensor] {
    const [count, , rows, columns] = x.shape as [number, number, number, number];
    const part = share.neg().add(1).sqrt().mul(0.5);
    const span = (side: number): [from: Tensor, length: Tensor] => {
      const draw = rand([count], { dtype: "float64", generator: this.generator });
      const center = draw.mul(side).floor();
      const half = part.mul(side).floor();
      const from = center.sub(half).clamp(0, null);
      const to = center.add(half).clamp(0, side);
      return [from, maximum(to.sub(from), from.mul(0))];
    };
    const [[top, height], [left, width]] = [span(rows), span(columns)];
    const images = erase(x, top, left, height, width, other);
    const own = height
      .mul(width)
      .div(rows * columns)
      .neg()
      .add(1);
    return [images, own];
  }
}
