/** Training that is watched: the loss at each step, what was reached after each epoch. The labs compare such courses. */
import { data, type nn, type optim, type Tensor } from "gradus";
import {
  accuracy,
  DivergedError,
  type EpochSummary,
  type FitOptions,
  fit,
  type Loss,
} from "gradus/train";
import type { LabOptions } from "./lab.js";

/** Inputs and labels, or targets. */
export type Pair = readonly [x: Tensor, y: Tensor];

export interface Course {
  readonly train: Pair;
  readonly test?: Pair;
  readonly optimizer: (parameters: readonly Tensor[]) => optim.Optimizer;
  readonly epochs: number;
  /** Default 64. */
  readonly batchSize?: number;
  readonly loss?: Loss;
  readonly schedule?: NonNullable<FitOptions["schedule"]>;
}

export type Point = readonly [x: number, y: number];

export interface Followed {
  /** Loss by step, as a running mean over about 20 steps. */
  readonly losses: readonly Point[];
  /** Accuracy on the test part by epoch. */
  readonly accuracies: readonly Point[];
  readonly last: EpochSummary | undefined;
  /** Whether the loss stopped being a number. */
  readonly diverged: boolean;
}

/** Running means with a bias correction, so that the first ones are right too. */
export function smooth(values: readonly number[], decay = 0.95): Point[] {
  let [sum, weight] = [0, 0];
  return values.map((value, i) => {
    sum = decay * sum + value;
    weight = decay * weight + 1;
    return [i + 1, sum / weight];
  });
}

const loaderOf = ([x, y]: Pair, batchSize: number, shuffle: boolean) =>
  new data.DataLoader(new data.TensorDataset(x, y), { batchSize, shuffle, seed: 1 });

/** Trains in the same order of examples each time. */
export async function follow(
  model: nn.Layer,
  { train, test, optimizer, epochs, batchSize = 64, loss, schedule }: Course,
  { signal }: LabOptions,
): Promise<Followed> {
  const values: number[] = [];
  const history: EpochSummary[] = [];
  let diverged = false;
  try {
    const { status } = await fit(model, {
      optimizer: optimizer(model.parameters()),
      train: loaderOf(train, batchSize, true),
      ...(test && { validation: loaderOf(test, 500, false) }),
      epochs,
      metrics: { accuracy },
      ...(loss && { loss }),
      ...(schedule && { schedule }),
      ...(signal && { signal }),
      onEvent(event) {
        if (event.type === "step") values.push(event.loss);
        if (event.type === "epoch") history.push(event);
      },
    });
    if (status === "stopped") signal?.throwIfAborted();
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    diverged = true;
  }
  return {
    losses: smooth(values),
    accuracies: history.flatMap(({ epoch, validation: at }): Point[] =>
      at ? [[epoch, at.accuracy!]] : [],
    ),
    last: history.at(-1),
    diverged,
  };
}

/** The entry with the greatest value. */
export function best<T>(entries: readonly T[], value: (entry: T) => number): T {
  return entries.reduce((a, b) => (value(b) > value(a) ? b : a));
}
