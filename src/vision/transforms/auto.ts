/**
 * Augmentation policies: each picture gets operations and magnitudes of its own, the same for a seed in eager mode and inside compiled
 * functions. Read choices.ts for how they run, policies.ts for AutoAugment's tables.
 */
import { ValueError } from "../../core/errors.js";
import { rand } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  type Choice,
  choiceOf,
  commonSpace,
  type Draws,
  drawChoices,
  none,
  runChoices,
  type Space,
  upTo,
} from "./choices.js";
import { type SampleOptions, sampleModes } from "./geometry.js";
import { checkChannels, checkChoice } from "./pictures.js";
import { type PolicyName, policies } from "./policies.js";
import { type GeneratorOption, Transform } from "./transform.js";

export interface AutoOptions extends SampleOptions, GeneratorOption {}

/** What the policies share. */
export abstract class AutoTransform extends Transform {
  private readonly sampling: SampleOptions;

  constructor(options: AutoOptions) {
    super(options);
    const { interpolation, fill } = options;
    if (interpolation !== undefined)
      checkChoice(new.target.name, "interpolation", interpolation, sampleModes);
    this.sampling = {
      ...(interpolation && { interpolation }),
      ...(fill !== undefined && { fill }),
    };
  }

  /** What happens to a batch of grey or coloured pictures. */
  protected abstract augment(x: Tensor): Tensor;

  protected transform(x: Tensor): Tensor {
    // Said at once, not when an operation that needs colours happens to be drawn.
    checkChannels(this.constructor.name, x);
    return this.augment(x);
  }

  /** So many uniform numbers from 0 to below 1 for each picture, float64 [B] each. */
  protected draw(x: Tensor, count: number): Tensor[] {
    const options = { dtype: "float64", generator: this.generator } as const;
    const numbers = rand([x.shape[0]!, count], options);
    return Array.from({ length: count }, (_, i) => numbers.select(1, i));
  }

  protected run(x: Tensor, table: readonly Choice[], draws: Draws): Tensor {
    return runChoices(x, drawChoices(table, draws), this.sampling);
  }
}

/** AutoAugment's and RandAugment's magnitudes; shifts are measured on pictures 331 pixels wide. */
export function paperSpace([height, width]: readonly [number, number]): Space {
  return {
    ...commonSpace(0.3, 30, 0.9, 4),
    TranslateX: upTo((150 / 331) * width),
    TranslateY: upTo((150 / 331) * height),
  };
}

export interface AutoAugmentOptions extends AutoOptions {
  /** The data that the policy was found on; default "imagenet". */
  readonly policy?: PolicyName;
}

type FiveDraws = readonly [Tensor, Tensor, Tensor, Tensor, Tensor];

/**
 * AutoAugment (Cubuk et al., 2019): each picture gets one of 25 pairs of operations that a search found.
 *
 * @throws ValueError for an unknown policy.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { AutoAugment } from "gradus/vision";
 * const augment = new AutoAugment({ policy: "cifar10" });
 * console.log(augment.forward(rand([4, 3, 32, 32])).shape); // → [ 4, 3, 32, 32 ]
 * ```
 */
export class AutoAugment extends AutoTransform {
  private readonly policy: PolicyName;

  constructor(options: AutoAugmentOptions = {}) {
    super(options);
    this.policy = options.policy ?? "imagenet";
    if (!Object.hasOwn(policies, this.policy)) {
      const known = Object.keys(policies).join(", ");
      throw new ValueError("AutoAugment", `policy is "${this.policy}"; expected one of ${known}`);
    }
  }

  protected augment(x: Tensor): Tensor {
    const space = { ...paperSpace([x.shape[2]!, x.shape[3]!]), Invert: none };
    const pairs = policies[this.policy];
    const table = (i: 0 | 1) =>
      pairs.map((pair): Choice => {
        const [name, p, magnitude] = pair[i];
        return { ...choiceOf(space, name, (magnitude ?? 0) / 9), p };
      });
    const [which, chance, coin, chance2, coin2] = this.draw(x, 5) as unknown as FiveDraws;
    const once = this.run(x, table(0), { which, chance, coin });
    return this.run(once, table(1), { which, chance: chance2, coin: coin2 });
  }
}

export interface RandAugmentOptions extends AutoOptions {
  /** Operations one after another; default 2. */
  readonly numOps?: number;
  /** From 0 to `numMagnitudeBins` − 1; default 9. */
  readonly magnitude?: number;
  /** Default 31. */
  readonly numMagnitudeBins?: number;
}

/**
 * RandAugment (Cubuk et al., 2020): each picture gets so many operations at random, all of one magnitude.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandAugment } from "gradus/vision";
 * console.log(new RandAugment().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandAugment extends AutoTransform {
  private readonly numOps: number;
  private readonly place: number;

  constructor(options: RandAugmentOptions = {}) {
    super(options);
    const { numOps = 2, magnitude = 9, numMagnitudeBins = 31 } = options;
    const op = "RandAugment";
    if (!Number.isInteger(numOps) || numOps < 1)
      throw new ValueError(op, `numOps is ${numOps}; expected a whole number ≥ 1`);
    if (!(numMagnitudeBins > 1) || !(magnitude >= 0 && magnitude <= numMagnitudeBins - 1))
      throw new ValueError(op, `magnitude is ${magnitude}; expected 0 to ${numMagnitudeBins - 1}`);
    this.numOps = numOps;
    this.place = magnitude / (numMagnitudeBins - 1);
  }

  protected augment(x: Tensor): Tensor {
    const space = { Identity: none, ...paperSpace([x.shape[2]!, x.shape[3]!]) };
    const table = Object.keys(space).map((name) => choiceOf(space, name, this.place));
    let result = x;
    for (let round = 0; round < this.numOps; round++) {
      const [which, coin] = this.draw(x, 2) as [Tensor, Tensor];
      result = this.run(result, table, { which, coin });
    }
    return result;
  }
}

/** Magnitudes that TrivialAugment draws from. */
const trivialBins = 31;

/** TrivialAugment's magnitudes, wide. */
export const trivialSpace: Space = {
  ...{ Identity: none, ...commonSpace(0.99, 135, 0.99, 6) },
  ...{ TranslateX: upTo(32), TranslateY: upTo(32) },
};

/**
 * TrivialAugment (Müller and Hutter, 2021), wide: each picture gets one operation with one magnitude.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { TrivialAugmentWide } from "gradus/vision";
 * console.log(new TrivialAugmentWide().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class TrivialAugmentWide extends AutoTransform {
  constructor(options: AutoOptions = {}) {
    super(options);
  }

  protected augment(x: Tensor): Tensor {
    const places = Array.from({ length: trivialBins }, (_, i) => i / (trivialBins - 1));
    const table = Object.keys(trivialSpace).flatMap((name) =>
      places.map((place) => choiceOf(trivialSpace, name, place)),
    );
    const [which, coin] = this.draw(x, 2) as [Tensor, Tensor];
    return this.run(x, table, { which, coin });
  }
}
