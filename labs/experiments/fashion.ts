/** Fashion-MNIST, or anything in MNIST's four files, as the experiments take it. */
import { data, type Tensor, tensor } from "gradus";
import { loadIdxFolder } from "gradus/data/node";
import type { ExperimentOptions } from "./experiment.js";

export interface Part {
  /** uint8 [N, 28, 28]. */
  readonly images: Tensor;
  /** int32 [N]. */
  readonly labels: Tensor;
}

export interface Parts {
  readonly train: Part;
  readonly test: Part;
  readonly classNames: readonly string[];
}

const head = ({ images, labels }: Part, count: number): Part => {
  const size = images.shape.slice(1).reduce((a, b) => a * b, 1);
  const shape = [Math.min(count, images.shape[0]!), ...images.shape.slice(1)];
  return {
    images: tensor(images.data.slice(0, shape[0]! * size), { shape }),
    labels: tensor(labels.data.slice(0, shape[0]!)),
  };
};

/** The first so many pictures of each part in the short form. */
const [shortTrain, shortTest] = [800, 200];

export const shorten = <T extends Parts>({ train, test, ...rest }: T) => ({
  ...rest,
  train: head(train, shortTrain),
  test: head(test, shortTest),
});

export async function loadFashion({ data: folder, short }: ExperimentOptions): Promise<Parts> {
  const { train, test } = await loadIdxFolder(folder);
  const parts = { train, test, classNames: data.fashionMnistClasses };
  return short ? shorten(parts) : parts;
}
