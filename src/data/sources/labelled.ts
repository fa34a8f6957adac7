/**
 * Labelled pictures as data sets of this kind have them: a training and a test part, pictures as
 * bytes, labels from 0. Works from bytes, so a browser can fetch them. Read idxFolder.ts for
 * folders on disk.
 */
import { FormatError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { ArrayData } from "../../io/arrayData.js";
import type { Tensor } from "../../tensor/tensor.js";
import { TensorDataset } from "../dataset.js";
import { toTensor } from "../loader.js";

/** One part of a data set of labelled pictures. */
export interface LabelledPart {
  /** uint8 `[N, H, W]`. */
  readonly images: Tensor;
  /** int32 `[N]`, from 0 to the number of classes − 1. */
  readonly labels: Tensor;
  /** The two as a data set of examples `[image, label]`. */
  readonly dataset: TensorDataset<[Tensor, Tensor]>;
}

export interface LabelledImages {
  readonly train: LabelledPart;
  readonly test: LabelledPart;
  /** The number of classes. */
  readonly classes: number;
  /** What each class is called; its number where nothing is known. */
  readonly classNames: readonly string[];
}

/** One part as it was read, with what to call its files in errors. */
export interface RawPart {
  readonly images: ArrayData;
  readonly labels: ArrayData;
  readonly imagesSource?: string;
  readonly labelsSource?: string;
}

export interface LabelOptions {
  /** The number of classes; default the largest training label + 1, or the number of names. */
  readonly classes?: number;
  readonly classNames?: readonly string[];
}

/**
 * Puts two parts together as a data set, and checks that pictures and labels fit and every label
 * has a class. The arrays of the pictures become the tensors' memory.
 *
 * @throws FormatError that names the file, what came and what was expected.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const images = { shape: [2, 1, 1], dtype: "uint8", data: new Uint8Array([0, 255]) } as const;
 * const labels = { shape: [2], dtype: "uint8", data: new Uint8Array([0, 1]) } as const;
 * const part = { images, labels };
 * console.log(data.labelledImages(part, part).classes); // → 2
 * ```
 */
export function labelledImages(
  train: RawPart,
  test: RawPart,
  options: LabelOptions = {},
): LabelledImages {
  const { classNames } = options;
  checkPart("train", train);
  checkPart("test", test);
  const [trainSize, testSize] = [train, test].map(({ images }) =>
    formatShape(images.shape.slice(1)),
  );
  if (trainSize !== testSize) {
    const source = test.imagesSource ?? "test images";
    throw error(source, `pictures are ${testSize}; expected ${trainSize} as in training`);
  }
  let largest = 0;
  for (const label of train.labels.data) largest = Math.max(largest, label);
  const classes = options.classes ?? classNames?.length ?? largest + 1;
  if (classNames && classNames.length !== classes)
    throw error("classNames", `${classNames.length} names; expected ${classes}, one a class`);
  const names = classNames ?? Array.from({ length: classes }, (_, i) => String(i));
  return {
    train: finishPart("train", train, classes),
    test: finishPart("test", test, classes),
    classes,
    classNames: names,
  };
}

const error = (source: string, message: string): FormatError =>
  new FormatError("labelledImages", `${source}: ${message}`);

function checkPart(name: string, part: RawPart): void {
  const { images, labels } = part;
  const imagesSource = part.imagesSource ?? `${name} images`;
  const labelsSource = part.labelsSource ?? `${name} labels`;
  if (images.dtype !== "uint8" || images.shape.length !== 3) {
    const came = `${images.dtype} ${formatShape(images.shape)}`;
    throw error(imagesSource, `holds ${came}; expected uint8 pictures [N, H, W]`);
  }
  if ((labels.dtype !== "uint8" && labels.dtype !== "int32") || labels.shape.length !== 1) {
    const came = `${labels.dtype} ${formatShape(labels.shape)}`;
    throw error(labelsSource, `holds ${came}; expected uint8 or int32 labels [N]`);
  }
  const [pictures, count] = [images.shape[0]!, labels.shape[0]!];
  if (pictures !== count)
    throw error(labelsSource, `has ${count} labels; expected ${pictures}, one a picture`);
  if (count === 0) throw error(labelsSource, "is empty; expected at least one example");
}

function finishPart(name: string, part: RawPart, classes: number): LabelledPart {
  const values = Int32Array.from(part.labels.data);
  const bad = values.findIndex((label) => label < 0 || label >= classes);
  if (bad >= 0) {
    const source = part.labelsSource ?? `${name} labels`;
    throw error(source, `label ${bad} is ${values[bad]}; expected 0 to ${classes - 1}`);
  }
  const images = toTensor(part.images);
  const labels = toTensor({ shape: part.labels.shape, dtype: "int32", data: values });
  return { images, labels, dataset: new TensorDataset(images, labels) };
}

/** What Fashion-MNIST calls its ten classes (https://github.com/zalandoresearch/fashion-mnist). */
export const fashionMnistClasses: readonly string[] = [
  "T-shirt",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];
