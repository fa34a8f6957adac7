/**
 * LeNet-5's recipe as a configuration: what `gradus train lenet` runs. Its few settings stand for many of the configuration's.
 * Read config/schema.ts for all of them.
 */
import type { RunDefinition } from "./config/define.js";

export const optimizerNames = ["adam", "adamw", "sgd"] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** What a learning rate is where none is given. */
export const defaultRates: Readonly<Record<OptimizerName, number>> = {
  adam: 3e-3,
  adamw: 3e-3,
  sgd: 0.05,
};

/** The settings of LeNet-5's recipe; what is left out is as `gradus train lenet --help` says. */
export interface RecipeSettings {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: OptimizerName;
  /** The highest learning rate: it rises to it over the first steps, then falls along a cosine. */
  readonly lr?: number;
  /** Decides the first weights and the order of the examples. */
  readonly seed?: number;
  /** Training pictures are moved at random by up to so many pixels. */
  readonly shift?: number;
  /** A folder with MNIST's four files; default the digits that come with the package. */
  readonly data?: { readonly path: string; readonly classNames?: readonly string[] };
}

/**
 * LeNet-5 on greyscale pictures of 28 × 28 pixels, measured on the data's own test part.
 *
 * @example
 * ```ts
 * import { lenetRecipe } from "gradus/train";
 * console.log(lenetRecipe({ epochs: 3 }).train); // → { epochs: 3, batchSize: 64, seed: 0 }
 * ```
 */
export function lenetRecipe(settings: RecipeSettings = {}): RunDefinition {
  const { epochs = 12, batchSize = 64, optimizer = "adam", seed = 0, shift = 1, data } = settings;
  const lr = settings.lr ?? defaultRates[optimizer];
  const { path, classNames } = data ?? {};
  return {
    model: "lenet",
    data: {
      ...(path === undefined
        ? { name: "digits" as const }
        : { name: "idx" as const, path, ...(classNames && { classNames: [...classNames] }) }),
      validation: "test",
      augment: [{ name: "shift", pixels: shift }],
    },
    loss: "crossEntropy",
    optim:
      optimizer === "sgd"
        ? { name: "sgd", lr, momentum: 0.9, weightDecay: 5e-4 }
        : { name: optimizer, lr },
    schedule: { name: "cosine", warmup: 0.05 },
    train: { epochs, batchSize, seed },
    metrics: ["accuracy"],
  };
}
