/** Normalizing layers, with PyTorch's names of parameters and buffers. Read dropout.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape } from "../core/shape.js";
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from "../ops/norm.js";
import { type LocalResponseNormOptions, localResponseNorm } from "../ops/rescale.js";
import { ones, zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkSize } from "./linear.js";
import { Buffer, Layer, Parameter } from "./module.js";

export interface BatchNormLayerOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Share of the newest batch in the running statistics, default 0.1; null: all batches count the same. */
  readonly momentum?: number | null;
  /** Whether weight and bias are learned. */
  readonly affine?: boolean;
  /** Whether running statistics are kept; without them the batch's own are used in evaluation too. */
  readonly trackRunningStats?: boolean;
}

/** What batch and instance normalization share: the state and its place in PyTorch's. */
export abstract class RunningNorm extends Layer {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: Buffer | null;
  readonly runningVar: Buffer | null;
  readonly numBatchesTracked: Buffer | null;
  readonly eps: number;
  /** Share of the newest batch in the running statistics; null: all batches count the same. */
  momentum: number | null;
  protected readonly size: number;
  /** The numbers of dims that an input may have. */
  protected abstract readonly ranks: readonly number[];

  constructor(size: number, options: Required<BatchNormLayerOptions>) {
    super();
    const { eps, momentum, affine, trackRunningStats } = options;
    this.size = checkSize(new.target.name, "numFeatures", size);
    if (momentum !== null && !(momentum >= 0 && momentum <= 1))
      throw new ValueError(new.target.name, `momentum must be from 0 to 1, got ${momentum}`);
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([size])) : null;
    this.bias = affine ? new Parameter(zeros([size])) : null;
    this.runningMean = trackRunningStats ? new Buffer(zeros([size])) : null;
    this.runningVar = trackRunningStats ? new Buffer(ones([size])) : null;
    this.numBatchesTracked = trackRunningStats ? new Buffer(zeros([], { dtype: "int32" })) : null;
  }

  protected checkInput(x: Tensor): void {
    if (!this.ranks.includes(x.ndim))
      throw new ShapeError(
        this.constructor.name,
        `expected ${this.ranks.join(" or ")} dims, got ${formatShape(x.shape)}`,
      );
  }

  /** Forgets the running statistics. */
  resetRunningStats(): void {
    this.runningMean?.assign(zeros([this.size]));
    this.runningVar?.assign(ones([this.size]));
    this.numBatchesTracked?.assign(zeros([], { dtype: "int32" }));
  }

  /** Counts the batch; gives the share that it has in the running statistics. */
  protected countBatch(): number | Tensor {
    const count = this.numBatchesTracked;
    if (!count) return 0;
    count.assign(count.add(1));
    return this.momentum ?? count.to("float32").reciprocal();
  }

  protected override describe(): string {
    return `${this.size}, eps: ${this.eps}, momentum: ${this.momentum}, affine: ${this.weight !== null}`;
  }
}

export abstract class BatchNorm extends RunningNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    super(numFeatures, { eps, momentum, affine, trackRunningStats });
  }

  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const { runningMean, runningVar, weight, bias, eps } = this;
    const training = this.training || runningMean === null;
    const momentum = this.training ? this.countBatch() : 0;
    return batchNorm(x, runningMean, runningVar, weight, bias, { training, momentum, eps });
  }
}

/**
 * Batch normalization of [B, C] or [B, C, L].
 *
 * @throws ShapeError unless the input has as many dims and channels.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const norm = new nn.BatchNorm1d(1, { eps: 0 });
 * console.log(norm.forward(tensor([[1], [3]])).toArray()); // → [ [ -1 ], [ 1 ] ]
 * console.log(norm.runningMean?.toArray()); // ≈ [ 0.2 ]
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected readonly ranks = [2, 3];
}

/**
 * Batch normalization of images [B, C, H, W].
 *
 * @throws ShapeError unless the input has as many dims and channels.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.BatchNorm2d(3).eval().forward(ones([1, 3, 2, 2])).shape); // → [ 1, 3, 2, 2 ]
 * ```
 */
export class BatchNorm2d extends BatchNorm {
  protected readonly ranks = [4];
}

/**
 * Batch normalization of volumes [B, C, D, H, W].
 *
 * @throws ShapeError unless the input has as many dims and channels.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.BatchNorm3d(1).eval().forward(ones([1, 1, 2, 2, 2])).shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export class BatchNorm3d extends BatchNorm {
  protected readonly ranks = [5];
}

export interface InstanceNormLayerOptions {
  readonly eps?: number;
  readonly momentum?: number;
  /** Whether weight and bias are learned; default false. */
  readonly affine?: boolean;
  /** Whether running statistics are kept and used in evaluation; default false. */
  readonly trackRunningStats?: boolean;
}

abstract class InstanceNorm extends RunningNorm {
  constructor(numFeatures: number, options: InstanceNormLayerOptions = {}) {
    const { eps = 1e-5, momentum = 0.1, affine = false, trackRunningStats = false } = options;
    super(numFeatures, { eps, momentum, affine, trackRunningStats });
  }

  forward(x: Tensor): Tensor {
    this.checkInput(x);
    if (x.ndim === this.ranks[0]) {
      const y = this.normalize(x.unsqueeze(0));
      return y.squeeze(0);
    }
    return this.normalize(x);
  }

