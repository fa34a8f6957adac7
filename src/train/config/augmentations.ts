/**
 * The changes of training pictures that a configuration can name: moves by whole pixels, and all random transforms of
 * `vision` that keep a picture's size. Read augmented.ts for how a loader does them.
 */
import * as z from "zod";
import type { Generator } from "../../tensor/random.js";
import * as vision from "../../vision/transforms/index.js";
import { type Choices, choice, count, positive, share } from "./choices.js";

/** Where a transform's random numbers come from. */
export interface Draws {
  readonly generator: Generator;
}

const p = (standard = 0.5) => share().default(standard).describe("share of pictures");
const range = () => z.tuple([z.number(), z.number()]);
const numberOrRange = () => z.union([z.number(), range()]);
const fill = () => z.union([z.number(), z.array(z.number())]).default(0);
const size = () => z.union([count(), z.tuple([count(), count()])]);
const pixels = () => count(0);
const sampling = {
  interpolation: z.enum(["nearest", "bilinear"]).default("nearest"),
  fill: fill(),
};
const strength = () => numberOrRange().default(0);

type T = vision.Transform;

const cropping = {
  randomCrop: choice(
    "a part of the picture, which a frame was put around",
    {
      size: size(),
      padding: z
        .union([pixels(), z.tuple([pixels(), pixels()])])
        .default(0)
        .describe("pixels of the frame"),
      paddingMode: z.enum(["constant", "edge", "reflect", "symmetric"]).default("constant"),
      fill: fill(),
    },
    ({ size, ...rest }, draws: Draws): T => new vision.RandomCrop(size, { ...rest, ...draws }),
  ),
  randomResizedCrop: choice(
    "a part of random area and shape, brought to one size",
    {
      size: size(),
      scale: range().default([0.08, 1]),
      ratio: range().default([3 / 4, 4 / 3]),
      antialias: z.boolean().default(true).describe("smooth where it shrinks"),
    },
    ({ size, ...rest }, draws: Draws): T =>
      new vision.RandomResizedCrop(size, { ...rest, ...draws }),
  ),
  randomErasing: choice(
    "a rectangle is blotted out (Zhong et al., 2020)",
    {
      p: p(),
      scale: range().default([0.02, 0.33]),
      ratio: range().default([0.3, 3.3]),
      value: z.union([z.number(), z.array(z.number()), z.literal("random")]).default(0),
    },
    (options, draws: Draws): T => new vision.RandomErasing({ ...options, ...draws }),
  ),
  cutout: choice(
    "a square is blotted out (DeVries and Taylor, 2017)",
    { length: count(), fill: fill() },
    ({ length, ...rest }, draws: Draws): T => new vision.Cutout(length, { ...rest, ...draws }),
  ),
};

const geometry = {
  randomHorizontalFlip: choice(
    "mirrored left to right",
    { p: p() },
    (options, draws: Draws): T => new vision.RandomHorizontalFlip({ ...options, ...draws }),
  ),
  randomVerticalFlip: choice(
    "mirrored top to bottom",
    { p: p() },
    (options, draws: Draws): T => new vision.RandomVerticalFlip({ ...options, ...draws }),
  ),
  randomQuarterTurn: choice(
    "turned by a multiple of 90 degrees",
    {},
    (_, draws: Draws): T => new vision.RandomQuarterTurn(draws),
  ),
  randomRotation: choice(
    "turned by up to so many degrees",
    { degrees: numberOrRange(), ...sampling },
    ({ degrees, ...rest }, draws: Draws): T =>
      new vision.RandomRotation(degrees, { ...rest, ...draws }),
  ),
  randomAffine: choice(
    "turned, moved, scaled, sheared",
    {
      degrees: numberOrRange(),
      translate: z.tuple([share(), share()]).exactOptional().describe("share of width and height"),
      scale: range().exactOptional(),
      shear: numberOrRange().exactOptional(),
      ...sampling,
    },
    ({ degrees, ...rest }, draws: Draws): T =>
      new vision.RandomAffine(degrees, { ...rest, ...draws }),
  ),
  randomPerspective: choice(
    "seen from elsewhere",
    { p: p(), distortionScale: share().default(0.5), ...sampling },
    (options, draws: Draws): T => new vision.RandomPerspective({ ...options, ...draws }),
  ),
  elasticTransform: choice(
    "bent like rubber (Simard et al., 2003)",
    { alpha: z.number().min(0).default(50), sigma: positive().default(5), ...sampling },
    (options, draws: Draws): T => new vision.ElasticTransform({ ...options, ...draws }),
  ),
};

