/** Fashion-MNIST by softmax regression on standardised pixels, and what the classifier looks for as pictures. */
import { StandardScaler } from "gradus/features";
import { LinearClassifier } from "gradus/linear";
import { loadPictures } from "../data/pictures.js";
import { saveTemplates } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { judge } from "../outcome.js";

export const softmaxRegression: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const { train, test, classNames } = await loadPictures(options);
  const scaler = new StandardScaler().fit(train.images);
  const x = scaler.transform(train.images);
  const model = new LinearClassifier(x.shape[1]!, 10, {
    loss: "softmax",
    penalty: "l2",
    alpha: 1e-3,
  });
  await model.fit(x, train.labels, {
    epochs: short ? 2 : 20,
    lr: 1e-3,
    ...(signal && { signal }),
    onEpoch: ({ epoch, epochs, loss }) => log(`${epoch}/${epochs} loss ${loss.toFixed(4)}`),
  });
  const accuracy = judge(options, {
    predicted: await model.predict(scaler.transform(test.images)),
    ...{ labels: test.labels, classNames, title: "Softmax regression" },
  });
  await saveTemplates(options, model.weight, [1, 28, 28], classNames);
  return {
    measures: { accuracy },
    sentence: `Softmax regression gets ${percent(accuracy)} of the test pictures right.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(softmaxRegression);
