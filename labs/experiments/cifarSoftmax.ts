/** CIFAR-10 by softmax regression on raw pixels less their mean: what a linear view of pixels can do, and its templates. */
import { StandardScaler } from "gradus/features";
import { LinearClassifier } from "gradus/linear";
import { loadCifar } from "../data/cifar.js";
import { saveTemplates } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { judge } from "../outcome.js";

export const cifarSoftmax: Lab = async (options) => {
  const { short = false, log = () => {}, signal } = options;
  const { train, test, classNames } = await loadCifar(options);
  const scaler = new StandardScaler().fit(train.images);
  const x = scaler.transform(train.images);
  const model = new LinearClassifier(x.shape[1]!, 10, {
    loss: "softmax",
    penalty: "l2",
    alpha: 0.02,
  });
  await model.fit(x, train.labels, {
    epochs: short ? 2 : 12,
    batchSize: 256,
    lr: 2e-4,
    ...(signal && { signal }),
    onEpoch: ({ epoch, epochs, loss }) => log(`${epoch}/${epochs} loss ${loss.toFixed(4)}`),
  });
  const accuracy = judge(options, {
    predicted: await model.predict(scaler.transform(test.images)),
    ...{ labels: test.labels, classNames, title: "Softmax regression on pixels" },
  });
  await saveTemplates(options, model.weight, [3, 32, 32], classNames);
  return {
    measures: { accuracy },
    sentence: `Softmax regression on raw pixels gets ${percent(accuracy)} of CIFAR-10's test pictures right.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(cifarSoftmax);
