/**
 * Nearest neighbours: no training, all the work when asked. Which distance is best, how many neighbours should vote, and what do more
 * examples bring?
 */
import type { Tensor } from "gradus";
import {
  crossValidateNeighbors,
  KNeighborsClassifier,
  type KResult,
  type Metric,
} from "gradus/neighbors";
import { head, loadPictures, type Parts } from "../data/pictures.js";
import { savePanels, saveSheet } from "../drawing.js";
import { type Lab, type LabOptions, main, percent } from "../lab.js";
import { best } from "../training.js";

const metrics: readonly Metric[] = ["l1", "l2", "cosine"];

async function accuracyOf(
  { train, test }: Parts,
  options: { readonly metric?: Metric; readonly nNeighbors: number },
  { signal }: LabOptions,
): Promise<number> {
  const knn = new KNeighborsClassifier({ weights: "distance", ...options });
  knn.fit(train.images, train.labels);
  return knn.score(test.images, test.labels, signal && { signal });
}

/** Some test pictures, half of them misread, each with its five neighbours. */
async function drawNeighbours({ train, test, classNames }: Parts, options: LabOptions) {
  const knn = new KNeighborsClassifier({ nNeighbors: 5 });
  knn.fit(train.images, train.labels);
  const indices = (await knn.kneighbors(test.images)).indices.data;
  const first = Array.from(test.labels.data, (label, i) => ({
    query: i,
    right: train.labels.data[indices[i * 5]!] === label,
  }));
  const rows = [true, false].flatMap((wanted) =>
    first.filter(({ right }) => right === wanted).slice(0, 4),
  );
  const tile = (images: Tensor, labels: Tensor, i: number, note = "") => ({
    image: images.select(0, i),
    caption: `${note}${classNames[labels.data[i]!]}`,
  });
  const tiles = rows.flatMap(({ query }) => [
    tile(test.images, test.labels, query, "test: "),
    ...Array.from({ length: 5 }, (_, k) =>
      tile(train.images, train.labels, indices[query * 5 + k]!),
    ),
  ]);
  await saveSheet(options, "neighbours", tiles, {
    columns: 6,
    scale: 3,
    title: "Test pictures and their neighbours",
  });
}

export const neighbours: Lab = async (options) => {
  const { log = () => {}, short = false, signal } = options;
  const parts = await loadPictures(options, { train: 8000, test: 1000 });
  const { train } = parts;
  const single: Record<string, number> = {};
  const validated: { metric: Metric; results: readonly KResult[]; top: KResult }[] = [];
  for (const metric of metrics) {
    single[metric] = await accuracyOf(parts, { metric, nNeighbors: 1 }, options);
    const { results, best: top } = await crossValidateNeighbors(train.images, train.labels, {
      ks: short ? [1, 5] : [1, 3, 5, 7, 9, 13, 21, 35],
      ...{ folds: short ? 2 : 5, metric },
      ...(signal && { signal }),
    });
    validated.push({ metric, results, top });
    log(
      `${metric}: k = ${top.k} gets ${percent(top.mean)} ± ${percent(top.std)} in cross-validation`,
    );
  }
  const { metric, top: chosen } = best(validated, ({ top }) => top.mean);
  const final = await accuracyOf(parts, { metric, nNeighbors: chosen.k }, options);
  const bySize: [number, number][] = [];
  for (let size = train.labels.size; size >= 100; size >>= 1) {
    const fewer = { ...parts, train: head(train, size) };
    bySize.unshift([size, await accuracyOf(fewer, { metric, nNeighbors: 1 }, options)]);
  }
  await drawNeighbours(parts, options);
  savePanels(
    options,
    "choices",
    [
      {
        ...{ title: "Cross-validation over k", xLabel: "k", percent: true, wholeX: true },
        lines: validated.map(({ metric: name, results }) => ({
          ...{ name, dots: true },
          points: results.map(({ k, mean }) => [k, mean] as const),
        })),
      },
      {
        ...{
          title: `1-NN by ${metric} and the number of examples`,
          xLabel: "examples",
          percent: true,
        },
        lines: [{ points: bySize, dots: true }],
      },
    ],
    { title: "Nearest neighbours", subtitle: `${train.labels.size} examples` },
  );
  const [least, most] = [bySize[0]!, bySize.at(-1)!];
  return {
    measures: { ...single, k: chosen.k, accuracy: final, fewest: least[1], most: most[1] },
    sentence:
      `One neighbour is right for ${metrics.map((name) => `${percent(single[name]!)} by ${name}`).join(", ")} of the test pictures; ` +
      `cross-validation chooses ${metric} and k = ${chosen.k}, which gets ${percent(final)}, ` +
      `and going from ${least[0]} to ${most[0]} examples takes one neighbour from ${percent(least[1])} to ${percent(most[1])}.`,
  };
};

if (process.argv[1] === import.meta.filename) await main(neighbours);
