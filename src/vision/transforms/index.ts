/** Augmentation: pictures changed at random, so that a network learns what stays. torchvision.transforms.v2's names in camelCase. */
export { AugMix, type AugMixOptions } from "./augMix.js";
export {
  AutoAugment,
  type AutoAugmentOptions,
  type AutoOptions,
  RandAugment,
  type RandAugmentOptions,
  TrivialAugmentWide,
} from "./auto.js";
export {
  Compose,
  type PictureMap,
  RandomApply,
  RandomChoice,
  type RandomChoiceOptions,
} from "./compose.js";
export { averageCrops } from "./crop.js";
export * as functional from "./functional.js";
export { CutMix, type Mixed, type MixOptions, MixUp } from "./mix.js";
export type { PolicyName } from "./policies.js";
export * from "./randomColor.js";
export * from "./randomCrop.js";
export * from "./randomGeometry.js";
export { type ChanceOptions, type GeneratorOption, type Range, Transform } from "./transform.js";
