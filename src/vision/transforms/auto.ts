/**
 * Augmentation policies: each picture gets operations and magnitudes of its own. Which ones is drawn here, outside of any program, so
 * that each operation runs once on the pictures that got it. Read policies.ts for AutoAugment's tables.
 */
import { TraceError, ValueError } from "../../core/errors.js";
import { cat } from "../../ops/index.js";
import { activeTrace } from "../../tensor/context.js";
import { fromTypedArray, tensor } from "../../tensor/create.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  adjustBrightness,
  adjustContrast,
  adjustSaturation,
  autocontrast,
  equalize,
  invert,
  posterize,
  solarize,
} from "./color.js";
import { adjustSharpness } from "./filter.js";
import { affine, rotate, type SampleOptions } from "./geometry.js";
import { type PolicyName, policies } from "./policies.js";
import { type GeneratorOption, Transform } from "./transform.js";

type Operation = (x: Tensor, magnitudes: Tensor, sampling: SampleOptions) => Tensor;

/** Shears are given as slopes, and keep the upper left corner in place. */
const degreesOf = (slopes: Tensor): Tensor => slopes.atan().mul(180 / Math.PI);

const operations: Readonly<Record<string, Operation>> = {
  Identity: (x) => x,
  ShearX: (x, m, s) => affine(x, { shear: [degreesOf(m), 0], center: [0, 0], ...s }),
  ShearY: (x, m, s) => affine(x, { shear: [0, degreesOf(m)], center: [0, 0], ...s }),
  TranslateX: (x, m, s) => affine(x, { translate: [m.trunc(), 0], ...s }),
  TranslateY: (x, m, s) => affine(x, { translate: [0, m.trunc()], ...s }),
  Rotate: (x, m, s) => rotate(x, m, s),
  Brightness: (x, m) => adjustBrightness(x, m.add(1)),
  Color: (x, m) => adjustSaturation(x, m.add(1)),
  Contrast: (x, m) => adjustContrast(x, m.add(1)),
  Sharpness: (x, m) => adjustSharpness(x, m.add(1)),
  Posterize: (x, m) => posterize(x, m),
  Solarize: (x, m) => solarize(x, m),
  AutoContrast: (x) => autocontrast(x),
  Equalize: (x) => equalize(x),
  Invert: (x) => invert(x),
};

/** The magnitude of an operation at a place from 0 (weakest) to 1. */
export interface Scale {
  readonly at: (place: number) => number;
  /** Half of the pictures get the opposite. */
  readonly isSigned?: boolean;
}

export const upTo = (most: number): Scale => ({ at: (place) => most * place, isSigned: true });
export const none: Scale = { at: () => 0 };
const fewerBits = (bits: number): Scale => ({ at: (place) => 8 - Math.round(bits * place) });
/** Brightness from which on is inverted; nothing is at 1 + a little. */
export const threshold: Scale = { at: (place) => 1 - place };

export type Space = Readonly<Record<string, Scale>>;

export function commonSpace(shear: number, degrees: number, colour: number, bits: number): Space {
  return {
    ...{ ShearX: upTo(shear), ShearY: upTo(shear), Rotate: upTo(degrees) },
    ...{ Brightness: upTo(colour), Color: upTo(colour) },
    ...{ Contrast: upTo(colour), Sharpness: upTo(colour) },
    ...{ Posterize: fewerBits(bits), Solarize: threshold, AutoContrast: none, Equalize: none },
  };
}

/** AutoAugment's and RandAugment's magnitudes; shifts are measured on pictures 331 pixels wide. */
function paperSpace([height, width]: readonly [number, number]): Space {
  return {
    ...commonSpace(0.3, 30, 0.9, 4),
    TranslateX: upTo((150 / 331) * width),
    TranslateY: upTo((150 / 331) * height),
  };
}

/** One operation for one picture. */
export interface Choice {
  readonly name: string;
  readonly magnitude: number;
}

