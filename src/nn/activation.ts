/** Activations as layers. Read ../ops/activation.ts for their functions. */
import { ShapeError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import * as activation from "../ops/activation.js";
import { glu, maxout, prelu, softmin } from "../ops/gate.js";
import { rrelu } from "../ops/rrelu.js";
import { logSoftmax, softmax } from "../ops/softmax.js";
import { full } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkSize } from "./linear.js";
import { Layer, Parameter } from "./module.js";

/** A layer that keeps the options of its function. */
abstract class OptionsLayer<Options extends object> extends Layer {
  protected readonly options: Options;

  constructor(options: Options) {
    super();
    this.options = options;
  }

  protected override describe(): string {
    return Object.entries(this.options)
      .map(([name, value]) => `${name}: ${value}`)
      .join(", ");
  }
}

/** A layer along one dim. */
abstract class DimLayer extends Layer {
  protected readonly dim: number;

  constructor(dim: number) {
    super();
    this.dim = dim;
  }

  protected override describe(): string {
    return `${this.dim}`;
  }
}

type Options<F extends (x: Tensor, ...rest: never[]) => Tensor> = NonNullable<Parameters<F>[1]>;

/** x where it is above 0, else negativeSlope · x. */
export class LeakyReLU extends OptionsLayer<Options<typeof activation.leakyRelu>> {
  constructor(options: Options<typeof activation.leakyRelu> = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return activation.leakyRelu(x, this.options);
  }
}

/**
 * x where it is above 0, else weight · x, with a trained weight: one for all (the default) or one for each channel.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(new nn.PReLU().forward(tensor([-4, 4])).toArray()); // → [ -1, 4 ]
 * ```
 */
export class PReLU extends Layer {
  readonly weight: Parameter;

  constructor(numParameters = 1, { init = 0.25 }: { readonly init?: number } = {}) {
    super();
    this.weight = new Parameter(full([checkSize("PReLU", "numParameters", numParameters)], init));
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  protected override describe(): string {
    return `${this.weight.size}`;
  }
}

/** x where it is above 0, else alpha · (eˣ − 1). */
export class ELU extends OptionsLayer<Options<typeof activation.elu>> {
  constructor(options: Options<typeof activation.elu> = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return activation.elu(x, this.options);
  }
}

/** The exponential linear unit that keeps mean and variance. */
export class SELU extends Layer {
  forward(x: Tensor): Tensor {
    return activation.selu(x);
  }
}

/** x where it is above 0, else alpha · (e^(x / alpha) − 1). */
export class CELU extends OptionsLayer<Options<typeof activation.celu>> {
  constructor(options: Options<typeof activation.celu> = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return activation.celu(x, this.options);
  }
}

/** x · Φ(x), or with `approximate: "tanh"` what GPT-2 uses. */
export class GELU extends OptionsLayer<Partial<activation.GeluOptions>> {
  constructor(options: Partial<activation.GeluOptions> = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return activation.gelu(x, this.options);
  }
}

/** x · sigmoid(x). */
export class SiLU extends Layer {
  forward(x: Tensor): Tensor {
    return activation.silu(x);
  }
}

/** x · tanh(softplus(x)). */
export class Mish extends Layer {
  forward(x: Tensor): Tensor {
    return activation.mish(x);
  }
}

/** log(1 + e^(beta · x)) / beta. */
export class Softplus extends OptionsLayer<Options<typeof activation.softplus>> {
  constructor(options: Options<typeof activation.softplus> = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return activation.softplus(x, this.options);
  }
}

/** x / (1 + |x|). */
export class Softsign extends Layer {
  forward(x: Tensor): Tensor {
    return activation.softsign(x);
  }
}

/** x moved into [minVal, maxVal]. */
export class Hardtanh extends OptionsLayer<Options<typeof activation.hardtanh>> {
  constructor(options: Options<typeof activation.hardtanh> = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return activation.hardtanh(x, this.options);
  }
}

/** x moved into [0, 6]. */
export class ReLU6 extends Layer {
  forward(x: Tensor): Tensor {
    return activation.relu6(x);
  }
}

/** x · (x + 3) / 6 from −3 to 3, 0 before and x after. */
export class Hardswish extends Layer {
  forward(x: Tensor): Tensor {
    return activation.hardswish(x);
  }
}

/** (x + 3) / 6 from −3 to 3, 0 before and 1 after. */
export class Hardsigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return activation.hardsigmoid(x);
  }
}

