/** Ops that make, move, cut and join tensors without computing with their values. */
export {
  diag,
  type MeshgridOptions,
  meshgrid,
} from "../create.js";
export {
  expand,
  flatten,
  flip,
  permute,
  reshape,
  squeeze,
  t,
  transpose,
  unsqueeze,
} from "../movement.js";
export { diagEmbed, diagonal, type PadOptions, pad, tril, triu } from "../pad.js";
export {
  atLeast1d,
  atLeast2d,
  broadcastTensors,
  broadcastTo,
  chunk,
  movedim,
  split,
  swapaxes,
  tensorSplit,
  unbind,
  unflatten,
} from "../parting.js";
export { type AtIndex, at, cat, narrow, select, stack } from "../parts.js";
export {
  channelShuffle,
  fold,
  pixelShuffle,
  pixelUnshuffle,
  type UnfoldOptions,
  unfold,
} from "../patches.js";
export { repeat, repeatInterleave, roll, rot90, tile } from "../repeat.js";
