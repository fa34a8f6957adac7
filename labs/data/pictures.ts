/** Fashion-MNIST, or anything in MNIST's four files, as the labs take it; without a folder the digits that come with the package. */
import { basename, resolve } from "node:path";
import { data, type Tensor, tensor } from "gradus";
import { loadDigits, loadIdxFolder } from "gradus/data/node";
import type { LabOptions } from "../lab.js";

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

/** The first so many pictures of a part. */
export const head = ({ images, labels }: Part, count: number): Part => ({
  images: images.narrow(0, 0, Math.min(count, images.shape[0]!)),
  labels: labels.narrow(0, 0, Math.min(count, labels.shape[0]!)),
});

/** The first so many pictures of each part in the short form. */
const [shortTrain, shortTest] = [800, 200];

/** At most so many pictures to train on and to test with. */
export interface Amounts {
  readonly train?: number;
  readonly test?: number;
}

export async function loadPictures(
  { data: folder, short }: LabOptions,
  amounts: Amounts = {},
): Promise<Parts> {
  const { train, test } = folder === undefined ? await loadDigits() : await loadIdxFolder(folder);
  const isFashion = folder !== undefined && /fashion/i.test(basename(resolve(folder)));
  const digits = Array.from({ length: 10 }, (_, i) => String(i));
  const least = (wanted = Number.POSITIVE_INFINITY, most: number) =>
    short ? Math.min(wanted, most) : wanted;
  return {
    train: head(train, least(amounts.train, shortTrain)),
    test: head(test, least(amounts.test, shortTest)),
    classNames: isFashion ? data.fashionMnistClasses : digits,
  };
}

/** Pictures as rows of numbers around 0, [N, 784] in float32: (byte / 255 − mean) / std, with one mean and std from the training part. */
export function flatten({ train, test }: Parts): readonly [train: Tensor, test: Tensor] {
  const rows = ({ images }: Part) => images.float().div(255).flatten(1);
  const [x, other] = [rows(train), rows(test)];
  const [mean, std] = [x.mean().item(), x.std().item()];
  return [x.sub(mean).div(std), other.sub(mean).div(std)];
}

/** Labels as an int32 tensor of their own. */
export const labelsOf = ({ labels }: Part): Tensor => tensor(Int32Array.from(labels.data));
