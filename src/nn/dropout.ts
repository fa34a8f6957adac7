/** Dropout layers beside the plain one: of channels, and for self-normalizing nets. */
import { ValueError } from "../core/errors.js";
import {
  alphaDropout,
  dropConnect,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type StochasticDepthOptions,
  stochasticDepth,
} from "../ops/dropout.js";
import type { Tensor } from "../tensor/tensor.js";
import { Linear } from "./linear.js";
import { Layer } from "./module.js";

abstract class DropLayer extends Layer {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1))
      throw new ValueError(new.target.name, `p must be from 0 to 1, got ${p}`);
    this.p = p;
  }

  protected override describe(): string {
    return `${this.p}`;
  }
}

/**
 * While training, drops whole channels of [B, C, L] or [C, L].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.Dropout1d().eval().forward(ones([1, 2])).toArray()); // → [ [ 1, 1 ] ]
 * ```
 */
export class Dropout1d extends DropLayer {
  forward(x: Tensor): Tensor {
    return dropout1d(x, this.p, { training: this.training });
  }
}

/**
 * While training, drops whole channels of [B, C, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.Dropout2d().eval().forward(ones([1, 1, 1, 2])).flatten().toArray()); // → [ 1, 1 ]
 * ```
 */
export class Dropout2d extends DropLayer {
  forward(x: Tensor): Tensor {
    return dropout2d(x, this.p, { training: this.training });
  }
}

/**
 * While training, drops whole channels of [B, C, D, H, W] or [C, D, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.Dropout3d().eval().forward(ones([1, 1, 1, 2])).flatten().toArray()); // → [ 1, 1 ]
 * ```
 */
export class Dropout3d extends DropLayer {
  forward(x: Tensor): Tensor {
    return dropout3d(x, this.p, { training: this.training });
  }
}

/**
 * While training, drops elements so that mean and variance stay: for nets with SELU.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AlphaDropout().eval().forward(ones([2])).toArray()); // → [ 1, 1 ]
 * ```
 */
export class AlphaDropout extends DropLayer {
  forward(x: Tensor): Tensor {
    return alphaDropout(x, this.p, { training: this.training });
  }
}

/**
 * {@link AlphaDropout} of whole channels.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.FeatureAlphaDropout().eval().forward(ones([1, 2])).toArray()); // → [ [ 1, 1 ] ]
 * ```
 */
export class FeatureAlphaDropout extends DropLayer {
  forward(x: Tensor): Tensor {
    return featureAlphaDropout(x, this.p, { training: this.training });
  }
}

/**
 * While training, drops whole examples of a residual branch.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.StochasticDepth(0.5).eval().forward(ones([1, 2])).toArray()); // → [ [ 1, 1 ] ]
 * ```
 */
export class StochasticDepth extends DropLayer {
  private readonly dropMode: NonNullable<StochasticDepthOptions["mode"]>;

  constructor(p: number, mode: NonNullable<StochasticDepthOptions["mode"]> = "row") {
    super(p);
    this.dropMode = mode;
  }

  forward(x: Tensor): Tensor {
    return stochasticDepth(x, this.p, { mode: this.dropMode, training: this.training });
  }

  protected override describe(): string {
    return `${this.p}, "${this.dropMode}"`;
  }
}

/**
 * A linear layer that drops weights while training (Wan et al., 2013). x: [*, inFeatures] → [*, outFeatures].
 *
 * @throws ValueError unless p is from 0 to 1.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.DropConnect(3, 2, { p: 0.2 }).forward(ones([5, 3])).shape); // → [ 5, 2 ]
 * ```
 */
export class DropConnect extends Linear {
  readonly p: number;

  constructor(
    inFeatures: number,
    outFeatures: number,
    { p = 0.5, bias = true }: { readonly p?: number; readonly bias?: boolean } = {},
  ) {
    super(inFeatures, outFeatures, { bias });
    if (!(p >= 0 && p <= 1)) throw new ValueError("DropConnect", `p must be from 0 to 1, got ${p}`);
    this.p = p;
  }

  override forward(x: Tensor): Tensor {
    return dropConnect(x, this.weight, this.bias, this.p, { training: this.training });
  }

  protected override describe(): string {
    return `${super.describe()}, p: ${this.p}`;
  }
}
