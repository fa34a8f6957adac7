/** Transforms as functions: nothing is random but noise. Float pictures from 0 to 1, [C, H, W] or [B, C, H, W]. */
export * from "./color.js";
export * from "./crop.js";
export * from "./filter.js";
export {
  type AffineParameters,
  affine,
  type Corners,
  elastic,
  horizontalFlip,
  perspective,
  type RotateOptions,
  rotate,
  type SampleOptions,
  verticalFlip,
} from "./geometry.js";
export type { Fill, PerPicture } from "./pictures.js";
