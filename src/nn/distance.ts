/** Layers of two inputs: bilinear maps, distances, angles. */
import {
  cosineSimilarity,
  type PairwiseDistanceOptions,
  pairwiseDistance,
} from "../ops/distance.js";
import { bilinear } from "../ops/products.js";
import type { Tensor } from "../tensor/tensor.js";
import { uniform } from "./init.js";
import { checkSize } from "./linear.js";
import { Module, Parameter } from "./module.js";

/**
 * yₖ = x1ᵀ·Wₖ·x2 + bₖ. x1: [*, in1], x2: [*, in2] → [*, out]; weight: [out, in1, in2].
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.Bilinear(2, 3, 4).forward(ones([5, 2]), ones([5, 3])).shape); // → [ 5, 4 ]
 * ```
 */
export class Bilinear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    { bias = true }: { readonly bias?: boolean } = {},
  ) {
    super();
    checkSize("Bilinear", "in1Features", in1Features);
    checkSize("Bilinear", "in2Features", in2Features);
    checkSize("Bilinear", "outFeatures", outFeatures);
    const bound = 1 / Math.sqrt(in1Features);
    this.weight = new Parameter(uniform([outFeatures, in1Features, in2Features], -bound, bound));
    this.bias = bias ? new Parameter(uniform([outFeatures], -bound, bound)) : null;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return bilinear(x1, x2, this.weight, this.bias);
  }

  protected override describe(): string {
    const [out, in1, in2] = this.weight.shape;
    return `${in1}, ${in2}, ${out}`;
  }
}

/**
 * `functional.cosineSimilarity` with its settings kept.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.CosineSimilarity().forward(ones([3, 2]), ones([3, 2])).shape); // → [ 3 ]
 * ```
 */
export class CosineSimilarity extends Module {
  private readonly options: { readonly dim?: number; readonly eps?: number };

  constructor(options: { readonly dim?: number; readonly eps?: number } = {}) {
    super();
    this.options = options;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.options);
  }
}

/**
 * `functional.pairwiseDistance` with its settings kept.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.PairwiseDistance().forward(ones([3, 2]), ones([3, 2])).shape); // → [ 3 ]
 * ```
 */
export class PairwiseDistance extends Module {
  private readonly options: PairwiseDistanceOptions;

  constructor(options: PairwiseDistanceOptions = {}) {
    super();
    this.options = options;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, this.options);
  }
}
