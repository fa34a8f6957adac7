/** Residual networks for small pictures (He et al., "Deep residual learning for image recognition", 2015, section 4.2). Read basicBlock.ts for the block. */
import { ValueError } from "../../core/errors.js";
import * as nn from "../../nn/index.js";
import type { Tensor } from "../../tensor/tensor.js";
import { BasicBlock, convolution } from "./basicBlock.js";

export interface CifarResNetOptions {
  readonly classes?: number;
  /** Channels of the pictures; default 3. */
  readonly channels?: number;
  /** Layers with weights on the main path, 6n + 2; default 20. */
  readonly depth?: number;
  /** Channels of the first stage, doubled in the second and third; default 16. */
  readonly width?: number;
}

/**
 * ResNet-20, -32, -44 … for pictures of about 32 pixels: three stages of n blocks, halved between stages, then the mean over
 * all places. Where the size changes a 1 × 1 convolution leads around the block (the paper's option B). x: [B, C, H, W] →
 * scores [B, classes].
 *
 * @throws ValueError unless depth is 6n + 2 with n ≥ 1.
 * @example
 * ```ts
 * import { vision, zeros } from "gradus";
 * const model = new vision.CifarResNet({ depth: 8, width: 4 });
 * console.log(model.forward(zeros([2, 3, 32, 32])).shape); // → [ 2, 10 ]
 * ```
 */
export class CifarResNet extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly fc: nn.Linear;

  constructor({ classes = 10, channels = 3, depth = 20, width = 16 }: CifarResNetOptions = {}) {
    super();
    const blocks = (depth - 2) / 6;
    if (!Number.isInteger(blocks) || blocks < 1)
      throw new ValueError("CifarResNet", `depth is ${depth}; expected 6n + 2, such as 8, 14, 20`);
    const stage = (from: number, to: number, stride: number) =>
      new nn.Sequential(
        ...Array.from({ length: blocks }, (_, i) =>
          i === 0 ? new BasicBlock(from, to, { stride }) : new BasicBlock(to, to),
        ),
      );
    this.conv1 = convolution(channels, width, 3, 1);
    this.bn1 = new nn.BatchNorm2d(width);
    this.layer1 = stage(width, width, 1);
    this.layer2 = stage(width, 2 * width, 2);
    this.layer3 = stage(2 * width, 4 * width, 2);
    this.fc = new nn.Linear(4 * width, classes);
  }

  /** The mean over all places before the last layer: [B, C, H, W] → [B, 4·width]. */
  features(x: Tensor): Tensor {
    const first = this.layer1.forward(this.bn1.forward(this.conv1.forward(x)).relu());
    return this.layer3.forward(this.layer2.forward(first)).mean([2, 3]);
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }
}
