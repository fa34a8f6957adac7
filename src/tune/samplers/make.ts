/** Samplers by name, as files and the command line name them. */
import { makeNamed } from "../options.js";
import { CoarseToFineSampler, type CoarseToFineSamplerOptions } from "./coarseToFine.js";
import { GridSampler, type GridSamplerOptions } from "./grid.js";
import { QuasiRandomSampler, type QuasiRandomSamplerOptions } from "./quasiRandom.js";
import { RandomSampler, type RandomSamplerOptions } from "./random.js";
import type { Sampler } from "./sampler.js";
import { TPESampler, type TPESamplerOptions } from "./tpe.js";

const makers = {
  coarseToFine: (options: CoarseToFineSamplerOptions) => new CoarseToFineSampler(options),
  grid: (options: GridSamplerOptions) => new GridSampler(options),
  quasiRandom: (options: QuasiRandomSamplerOptions) => new QuasiRandomSampler(options),
  random: (options: RandomSamplerOptions) => new RandomSampler(options),
  tpe: (options: TPESamplerOptions) => new TPESampler(options),
};

export type SamplerName = keyof typeof makers;

export const samplerNames = Object.keys(makers) as readonly SamplerName[];

/**
 * A sampler from its settings, JSON that may come from a file.
 *
 * @throws ValueError naming what is wrong with them.
 * @example
 * ```ts
 * import { makeSampler } from "gradus/tune";
 * console.log(makeSampler({ kind: "random", seed: 7 }).settings.seed); // → 7
 * ```
 */
export const makeSampler = (settings: unknown): Sampler =>
  makeNamed<Sampler>("sampler", makers, settings);
