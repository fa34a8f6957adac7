/** Several trained networks as one: averages of their weights. Read ../../optim/swaUtils.ts for averages along a run. */
import { isFloat } from "../../core/dtype.js";
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import type { Module } from "../../nn/module.js";
import { type InputSource, updateBn } from "../../optim/swaUtils.js";
import type { Tensor } from "../../tensor/index.js";
import { copyWeights } from "../callbacks/weights.js";

/** Weights and buffers by name, as `stateDict()` gives them. */
export type Weights = ReadonlyMap<string, Tensor>;

function checkAlike(op: string, members: readonly Weights[]): void {
  const [first] = members;
  if (!first) throw new ValueError(op, "got no weights to average");
  for (const [i, other] of members.entries()) {
    const name = [...first.keys(), ...other.keys()].find(
      (key) => !first.has(key) || !other.has(key),
    );
    if (name !== undefined)
      throw new ValueError(op, `weights 0 and ${i} are of different models: only one has ${name}`);
    for (const [key, x] of first) {
      const { shape } = other.get(key)!;
      if (sameShape(x.shape, shape)) continue;
      const [a, b] = [x.shape, shape].map(formatShape);
      throw new ShapeError(op, `${key} is ${a} in weights 0, ${b} in weights ${i}`);
    }
  }
}

/**
 * The mean of several networks' weights, added up in float64; what is no float (counters) is taken from the first. Running
 * statistics of batch norm are averaged too: measure them anew with `optim.swaUtils.updateBn`.
 *
 * @throws ValueError for no weights or those of different models; ShapeError where shapes differ.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { averageWeights } from "gradus/train";
 * const mean = averageWeights([new Map([["w", tensor([1, 2])]]), new Map([["w", tensor([3, 6])]])]);
 * console.log(mean.get("w")?.toArray()); // → [ 2, 4 ]
 * ```
 */
export function averageWeights(members: readonly Weights[]): Map<string, Tensor> {
  checkAlike("averageWeights", members);
  const mean = copyWeights(members[0]!);
  for (const [name, x] of mean) {
    if (!isFloat(x.dtype)) continue;
    for (let i = 0; i < x.size; i++) {
      let sum = 0;
      for (const member of members) sum += member.get(name)!.data[i]!;
      x.data[i] = sum / members.length;
    }
  }
  return mean;
}

export interface SoupOptions {
  /** Training inputs, or batches [x, …], with which running statistics of batch norm are measured anew. */
  readonly batches?: InputSource;
}

/** Gives the model weights that are an average, and statistics that fit them. */
async function pour(
  model: Module,
  members: readonly Weights[],
  batches?: InputSource,
): Promise<void> {
  model.loadStateDict(averageWeights(members));
  if (batches) await updateBn(batches, model);
}

/**
 * A uniform soup: gives the model the mean of all weights (Wortsman et al., "Model soups", 2022). They should come from one start, such as
 * fine-tuned with different settings, or from the end of one run; the average of networks trained from different starts is useless.
 *
 * @throws as {@link averageWeights}.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * import { uniformSoup } from "gradus/train";
 * const model = new nn.Linear(1, 1, { bias: false });
 * const weights = [2, 4].map((w) => new Map([["weight", tensor([[w]])]]));
 * await uniformSoup(model, weights);
 * console.log(model.weight.item()); // → 3
 * ```
 */
export async function uniformSoup(
  model: Module,
  members: readonly Weights[],
  { batches }: SoupOptions = {},
): Promise<void> {
  await pour(model, members, batches);
}

export interface GreedySoup {
  /** Which weights went in, by their places in the list, the best alone first. */
  readonly members: readonly number[];
  /** What the soup scores. */
  readonly score: number;
  /** What each of the weights scores alone. */
  readonly scores: readonly number[];
}

/**
 * A greedy soup: takes the best weights, then tries the others from the better to the worse, and keeps each one whose average with those
 * taken so far does not score less (Wortsman et al., 2022). The model has the soup in the end, or its own weights where something fails.
 *
 * @param score measures the model as it is, higher for better, on validation data: the soup is chosen by it.
 * @throws as {@link averageWeights}; ValueError for a score that is NaN.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * import { greedySoup } from "gradus/train";
 * const model = new nn.Linear(1, 1, { bias: false });
 * const weights = [2, 4, 9].map((w) => new Map([["weight", tensor([[w]])]]));
 * const soup = await greedySoup(model, weights, async () => -Math.abs(model.weight.item() - 3));
 * console.log(soup.members, model.weight.item()); // → [ 0, 1 ] 3
 * ```
 */
export async function greedySoup(
  model: Module,
  members: readonly Weights[],
  score: () => Promise<number> | number,
  { batches }: SoupOptions = {},
): Promise<GreedySoup> {
  checkAlike("greedySoup", members);
  const own = copyWeights(model.stateDict());
  const scoreOf = async (chosen: readonly number[]): Promise<number> => {
    await pour(
      model,
      chosen.map((i) => members[i]!),
      batches,
    );
    const value = await score();
    if (Number.isNaN(value))
      throw new ValueError("greedySoup", `weights ${chosen.join(" + ")} score NaN`);
    return value;
  };
  try {
    const scores: number[] = [];
    for (const i of members.keys()) scores.push(await scoreOf([i]));
    const order = [...members.keys()].sort((a, b) => scores[b]! - scores[a]!);
    let soup = { members: [order[0]!], score: scores[order[0]!]! };
    for (const i of order.slice(1)) {
      const tried = [...soup.members, i];
      const value = await scoreOf(tried);
      if (value >= soup.score) soup = { members: tried, score: value };
    }
    await pour(
      model,
      soup.members.map((i) => members[i]!),
      batches,
    );
    return { ...soup, scores };
  } catch (error) {
    model.loadStateDict(own);
    throw error;
  }
}