/** Runs an operation for each picture, all pictures with the same one together. */
function applyChoices(x: Tensor, choices: readonly Choice[], sampling: SampleOptions): Tensor {
  const groups = new Map<string, number[]>();
  choices.forEach(({ name }, i) => {
    groups.set(name, [...(groups.get(name) ?? []), i]);
  });
  const order: number[] = [];
  const parts = [...groups].map(([name, members]) => {
    order.push(...members);
    const magnitudes = tensor(
      members.map((i) => choices[i]!.magnitude),
      { dtype: "float64" },
    );
    const part = x.indexSelect(0, fromTypedArray(Int32Array.from(members)));
    return operations[name]!(part, magnitudes, sampling);
  });
  const places = new Int32Array(order.length);
  order.forEach((picture, at) => {
    places[picture] = at;
  });
  return cat(parts, 0).indexSelect(0, fromTypedArray(places));
}

export interface AutoOptions extends SampleOptions, GeneratorOption {}

/** What the policies share: draws outside of programs. */
export abstract class AutoTransform extends Transform {
  private readonly sampling: SampleOptions;

  constructor(options: AutoOptions) {
    super(options);
    const { interpolation, fill } = options;
    this.sampling = {
      ...(interpolation && { interpolation }),
      ...(fill !== undefined && { fill }),
    };
  }

  /** Uniform numbers from 0 to 1. */
  protected draw(count: number): number[] {
    if (activeTrace())
      throw new TraceError(
        this.constructor.name,
        "draws an operation for each picture, which a compiled program cannot choose; " +
          "call it on the batch before the compiled function",
      );
    return Array.from(this.generator.bits(count), (word) => word / 2 ** 32);
  }

  protected run(x: Tensor, choices: readonly Choice[]): Tensor {
    return applyChoices(x, choices, this.sampling);
  }
}

export const identity: Choice = { name: "Identity", magnitude: 0 };

export function choiceOf(space: Space, name: string, place: number, coin: number): Choice {
  const { at, isSigned } = space[name]!;
  const magnitude = at(place);
  return { name, magnitude: isSigned && coin < 0.5 ? -magnitude : magnitude };
}

export interface AutoAugmentOptions extends AutoOptions {
  /** The data that the policy was found on; default "imagenet". */
  readonly policy?: PolicyName;
}

/**
 * AutoAugment (Cubuk et al., 2019): each picture gets one of 25 pairs of operations that a search found. Not inside compiled functions.
 *
 * @throws ValueError for an unknown policy; TraceError inside a compiled function.
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

  protected transform(x: Tensor): Tensor {
    const [count, , height, width] = x.shape as [number, number, number, number];
    const pairs = policies[this.policy];
    const space = { ...paperSpace([height, width]), Invert: none };
    const draws = Array.from({ length: count }, () => this.draw(5));
    const round = (i: 0 | 1) =>
      draws.map((numbers): Choice => {
        const pair = pairs[Math.floor(numbers[0]! * pairs.length)]!;
        const [name, p, magnitude] = pair[i];
        if (numbers[1 + 2 * i]! >= p) return identity;
        return choiceOf(space, name, (magnitude ?? 0) / 9, numbers[2 + 2 * i]!);
      });
    return this.run(this.run(x, round(0)), round(1));
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
 * RandAugment (Cubuk et al., 2020): each picture gets so many operations at random, all of one magnitude. Not inside compiled functions.
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

  protected transform(x: Tensor): Tensor {
    const space = { Identity: none, ...paperSpace([x.shape[2]!, x.shape[3]!]) };
    const names = Object.keys(space);
    let result = x;
    for (let round = 0; round < this.numOps; round++) {
      const choices = Array.from({ length: x.shape[0]! }, () => {
        const [which, coin] = this.draw(2) as [number, number];
        return choiceOf(space, names[Math.floor(which * names.length)]!, this.place, coin);
      });
      result = this.run(result, choices);
    }
    return result;
  }
}

/** Magnitudes that TrivialAugment draws from. */
const trivialBins = 31;

/**
 * TrivialAugment (Müller and Hutter, 2021), wide: each picture gets one operation with one magnitude. Not inside compiled functions.
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

  protected transform(x: Tensor): Tensor {
    const shifts = { TranslateX: upTo(32), TranslateY: upTo(32) };
    const space = { Identity: none, ...commonSpace(0.99, 135, 0.99, 6), ...shifts };
    const names = Object.keys(space);
    const choices = Array.from({ length: x.shape[0]! }, () => {
      const [which, strength, coin] = this.draw(3) as [number, number, number];
      const place = Math.floor(strength * trivialBins) / (trivialBins - 1);
      return choiceOf(space, names[Math.floor(which * names.length)]!, place, coin);
    });
    return this.run(x, choices);
  }
}
