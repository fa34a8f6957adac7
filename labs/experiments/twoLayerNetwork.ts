/** Fashion-MNIST by a network of two layers on standardised pixels. */
import { nn } from "gradus";
import { StandardScaler } from "gradus/features";
import { fitClassifier, predictClasses } from "gradus/linear";
import { loadPictures } from "../data/pictures.js";
import { type Lab, main, percent } from "../lab.js";
import { judge } from "../outcome.js";

export const twoLayerNetwork: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const { train, test, classNames } = await loadPictures(options);
  const scaler = new StandardScaler().fit(train.images);
  const x = scaler.transform(train.images);
  const model = new nn.Sequential(
    new nn.Linear(x.shape[1]!, 256),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(256, 10),
  );
  await fitClassifier(model, nn.functional.crossEntropy, x, train.labels, {
    epochs: short ? 2 : 15,
    lr: 1e-3,
    ...(signal && { signal }),
    onEpoch: ({ epoch, epochs, loss }) => log(`${epoch}/${epochs} loss ${loss.toFixed(4)}`),
  });
  const accuracy = judge(options, {
    predicted: await predictClasses(model, scaler.transform(test.images)),
    ...{ labels: test.labels, classNames, title: "Two-layer network" },
  });
  return {
    measures: { accuracy },
    sentence: `A two-layer network gets ${percent(accuracy)} of the test pictures right.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(twoLayerNetwork);
