/** Pooling and resizing layers: functions of nn.functional with their settings kept. Read adaptivePool.ts next. */
import {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type LpPoolOptions,
  lpPool1d,
  lpPool2d,
} from "../ops/averagePool.js";
import {
  type FractionalMaxPool2dOptions,
  type FractionalMaxPool3dOptions,
  fractionalMaxPool2d,
  fractionalMaxPool3d,
} from "../ops/fractionalPool.js";
import { type InterpolateOptions, interpolate } from "../ops/interpolate.js";
import {
  type MaxUnpoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
} from "../ops/pool.js";
import {
  type Pair,
  type PoolOptions,
  type Single,
  type Sizes,
  spread,
  type Triple,
} from "../ops/window.js";
import type { Tensor } from "../tensor/tensor.js";
import { describeOptions } from "./conv.js";
import { Layer, Module } from "./module.js";

/** A layer of windows: the window's size and settings. */
abstract class WindowLayer<S extends Sizes, O extends object> extends Layer {
  protected readonly kernelSize: S;
  protected readonly options: O;

  constructor(kernelSize: S, options: O, rank: number) {
    super();
    spread(new.target.name, "kernelSize", kernelSize, { least: 1, rank });
    this.kernelSize = kernelSize;
    this.options = options;
  }

  protected override describe(): string {
    return `${JSON.stringify(this.kernelSize)}${describeOptions(this.options)}`;
  }
}

/**
 * The largest element of each window. x: [B, C, L] → the same with windows for places.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.MaxPool1d(2).forward(ones([1, 1, 4])).shape); // → [ 1, 1, 2 ]
 * ```
 */
export class MaxPool1d extends WindowLayer<Single, PoolOptions<Single>> {
  constructor(kernelSize: Single, options: PoolOptions<Single> = {}) {
    super(kernelSize, options, 1);
  }

  forward(x: Tensor): Tensor {
    return maxPool1d(x, this.kernelSize, this.options);
  }
}

/**
 * The largest element of each window. x: [B, C, H, W] → the same with windows for places.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.MaxPool2d(2).forward(ones([1, 1, 4, 4])).shape); // → [ 1, 1, 2, 2 ]
 * ```
 */
export class MaxPool2d extends WindowLayer<Pair, PoolOptions<Pair>> {
  constructor(kernelSize: Pair, options: PoolOptions<Pair> = {}) {
    super(kernelSize, options, 2);
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * The largest element of each window. x: [B, C, D, H, W] → the same with windows for places.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.MaxPool3d(2).forward(ones([1, 1, 4, 4, 4])).shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export class MaxPool3d extends WindowLayer<Triple, PoolOptions<Triple>> {
  constructor(kernelSize: Triple, options: PoolOptions<Triple> = {}) {
    super(kernelSize, options, 3);
  }

  forward(x: Tensor): Tensor {
    return maxPool3d(x, this.kernelSize, this.options);
  }
}

/**
 * The mean of each window. x: [B, C, L] → the same with windows for places.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AvgPool1d(2).forward(ones([1, 1, 4])).shape); // → [ 1, 1, 2 ]
 * ```
 */
export class AvgPool1d extends WindowLayer<Single, AvgPoolOptions<Single>> {
  constructor(kernelSize: Single, options: AvgPoolOptions<Single> = {}) {
    super(kernelSize, options, 1);
  }

  forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernelSize, this.options);
  }
}

/**
 * The mean of each window. x: [B, C, H, W] → the same with windows for places.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AvgPool2d(2).forward(ones([1, 1, 4, 4])).shape); // → [ 1, 1, 2, 2 ]
 * ```
 */
