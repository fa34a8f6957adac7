/** Grid search: every combination once. */
import { z } from "zod";
import { permutation } from "../../data/order.js";
import { parseOptions, positiveWhole, seedOption } from "../options.js";
import { valueAt } from "../space/scale.js";
import type { Space } from "../space/space.js";
import type { NamedOptions } from "../storage.js";
import type { Parameters } from "../types.js";
import { drawsOf, indexOf, type Sampler, type SamplerContext } from "./sampler.js";

export interface GridSamplerOptions {
  /** Points for a parameter with more values than that (continuous ones have no end of them), for all or by name. */
  readonly resolution?: number | Readonly<Record<string, number>>;
  /** Take the combinations in a random order, so that a search that is stopped early has seen some of everything; default false. */
  readonly shuffle?: boolean;
  /** Decides that order; default 0. */
  readonly seed?: number;
}

const gridOptions = z.strictObject({
  resolution: z.union([positiveWhole, z.record(z.string(), positiveWhole)]).optional(),
  shuffle: z.boolean().default(false),
  seed: seedOption,
});

/**
 * Tries every combination of the values that {@link Space.grid} lists, then has no more trials to offer.
 *
 * @example
 * ```ts
 * import { choice, createStudy, GridSampler, logGrid } from "gradus/tune";
 * const space = { lr: logGrid(1e-3, 1e-1, 3), name: choice(["sgd", "adam"]) };
 * const study = await createStudy({ space, sampler: new GridSampler() });
 * await study.optimize(({ parameters: { lr } }) => lr, {});
 * console.log((await study.trials()).length, (await study.bestTrial())!.value); // → 6 0.001
 * ```
 */
export class GridSampler implements Sampler {
  readonly settings: NamedOptions;
  readonly #options: z.output<typeof gridOptions>;
  readonly #points = new WeakMap<Space, readonly Parameters[]>();

  constructor(options: GridSamplerOptions = {}) {
    this.#options = parseOptions("GridSampler", gridOptions, options);
    this.settings = { kind: "grid", ...this.#options };
  }

  size(space: Space): number {
    return this.#pointsOf(space).length;
  }

  sample(context: SamplerContext): Parameters {
    const { space, number, fixed } = context;
    const { seed } = this.#options;
    const points = this.#pointsOf(space);
    // What was enqueued with some of its values takes no point away from the grid.
    if (Object.keys(fixed).length > 0) {
      const draws = drawsOf(seed, number);
      return space.choose(({ distribution }) => valueAt(distribution, draws.uniform()), fixed);
    }
    return points[indexOf(context) % points.length]!;
  }

  #pointsOf(space: Space): readonly Parameters[] {
    const known = this.#points.get(space);
    if (known) return known;
    const { resolution, shuffle, seed } = this.#options;
    const inOrder = space.grid(resolution === undefined ? {} : { resolution });
    const order = shuffle ? [...permutation(inOrder.length, seed)] : inOrder.map((_, i) => i);
    const points = order.map((i) => inOrder[i]!);
    this.#points.set(space, points);
    return points;
  }
}
