/**
 * A small convolutional network of its own on Fashion-MNIST, with augmentation. First: gradus data get fashion-mnist, or give
 * a folder with its four files.
 *   gradus train examples/fashion-cnn.ts
 *   gradus train examples/fashion-cnn.ts --set model.width=64 --set data.path=my/fashion-mnist
 */
import { nn } from "gradus";
import { defineRun } from "gradus/train";

const block = (from: number, to: number): nn.Layer[] => [
  new nn.Conv2d(from, to, 3, { padding: 1, bias: false }),
  new nn.BatchNorm2d(to),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
];

export default defineRun({
  name: "fashion-cnn",
  model: {
    // Options stand beside `build`, so that --set and a search can change them.
    width: 32,
    build({ inputShape, outputs, options }) {
      const [channels = 1, height = 28, side = 28] = inputShape;
      const width = Number(options.width);
      return new nn.Sequential(
        ...block(channels, width),
        ...block(width, 2 * width),
        new nn.Flatten(),
        new nn.Dropout(0.3),
        new nn.Linear(2 * width * (height >> 2) * (side >> 2), outputs),
      );
    },
  },
  data: {
    name: "fashion-mnist",
    augment: ["randomHorizontalFlip", { name: "randomCrop", size: 28, padding: 2 }],
  },
  loss: { name: "crossEntropy", labelSmoothing: 0.05 },
  optim: {
    ...{ name: "sgd", lr: 0.1, momentum: 0.9 },
    ...{ nesterov: true, weightDecay: 5e-4, decay: "weights" },
  },
  schedule: { name: "oneCycle", pctStart: 0.25 },
  train: { epochs: 8, batchSize: 128, dropLast: true, ema: { decay: 0.999, warmup: true } },
});
