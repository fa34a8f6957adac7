/** CIFAR-10 by a network of two layers on histograms of gradients and of hues: the features make the difference. */
import { nn } from "gradus";
import { FeatureUnion, Hog, HueHistogram, Pipeline, StandardScaler } from "gradus/features";
import { fitClassifier, predictClasses } from "gradus/linear";
import { loadCifar } from "../data/cifar.js";
import { type Lab, main, percent } from "../lab.js";
import { judge } from "../outcome.js";

export const cifarFeatures: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const { train, test, classNames } = await loadCifar(options);
  const hog = new Hog({ pixelsPerCell: [8, 8], cellsPerBlock: [2, 2] });
  const pipeline = new Pipeline(
    new FeatureUnion(hog, new HueHistogram({ bins: 16 })),
    new StandardScaler(),
  );
  const x = pipeline.fitTransform(train.images);
  log(`${x.shape[1]} features of a picture`);
  const model = new nn.Sequential(
    new nn.Linear(x.shape[1]!, 512),
    new nn.ReLU(),
    new nn.Dropout(0.4),
    new nn.Linear(512, 10),
  );
  await fitClassifier(model, nn.functional.crossEntropy, x, train.labels, {
    epochs: short ? 2 : 20,
    lr: 1e-3,
    ...(signal && { signal }),
    onEpoch: ({ epoch, epochs, loss }) => log(`${epoch}/${epochs} loss ${loss.toFixed(4)}`),
  });
  const accuracy = judge(options, {
    predicted: await predictClasses(model, pipeline.transform(test.images)),
    ...{ labels: test.labels, classNames, title: "Two layers on gradients and hues" },
  });
  return {
    measures: { accuracy },
    sentence: `A two-layer network on histograms of gradients and hues gets ${percent(accuracy)} of CIFAR-10's test pictures right.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(cifarFeatures);