  private normalize(x: Tensor): Tensor {
    const { runningMean, runningVar, weight, bias, eps } = this;
    const useInputStats = this.training || runningMean === null;
    // PyTorch's layer keeps the count but does not advance it.
    const momentum = this.momentum ?? 0;
    const options = { useInputStats, momentum, eps };
    return instanceNorm(x, runningMean, runningVar, weight, bias, options);
  }
}

/**
 * Instance normalization of [B, C, L] or [C, L].
 *
 * @throws ShapeError unless the input has as many dims and channels.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.InstanceNorm1d(2).forward(ones([1, 2, 3])).shape); // → [ 1, 2, 3 ]
 * ```
 */
export class InstanceNorm1d extends InstanceNorm {
  protected readonly ranks = [2, 3];
}

/**
 * Instance normalization of [B, C, H, W] or [C, H, W].
 *
 * @throws ShapeError unless the input has as many dims and channels.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.InstanceNorm2d(2).forward(ones([1, 2, 3, 3])).shape); // → [ 1, 2, 3, 3 ]
 * ```
 */
export class InstanceNorm2d extends InstanceNorm {
  protected readonly ranks = [3, 4];
}

/**
 * Instance normalization of [B, C, D, H, W] or [C, D, H, W].
 *
 * @throws ShapeError unless the input has as many dims and channels.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.InstanceNorm3d(1).forward(ones([1, 1, 2, 2, 2])).shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export class InstanceNorm3d extends InstanceNorm {
  protected readonly ranks = [4, 5];
}

const asShape = (shape: number | Shape): Shape =>
  typeof shape === "number" ? [shape] : [...shape];

export interface LayerNormLayerOptions {
  readonly eps?: number;
  /** Whether weight and bias are learned; default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether there is a bias beside the weight; default true. */
  readonly bias?: boolean;
}

/**
 * Mean 0 and variance 1 over the last dims, then a learned weight and bias of their shape.
 *
 * @throws ShapeError unless the input ends in that shape.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(new nn.LayerNorm(2, { eps: 0 }).forward(tensor([1, 3])).toArray()); // → [ -1, 1 ]
 * ```
 */
export class LayerNorm extends Layer {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly eps: number;
  private readonly normalizedShape: Shape;

  constructor(normalizedShape: number | Shape, options: LayerNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    this.normalizedShape = asShape(normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }

  protected override describe(): string {
    return `${formatShape(this.normalizedShape)}, eps: ${this.eps}`;
  }
}

/**
 * Root mean square 1 over the last dims, then a learned weight of their shape. eps: by default the distance from 1 to the next number.
 *
 * @throws ShapeError unless the input ends in that shape.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(new nn.RMSNorm(2, { eps: 0 }).forward(tensor([2, 2])).toArray()); // → [ 1, 1 ]
 * ```
 */
export class RMSNorm extends Layer {
  readonly weight: Parameter | null;
  readonly eps: number | null;
  private readonly normalizedShape: Shape;

  constructor(
    normalizedShape: number | Shape,
    options: { readonly eps?: number; readonly elementwiseAffine?: boolean } = {},
  ) {
    super();
    this.normalizedShape = asShape(normalizedShape);
    this.eps = options.eps ?? null;
    this.weight =
      options.elementwiseAffine === false ? null : new Parameter(ones(this.normalizedShape));
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(
      x,
      this.normalizedShape,
      this.weight,
      this.eps === null ? {} : { eps: this.eps },
    );
  }

  protected override describe(): string {
    return formatShape(this.normalizedShape);
  }
}

/**
 * Mean 0 and variance 1 for each example's groups of channels, then a learned weight and bias a channel.
 *
 * @throws ValueError unless the groups divide the channels.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.GroupNorm(2, 4).forward(ones([1, 4, 3])).shape); // → [ 1, 4, 3 ]
 * ```
 */
export class GroupNorm extends Layer {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly eps: number;
  private readonly numGroups: number;
  private readonly numChannels: number;

  constructor(
    numGroups: number,
    numChannels: number,
    { eps = 1e-5, affine = true }: { readonly eps?: number; readonly affine?: boolean } = {},
  ) {
    super();
    this.numGroups = checkSize("GroupNorm", "numGroups", numGroups);
    this.numChannels = checkSize("GroupNorm", "numChannels", numChannels);
    if (numChannels % numGroups !== 0)
      throw new ValueError(
        "GroupNorm",
        `${numGroups} groups do not divide ${numChannels} channels`,
      );
    this.eps = eps;
    this.weight = affine ? new Parameter(ones([numChannels])) : null;
    this.bias = affine ? new Parameter(zeros([numChannels])) : null;
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, this.weight, this.bias, { eps: this.eps });
  }

  protected override describe(): string {
    return `${this.numGroups}, ${this.numChannels}, eps: ${this.eps}`;
  }
}

/**
 * Divides by the mean square of neighbouring channels: `functional.localResponseNorm` with its settings kept.
 *
 * @throws ShapeError unless the input is [B, C, …].
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.LocalResponseNorm(2).forward(ones([1, 3, 2])).shape); // → [ 1, 3, 2 ]
 * ```
 */
export class LocalResponseNorm extends Layer {
  private readonly size: number;
  private readonly options: LocalResponseNormOptions;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    this.size = checkSize("LocalResponseNorm", "size", size);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, this.options);
  }

  protected override describe(): string {
    return `${this.size}`;
  }
}
