/** A chain of layers. */
import type { Tensor } from "../tensor/tensor.js";
import { Layer, type Module } from "./module.js";

/**
 * Layers applied one after another; their state is named by position: `0.weight`, `2.weight`, …
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * console.log(net.forward(ones([3, 4])).shape); // → [ 3, 2 ]
 * ```
 */
export class Sequential extends Layer implements Iterable<Layer> {
  private readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.layers = layers;
  }

  get length(): number {
    return this.layers.length;
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer];
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this.layers[Symbol.iterator]();
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), x);
  }
}
