/** LeNet-5, the convolutional network that read digits (LeCun et al., 1998). */
import * as nn from "../../nn/index.js";
import type { Tensor } from "../../tensor/tensor.js";

export interface LeNetOptions {
  readonly classes?: number;
  /** Channels of the images; default 1. */
  readonly channels?: number;
}

/**
 * LeNet-5 as it is taught today, with ReLU and max pooling: two convolutions, three linear layers, 61,706 parameters.
 * x: [B, 1, 28, 28] → scores [B, classes].
 *
 * @example
 * ```ts
 * import { vision, zeros } from "gradus";
 * const model = new vision.LeNet5();
 * console.log(model.forward(zeros([2, 1, 28, 28])).shape); // → [ 2, 10 ]
 * ```
 */
export class LeNet5 extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly conv2: nn.Conv2d;
  readonly fc1: nn.Linear;
  readonly fc2: nn.Linear;
  readonly fc3: nn.Linear;

  constructor({ classes = 10, channels = 1 }: LeNetOptions = {}) {
    super();
    this.conv1 = new nn.Conv2d(channels, 6, 5, { padding: 2 });
    this.conv2 = new nn.Conv2d(6, 16, 5);
    this.fc1 = new nn.Linear(16 * 5 * 5, 120);
    this.fc2 = new nn.Linear(120, 84);
    this.fc3 = new nn.Linear(84, classes);
  }

  forward(x: Tensor): Tensor {
    const first = this.conv1.forward(x).relu().maxPool2d(2); // [B, 6, 14, 14]
    const second = this.conv2.forward(first).relu().maxPool2d(2); // [B, 16, 5, 5]
    const hidden = this.fc1.forward(second.flatten(1)).relu();
    return this.fc3.forward(this.fc2.forward(hidden).relu());
  }
}
