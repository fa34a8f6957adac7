/** Layers without parameters: activations, dropout, flatten; and the losses as modules. */
import { ValueError } from "../core/errors.js";
import { relu, sigmoid, tanh } from "../ops/elementary.js";
import { type CrossEntropyOptions, crossEntropy, type LossOptions, mseLoss } from "../ops/loss.js";
import { flatten } from "../ops/movement.js";
import { dropout } from "../ops/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { Layer, Module } from "./module.js";

/** max(x, 0). */
export class ReLU extends Layer {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Layer {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** 1 / (1 + e⁻ˣ). */
export class Sigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Passes its input on. */
export class Identity extends Layer {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * While training, sets elements to 0 with probability p and scales the others by 1 / (1 − p).
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const dropout = new nn.Dropout(0.5).eval();
 * console.log(dropout.forward(ones([3])).toArray()); // → [ 1, 1, 1 ]
 * ```
 */
export class Dropout extends Layer {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ValueError("Dropout", `p must be from 0 to 1, got ${p}`);
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p, { training: this.training });
  }

  protected override describe(): string {
    return `${this.p}`;
  }
}

/** Joins the dims from `start` to `end` into one; by default all but the batch's. */
export class Flatten extends Layer {
  private readonly start: number;
  private readonly end: number;

  constructor(start = 1, end = -1) {
    super();
    this.start = start;
    this.end = end;
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.start, this.end);
  }

  protected override describe(): string {
    return `${this.start}, ${this.end}`;
  }
}

/** `functional.crossEntropy` with its options kept. */
export class CrossEntropyLoss extends Module {
  private readonly options: CrossEntropyOptions;

  constructor(options: CrossEntropyOptions = {}) {
    super();
    this.options = options;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    return crossEntropy(x, target, this.options);
  }
}

/** `functional.mseLoss` with its options kept. */
export class MSELoss extends Module {
  private readonly options: LossOptions;

  constructor(options: LossOptions = {}) {
    super();
    this.options = options;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    return mseLoss(x, target, this.options);
  }
}
