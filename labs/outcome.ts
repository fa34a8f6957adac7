/** What a classifier made of the test pictures: the share that it got right, and what it took for what. Read drawing.ts for the files. */
import type { Tensor } from "gradus";
import { confusionSvg } from "gradus/train";
import { saveSvg } from "./drawing.js";
import type { LabOptions } from "./lab.js";

export interface Judged {
  /** int32 [N]. */
  readonly predicted: Tensor;
  /** int32 [N]. */
  readonly labels: Tensor;
  readonly classNames: readonly string[];
  readonly title: string;
}

/** The share of the classes that are the true ones. */
export function shareRight(predicted: Tensor, labels: Tensor): number {
  const [guesses, truths] = [predicted.data, labels.data];
  return Array.from(truths).filter((truth, i) => truth === guesses[i]).length / truths.length;
}

/** The share that is right; draws the confusion matrix as `confusion.svg`. */
export function judge(
  options: LabOptions,
  { predicted, labels, classNames, title }: Judged,
): number {
  const counts = classNames.map(() => new Array<number>(classNames.length).fill(0));
  const [guesses, truths] = [predicted.data, labels.data];
  for (let i = 0; i < truths.length; i++) counts[Number(truths[i])]![Number(guesses[i])]!++;
  saveSvg(options, "confusion", confusionSvg(counts, classNames, { title }));
  return shareRight(predicted, labels);
}
