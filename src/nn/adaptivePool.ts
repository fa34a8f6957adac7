/** Layers that pool to a given size. */
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type OutputSize,
} from "../ops/adaptivePool.js";
import type { Tensor } from "../tensor/tensor.js";
import { Layer } from "./module.js";

/** A layer to a given size. */
abstract class SizeLayer extends Layer {
  protected readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  protected override describe(): string {
    return JSON.stringify(this.outputSize);
  }
}

/**
 * Means of windows that divide the input into `outputSize` parts. x: [B, C, L].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AdaptiveAvgPool1d(2).forward(ones([1, 1, 4])).shape); // → [ 1, 1, 2 ]
 * ```
 */
export class AdaptiveAvgPool1d extends SizeLayer {
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/**
 * Means of windows that divide the input into `outputSize` parts. x: [B, C, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AdaptiveAvgPool2d(2).forward(ones([1, 1, 4, 4])).shape); // → [ 1, 1, 2, 2 ]
 * ```
 */
export class AdaptiveAvgPool2d extends SizeLayer {
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/**
 * Means of windows that divide the input into `outputSize` parts. x: [B, C, D, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AdaptiveAvgPool3d(2).forward(ones([1, 1, 4, 4, 4])).shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export class AdaptiveAvgPool3d extends SizeLayer {
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

/**
 * Largest elements of windows that divide the input into `outputSize` parts. x: [B, C, L].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AdaptiveMaxPool1d(2).forward(ones([1, 1, 4])).shape); // → [ 1, 1, 2 ]
 * ```
 */
export class AdaptiveMaxPool1d extends SizeLayer {
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize);
  }
}

/**
 * Largest elements of windows that divide the input into `outputSize` parts. x: [B, C, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AdaptiveMaxPool2d(2).forward(ones([1, 1, 4, 4])).shape); // → [ 1, 1, 2, 2 ]
 * ```
 */
export class AdaptiveMaxPool2d extends SizeLayer {
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
  }
}

/**
 * Largest elements of windows that divide the input into `outputSize` parts. x: [B, C, D, H, W].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.AdaptiveMaxPool3d(2).forward(ones([1, 1, 4, 4, 4])).shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export class AdaptiveMaxPool3d extends SizeLayer {
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool3d(x, this.outputSize);
  }
}