const colour = {
  colorJitter: choice(
    "brightness, contrast, saturation, hue",
    { brightness: strength(), contrast: strength(), saturation: strength(), hue: strength() },
    (options, draws: Draws): T => new vision.ColorJitter({ ...options, ...draws }),
  ),
  randomGrayscale: choice(
    "without colour",
    { p: p(0.1) },
    (options, draws: Draws): T => new vision.RandomGrayscale({ ...options, ...draws }),
  ),
  randomInvert: choice(
    "light and dark swapped",
    { p: p() },
    (options, draws: Draws): T => new vision.RandomInvert({ ...options, ...draws }),
  ),
  randomAutocontrast: choice(
    "stretched to the full range",
    { p: p() },
    (options, draws: Draws): T => new vision.RandomAutocontrast({ ...options, ...draws }),
  ),
  randomEqualize: choice(
    "all levels alike often",
    { p: p() },
    (options, draws: Draws): T => new vision.RandomEqualize({ ...options, ...draws }),
  ),
  randomPosterize: choice(
    "fewer levels",
    { bits: z.int().min(0).max(8), p: p() },
    ({ bits, ...rest }, draws: Draws): T => new vision.RandomPosterize(bits, { ...rest, ...draws }),
  ),
  randomSolarize: choice(
    "what is lighter than a threshold is inverted",
    { threshold: share(), p: p() },
    ({ threshold, ...rest }, draws: Draws): T =>
      new vision.RandomSolarize(threshold, { ...rest, ...draws }),
  ),
  randomAdjustSharpness: choice(
    "sharper (factor above 1) or softer",
    { factor: z.number().min(0), p: p() },
    ({ factor, ...rest }, draws: Draws): T =>
      new vision.RandomAdjustSharpness(factor, { ...rest, ...draws }),
  ),
  gaussianBlur: choice(
    "blurred",
    { kernelSize: size(), sigma: numberOrRange().default([0.1, 2]) },
    ({ kernelSize, ...rest }, draws: Draws): T =>
      new vision.GaussianBlur(kernelSize, { ...rest, ...draws }),
  ),
  gaussianNoise: choice(
    "with noise added",
    {
      mean: z.number().default(0),
      sigma: z.number().min(0).default(0.1),
      clip: z.boolean().default(true),
    },
    (options, draws: Draws): T => new vision.GaussianNoise({ ...options, ...draws }),
  ),
};

const policies = {
  autoAugment: choice(
    "a policy that was searched for (Cubuk et al., 2019)",
    { policy: z.enum(["imagenet", "cifar10", "svhn"]).default("imagenet"), ...sampling },
    (options, draws: Draws): T => new vision.AutoAugment({ ...options, ...draws }),
  ),
  randAugment: choice(
    "some changes of one strength (Cubuk et al., 2020)",
    {
      numOps: count().default(2),
      magnitude: count(0).default(9),
      numMagnitudeBins: count().default(31),
      ...sampling,
    },
    (options, draws: Draws): T => new vision.RandAugment({ ...options, ...draws }),
  ),
  trivialAugmentWide: choice(
    "one change of random strength (Müller and Hutter, 2021)",
    { ...sampling },
    (options, draws: Draws): T => new vision.TrivialAugmentWide({ ...options, ...draws }),
  ),
  augMix: choice(
    "chains of changes, mixed (Hendrycks et al., 2020)",
    {
      severity: count().default(3),
      mixtureWidth: count().default(3),
      chainDepth: count().exactOptional(),
      alpha: positive().default(1),
      allOps: z.boolean().default(true).describe("colours and sharpness too"),
      ...sampling,
    },
    (options, draws: Draws): T => new vision.AugMix({ ...options, ...draws }),
  ),
};

/** Transforms of float pictures from 0 to 1. */
export const transforms = {
  ...cropping,
  ...geometry,
  ...colour,
  ...policies,
} satisfies Choices<Draws, T>;

/** More would push pictures of 28 pixels out of their frame. */
export const maxShift = 14;

/** Everything that `data.augment` can name; `shift` is done by the loader itself. */
export const augmentations = {
  shift: choice(
    "moved by up to so many whole pixels, the outermost ones repeated",
    { pixels: z.int().min(0).max(maxShift).default(1) },
    () => undefined,
  ),
  ...transforms,
};