/** log(sigmoid(x)). */
export class LogSigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return activation.logSigmoid(x);
  }
}

/** x − tanh(x). */
export class Tanhshrink extends Layer {
  forward(x: Tensor): Tensor {
    return activation.tanhshrink(x);
  }
}

/** x moved towards 0 by lambd. */
export class Softshrink extends OptionsLayer<Options<typeof activation.softshrink>> {
  constructor(options: Options<typeof activation.softshrink> = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return activation.softshrink(x, this.options);
  }
}

/** x, and 0 in [−lambd, lambd]. */
export class Hardshrink extends OptionsLayer<Options<typeof activation.hardshrink>> {
  constructor(options: Options<typeof activation.hardshrink> = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return activation.hardshrink(x, this.options);
  }
}

/** x above the threshold, else `value`. */
export class Threshold extends Layer {
  private readonly threshold: number;
  private readonly value: number;

  constructor(threshold: number, value: number) {
    super();
    this.threshold = threshold;
    this.value = value;
  }

  forward(x: Tensor): Tensor {
    return activation.threshold(x, this.threshold, this.value);
  }

  protected override describe(): string {
    return `${this.threshold}, ${this.value}`;
  }
}

/** The first half along a dim times the sigmoid of the second. */
export class GLU extends DimLayer {
  constructor(dim = -1) {
    super(dim);
  }

  forward(x: Tensor): Tensor {
    return glu(x, this.dim);
  }
}

/** The largest of every `pieces` neighbours along a dim, by default the channels. */
export class Maxout extends DimLayer {
  private readonly pieces: number;

  constructor(pieces: number, dim = 1) {
    super(dim);
    this.pieces = checkSize("Maxout", "pieces", pieces);
  }

  forward(x: Tensor): Tensor {
    return maxout(x, this.pieces, this.dim);
  }

  protected override describe(): string {
    return `${this.pieces}, ${this.dim}`;
  }
}

/** exp(x) / Σ exp(x) along a dim. */
export class Softmax extends DimLayer {
  forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }
}

/**
 * Softmax over the channels at every place of an image: x: [B, C, H, W] or [C, H, W].
 *
 * @throws ShapeError for other numbers of dims.
 */
export class Softmax2d extends Layer {
  forward(x: Tensor): Tensor {
    if (x.ndim !== 3 && x.ndim !== 4)
      throw new ShapeError("Softmax2d", `expected 3 or 4 dims, got ${formatShape(x.shape)}`);
    return softmax(x, -3);
  }
}

/**
 * x where it is above 0, else slope · x, with a slope drawn for each element from [lower, upper] while training, and the middle of the two
 * in evaluation.
 *
 * @throws ValueError unless lower ≤ upper.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const layer = new nn.RReLU({ lower: 0.25, upper: 0.75 }).eval();
 * console.log(layer.forward(tensor([-4, 4])).toArray()); // → [ -2, 4 ]
 * ```
 */
export class RReLU extends OptionsLayer<{ readonly lower?: number; readonly upper?: number }> {
  constructor(options: { readonly lower?: number; readonly upper?: number } = {}) {
    super(options);
  }

  forward(x: Tensor): Tensor {
    return rrelu(x, { ...this.options, training: this.training });
  }
}

/** log(softmax(x)) along a dim. */
export class LogSoftmax extends DimLayer {
  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.dim);
  }
}

/** exp(−x) / Σ exp(−x) along a dim. */
export class Softmin extends DimLayer {
  forward(x: Tensor): Tensor {
    return softmin(x, this.dim);
  }
}
