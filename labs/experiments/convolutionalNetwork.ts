/** Fashion-MNIST by a small convolutional network with batch norm, dropout and augmentation. */
import { nn, vision } from "gradus";
import { loadPictures } from "../data/pictures.js";
import { type Lab, main, percent } from "../lab.js";
import { drawOutcome, trainPictureNetwork } from "./pictureNetwork.js";

const block = (from: number, to: number): nn.Layer[] => [
  new nn.Conv2d(from, to, 3, { padding: 1, bias: false }),
  new nn.BatchNorm2d(to),
  new nn.ReLU(),
];

/** x: [B, 1, 28, 28] → scores [B, 10]. */
export const smallNetwork = (): nn.Sequential =>
  new nn.Sequential(
    ...block(1, 32),
    ...block(32, 32),
    new nn.MaxPool2d(2),
    ...block(32, 64),
    ...block(64, 64),
    new nn.MaxPool2d(2),
    ...block(64, 128),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(0.3),
    new nn.Linear(128 * 3 * 3, 10),
  );

export const convolutionalNetwork: Lab = async (options) => {
  const parts = await loadPictures(options);
  const trained = await trainPictureNetwork(
    smallNetwork(),
    parts,
    {
      epochs: options.short ? 2 : 8,
      batchSize: options.short ? 32 : 128,
      maxLr: 0.1,
      weightDecay: 5e-4,
      labelSmoothing: 0.05,
      augment: new vision.Compose(
        new vision.RandomHorizontalFlip(),
        new vision.RandomCrop(28, { padding: 2 }),
      ),
    },
    options,
  );
  await drawOutcome(options, trained, parts, "Small convolutional network");
  const { accuracy } = trained;
  return {
    measures: { accuracy },
    sentence: `A small convolutional network gets ${percent(accuracy)} of the test pictures right.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(convolutionalNetwork);
