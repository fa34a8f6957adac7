/** Fashion-MNIST by a linear multiclass SVM on histograms of oriented gradients. */
import { Hog, Pipeline, StandardScaler } from "gradus/features";
import { LinearClassifier } from "gradus/linear";
import { loadPictures } from "../data/pictures.js";
import { type Lab, main, percent } from "../lab.js";
import { judge } from "../outcome.js";

export const hogSvm: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const { train, test, classNames } = await loadPictures(options);
  const hog = new Hog({ pixelsPerCell: [4, 4], cellsPerBlock: [2, 2] });
  const pipeline = new Pipeline(hog, new StandardScaler());
  const x = pipeline.fitTransform(train.images);
  log(`${x.shape[1]} features of a picture`);
  const model = new LinearClassifier(x.shape[1]!, 10, { loss: "squaredHinge", alpha: 1e-2 });
  await model.fit(x, train.labels, {
    epochs: short ? 2 : 15,
    lr: 5e-4,
    ...(signal && { signal }),
    onEpoch: ({ epoch, epochs, loss }) => log(`${epoch}/${epochs} loss ${loss.toFixed(4)}`),
  });
  const accuracy = judge(options, {
    predicted: await model.predict(pipeline.transform(test.images)),
    ...{ labels: test.labels, classNames, title: "Linear SVM on histograms of gradients" },
  });
  return {
    measures: { accuracy },
    sentence: `A linear SVM on histograms of gradients gets ${percent(accuracy)} of the test pictures right.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(hogSvm);