export class AvgPool2d extends WindowLayer<Pair, AvgPoolOptions<Pair>> {
  constructor(kernelSize: Pair, options: AvgPoolOptions<Pair> = {}) {
    super(kernelSize, options, 2);
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * The mean of each window. x: [B, C, D, H, W] → the same with windows for places.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AvgPool3d(2).forward(ones([1, 1, 4, 4, 4])).shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export class AvgPool3d extends WindowLayer<Triple, AvgPoolOptions<Triple>> {
  constructor(kernelSize: Triple, options: AvgPoolOptions<Triple> = {}) {
    super(kernelSize, options, 3);
  }

  forward(x: Tensor): Tensor {
    return avgPool3d(x, this.kernelSize, this.options);
  }
}

/**
 * (Σ xᵖ)^(1/p) over each window. x: [B, C, L].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.LPPool1d(2, 2).forward(ones([1, 1, 4])).shape); // → [ 1, 1, 2 ]
 * ```
 */
export class LPPool1d extends WindowLayer<Single, LpPoolOptions<Single>> {
  private readonly normType: number;

  constructor(normType: number, kernelSize: Single, options: LpPoolOptions<Single> = {}) {
    super(kernelSize, options, 1);
    this.normType = normType;
  }

  forward(x: Tensor): Tensor {
    return lpPool1d(x, this.normType, this.kernelSize, this.options);
  }
}

/**
 * (Σ xᵖ)^(1/p) over each window. x: [B, C, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.LPPool2d(2, 2).forward(ones([1, 1, 4, 4])).shape); // → [ 1, 1, 2, 2 ]
 * ```
 */
export class LPPool2d extends WindowLayer<Pair, LpPoolOptions<Pair>> {
  private readonly normType: number;

  constructor(normType: number, kernelSize: Pair, options: LpPoolOptions<Pair> = {}) {
    super(kernelSize, options, 2);
    this.normType = normType;
  }

  forward(x: Tensor): Tensor {
    return lpPool2d(x, this.normType, this.kernelSize, this.options);
  }
}

/**
 * Puts the values of `functional.maxPool1dWithIndices` back at their indices. x, indices: [B, C, L].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const [y, indices] = nn.functional.maxPool1dWithIndices(ones([1, 1, 4]), 2);
 * console.log(new nn.MaxUnpool1d(2).forward(y, indices).shape); // → [ 1, 1, 4 ]
 * ```
 */
export class MaxUnpool1d extends Module {
  private readonly kernelSize: Single;
  private readonly options: MaxUnpoolOptions<Single>;

  constructor(kernelSize: Single, options: MaxUnpoolOptions<Single> = {}) {
    super();
    spread("MaxUnpool1d", "kernelSize", kernelSize, { least: 1, rank: 1 });
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor, indices: Tensor): Tensor {
    return maxUnpool1d(x, indices, this.kernelSize, this.options);
  }
}

/**
 * Puts the values of `functional.maxPool2dWithIndices` back at their indices. x, indices: [B, C, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const [y, indices] = nn.functional.maxPool2dWithIndices(ones([1, 1, 4, 4]), 2);
 * console.log(new nn.MaxUnpool2d(2).forward(y, indices).shape); // → [ 1, 1, 4, 4 ]
 * ```
 */
export class MaxUnpool2d extends Module {
  private readonly kernelSize: Pair;
  private readonly options: MaxUnpoolOptions<Pair>;

  constructor(kernelSize: Pair, options: MaxUnpoolOptions<Pair> = {}) {
    super();
    spread("MaxUnpool2d", "kernelSize", kernelSize, { least: 1, rank: 2 });
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor, indices: Tensor): Tensor {
    return maxUnpool2d(x, indices, this.kernelSize, this.options);
  }
}

/**
 * Puts the values of `functional.maxPool3dWithIndices` back at their indices. x, indices: [B, C, D, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const [y, indices] = nn.functional.maxPool3dWithIndices(ones([1, 1, 4, 4, 4]), 2);
 * console.log(new nn.MaxUnpool3d(2).forward(y, indices).shape); // → [ 1, 1, 4, 4, 4 ]
 * ```
 */
export class MaxUnpool3d extends Module {
  private readonly kernelSize: Triple;
  private readonly options: MaxUnpoolOptions<Triple>;

  constructor(kernelSize: Triple, options: MaxUnpoolOptions<Triple> = {}) {
    super();
    spread("MaxUnpool3d", "kernelSize", kernelSize, { least: 1, rank: 3 });
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor, indices: Tensor): Tensor {
    return maxUnpool3d(x, indices, this.kernelSize, this.options);
  }
}

/**
 * The largest element of windows at random places. x: [B, C, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const pool = new nn.FractionalMaxPool2d(2, { outputRatio: 0.5 });
 * console.log(pool.forward(ones([1, 1, 4, 4])).shape); // → [ 1, 1, 2, 2 ]
 * ```
 */
export class FractionalMaxPool2d extends WindowLayer<Pair, FractionalMaxPool2dOptions> {
  constructor(kernelSize: Pair, options: FractionalMaxPool2dOptions) {
    super(kernelSize, options, 2);
  }

  forward(x: Tensor): Tensor {
    return fractionalMaxPool2d(x, this.kernelSize, this.options)[0];
  }
}

/**
 * {@link FractionalMaxPool2d} for volumes [B, C, D, H, W] or [C, D, H, W].
 *
 * @throws ValueError unless exactly one of outputSize and outputRatio is given; ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const pool = new nn.FractionalMaxPool3d(2, { outputSize: 3 });
 * console.log(pool.forward(ones([1, 1, 5, 5, 5])).shape); // → [ 1, 1, 3, 3, 3 ]
 * ```
 */
export class FractionalMaxPool3d extends WindowLayer<Triple, FractionalMaxPool3dOptions> {
  constructor(kernelSize: Triple, options: FractionalMaxPool3dOptions) {
    super(kernelSize, options, 3);
  }

  forward(x: Tensor): Tensor {
    return fractionalMaxPool3d(x, this.kernelSize, this.options)[0];
  }
}

/**
 * `functional.interpolate` with its settings kept.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const larger = new nn.Upsample({ scaleFactor: 2, mode: "bilinear" });
 * console.log(larger.forward(ones([1, 1, 2, 2])).shape); // → [ 1, 1, 4, 4 ]
 * ```
 */
export class Upsample extends Layer {
  private readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }

  protected override describe(): string {
    return describeOptions(this.options).slice(2);
  }
}
