/** The fully connected layer. */
import { ValueError } from "../core/errors.js";
import { linear } from "../ops/linalg.js";
import type { Tensor } from "../tensor/tensor.js";
import { defaultBias, defaultWeight } from "./init.js";
import { Layer, Parameter } from "./module.js";

/** Throws unless a layer's size is a whole number ≥ 1. */
export function checkSize(op: string, name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1)
    throw new ValueError(op, `${name} must be a whole number ≥ 1, got ${value}`);
  return value;
}

/**
 * y = x·Wᵀ + b. x: [*, inFeatures] → [*, outFeatures]; weight: [outFeatures, inFeatures].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.Linear(3, 2).forward(ones([5, 3])).shape); // → [ 5, 2 ]
 * ```
 */
export class Linear extends Layer {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    inFeatures: number,
    outFeatures: number,
    { bias = true }: { readonly bias?: boolean } = {},
  ) {
    super();
    checkSize("Linear", "inFeatures", inFeatures);
    checkSize("Linear", "outFeatures", outFeatures);
    const shape = [outFeatures, inFeatures];
    this.weight = new Parameter(defaultWeight(shape));
    this.bias = bias ? new Parameter(defaultBias(shape)) : null;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  protected override describe(): string {
    const [out, into] = this.weight.shape;
    return `${into}, ${out}${this.bias ? "" : ", bias: false"}`;
  }
}
