/** Fashion-MNIST by its nearest neighbours: k = 1, and the k that cross-validation chooses on the training pictures. */
import type { Tensor } from "gradus";
import { crossValidateNeighbors, KNeighborsClassifier } from "gradus/neighbors";
import { loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import { judge, shareRight } from "../outcome.js";

const ks = [1, 3, 4, 5, 6, 7, 9, 12];

export const nearestNeighbours: Lab = async (options) => {
  const { log = () => {}, signal } = options;
  const { train, test, classNames } = await loadPictures(options);
  const { labels } = test;
  const classify = (nNeighbors: number): Promise<Tensor> => {
    const knn = new KNeighborsClassifier({ nNeighbors, weights: "distance" });
    knn.fit(train.images, train.labels);
    return knn.predict(test.images, signal && { signal });
  };
  const started = performance.now();
  const single = shareRight(await classify(1), labels);
  log(`1-NN: ${percent(single)} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  let shown = 0;
  const { results, best } = await crossValidateNeighbors(train.images, train.labels, {
    ks,
    folds: 5,
    weights: "distance",
    ...(signal && { signal }),
    onProgress(done, total) {
      const tenth = Math.floor((10 * done) / total);
      if (tenth > shown) log(`cross-validation: ${10 * tenth}%`);
      shown = tenth;
    },
  });
  for (const { k, mean, std } of results) log(`k = ${k}: ${percent(mean)} ± ${percent(std)}`);
  const title = `${best.k} nearest ${best.k === 1 ? "neighbour" : "neighbours"}`;
  const predicted = await classify(best.k);
  const chosen = judge(options, { predicted, labels, classNames, title });
  savePanels(
    options,
    "neighbours",
    [
      {
        ...{
          title: "Accuracy on held-out training pictures",
          xLabel: "k",
          wholeX: true,
          percent: true,
        },
        lines: [{ name: "mean of five folds", points: results.map(({ k, mean }) => [k, mean]) }],
      },
    ],
    { title: "How many neighbours vote" },
  );
  return {
    measures: { accuracy: chosen },
    sentence: `1-NN by L2 gets ${percent(single)} of the test pictures right; cross-validation chooses k = ${best.k}, which gets ${percent(chosen)}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(nearestNeighbours);
