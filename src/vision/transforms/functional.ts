/**
 * Transforms as functions: nothing is random but noise. Pictures are floats from 0 to 1 or bytes, [C, H, W] or [B, C, H, W]; colours and
 * thresholds are given in the same unit.
 */
export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  autocontrast,
  equalize,
  invert,
  normalize,
  permuteChannels,
  posterize,
  rgbToGrayscale,
  solarize,
  toBytes,
  toFloat,
} from "./color.js";
export {
  centerCrop,
  crop,
  erase,
  fiveCrop,
  type Padding,
  type PadImageOptions,
  pad,
  type TenCropOptions,
  tenCrop,
} from "./crop.js";
export {
  adjustSharpness,
  type GaussianBlurOptions,
  type GaussianNoiseOptions,
  gaussianBlur,
  gaussianNoise,
} from "./filter.js";
export {
  type AffineParameters,
  affine,
  elastic,
  horizontalFlip,
  type RotateOptions,
  rotate,
  type SampleOptions,
  verticalFlip,
} from "./geometry.js";
export { type Corners, perspective } from "./perspective.js";
export type { Fill, PerPicture } from "./pictures.js";
export { type ResizeOptions, resize, resizedCrop, type SmoothOptions } from "./resize.js";
