/** The block that residual networks of modest depth are made of (He et al., 2015, figure 5, left). cifarResNet.ts stacks it. */
import * as nn from "../../nn/index.js";
import type { Tensor } from "../../tensor/tensor.js";

/** A convolution without bias that keeps the size, or divides it by its stride. */
export const convolution = (from: number, to: number, kernel: number, stride: number): nn.Conv2d =>
  new nn.Conv2d(from, to, kernel, { stride, padding: kernel >> 1, bias: false });

export interface BasicBlockOptions {
  /** Default 1. */
  readonly stride?: number;
  /** The share of examples for which the convolutions are left out while training (Huang et al., 2016); default 0. */
  readonly stochasticDepth?: number;
}

/**
 * Two 3 × 3 convolutions with batch norms, and a way around them: relu(bn(conv(relu(bn(conv(x))))) + x). Where the size changes
 * a 1 × 1 convolution leads around. x: [B, from, H, W] → [B, to, ⌈H / stride⌉, ⌈W / stride⌉]. Parameters are called as torchvision's.
 *
 * @throws ValueError for a stochasticDepth outside of 0 to 1.
 * @example
 * ```ts
 * import { vision, zeros } from "gradus";
 * const block = new vision.BasicBlock(8, 16, { stride: 2 });
 * console.log(block.forward(zeros([2, 8, 32, 32])).shape); // → [ 2, 16, 16, 16 ]
 * ```
 */
export class BasicBlock extends nn.Layer {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly downsample: nn.Layer;
  readonly drop: nn.Layer;

  constructor(
    from: number,
    to: number,
    { stride = 1, stochasticDepth = 0 }: BasicBlockOptions = {},
  ) {
    super();
    this.conv1 = convolution(from, to, 3, stride);
    this.bn1 = new nn.BatchNorm2d(to);
    this.conv2 = convolution(to, to, 3, 1);
    this.bn2 = new nn.BatchNorm2d(to);
    this.downsample =
      stride === 1 && from === to
        ? new nn.Identity()
        : new nn.Sequential(convolution(from, to, 1, stride), new nn.BatchNorm2d(to));
    this.drop = stochasticDepth === 0 ? new nn.Identity() : new nn.StochasticDepth(stochasticDepth);
  }

  forward(x: Tensor): Tensor {
    const inner = this.bn1.forward(this.conv1.forward(x)).relu();
    const branch = this.drop.forward(this.bn2.forward(this.conv2.forward(inner)));
    return branch.add(this.downsample.forward(x)).relu();
  }
}
