/** Layers that only move elements: patches, pixel shuffling, padding. They have no parameters. */
import { ValueError } from "../core/errors.js";
import { type PadOptions, pad } from "../ops/pad.js";
import { unflatten } from "../ops/parting.js";
import {
  channelShuffle,
  fold,
  pixelShuffle,
  pixelUnshuffle,
  type UnfoldOptions,
  unfold,
} from "../ops/patches.js";
import type { Pair } from "../ops/window.js";
import type { Tensor } from "../tensor/tensor.js";
import { Layer } from "./module.js";

/**
 * Parts one dim into several.
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.Unflatten(1, [2, -1]).forward(arange(12).reshape([2, 6])).shape); // → [ 2, 2, 3 ]
 * ```
 */
export class Unflatten extends Layer {
  private readonly dim: number;
  private readonly sizes: readonly number[];

  constructor(dim: number, sizes: readonly number[]) {
    super();
    this.dim = dim;
    this.sizes = [...sizes];
  }

  forward(x: Tensor): Tensor {
    return unflatten(x, this.dim, this.sizes);
  }

  protected override describe(): string {
    return `${this.dim}, [${this.sizes.join(", ")}]`;
  }
}

/**
 * Patches under a sliding window as columns: [B, C, H, W] → [B, C·kH·kW, L].
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * const columns = new nn.Unfold(2).forward(arange(9).reshape([1, 1, 3, 3]));
 * console.log(columns.shape); // → [ 1, 4, 4 ]
 * ```
 */
export class Unfold extends Layer {
  private readonly kernelSize: Pair;
  private readonly options: UnfoldOptions;

  constructor(kernelSize: Pair, options: UnfoldOptions = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return unfold(x, this.kernelSize, this.options);
  }

  protected override describe(): string {
    return `${this.kernelSize}`;
  }
}

/**
 * Columns added up to images: [B, C·kH·kW, L] → [B, C, H, W].
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * const images = new nn.Fold(3, 2).forward(arange(16).reshape([1, 4, 4]));
 * console.log(images.shape); // → [ 1, 1, 3, 3 ]
 * ```
 */
export class Fold extends Layer {
  private readonly outputSize: Pair;
  private readonly kernelSize: Pair;
  private readonly options: UnfoldOptions;

  constructor(outputSize: Pair, kernelSize: Pair, options: UnfoldOptions = {}) {
    super();
    this.outputSize = outputSize;
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }

  protected override describe(): string {
    return `${this.outputSize}, ${this.kernelSize}`;
  }
}

/** Layers of a function of x and one number. */
abstract class ByNumber extends Layer {
  protected readonly number: number;

  constructor(number: number) {
    super();
    this.number = number;
  }

  protected override describe(): string {
    return `${this.number}`;
  }
}

/**
 * Channels turned into places: [*, C·r², H, W] → [*, C, H·r, W·r].
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.PixelShuffle(2).forward(arange(8).reshape([4, 2, 1])).shape); // → [ 1, 4, 2 ]
 * ```
 */
export class PixelShuffle extends ByNumber {
  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.number);
  }
}

/**
 * Places turned into channels: [*, C, H·r, W·r] → [*, C·r², H, W].
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.PixelUnshuffle(2).forward(arange(8).reshape([1, 4, 2])).shape); // → [ 4, 2, 1 ]
 * ```
 */
export class PixelUnshuffle extends ByNumber {
  forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.number);
  }
}

/**
 * Channels of groups mixed.
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * const mixed = new nn.ChannelShuffle(2).forward(arange(4).reshape([1, 4, 1]));
 * console.log(mixed.flatten().toArray()); // → [ 0, 2, 1, 3 ]
 * ```
 */
export class ChannelShuffle extends ByNumber {
  forward(x: Tensor): Tensor {
    return channelShuffle(x, this.number);
  }
}

/** Padding on every side of the last dims: one number for all sides, or [before, after] of the last dim first. */
abstract class Padding extends Layer {
  private readonly padding: readonly number[];
  private readonly options: PadOptions;

  constructor(
    name: string,
    rank: number,
    padding: number | readonly number[],
    options: PadOptions,
  ) {
    super();
    const all = typeof padding === "number" ? new Array<number>(2 * rank).fill(padding) : padding;
    if (all.length !== 2 * rank || !all.every(Number.isInteger))
      throw new ValueError(
        name,
        `padding must be a whole number or ${2 * rank} of such, got ${JSON.stringify(padding)}`,
      );
    this.padding = [...all];
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return pad(x, this.padding, this.options);
  }

  protected override describe(): string {
    return this.padding.join(", ");
  }
}

type Amount = number | readonly number[];

/**
 * Zeros around height and width: [left, right, top, bottom].
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.ZeroPad2d([0, 1, 0, 0]).forward(arange(4).reshape([1, 2, 2])).toArray()); // → [ [ [ 0, 1, 0 ], [ 2, 3, 0 ] ] ]
 * ```
 */
export class ZeroPad2d extends Padding {
  constructor(padding: Amount) {
    super("ZeroPad2d", 2, padding, {});
  }
}

/**
 * A value around the last dim: [left, right].
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.ConstantPad1d([0, 1], 9).forward(arange(3).reshape([1, 3])).toArray()); // → [ [ 0, 1, 2, 9 ] ]
 * ```
 */
export class ConstantPad1d extends Padding {
  constructor(padding: Amount, value: number) {
    super("ConstantPad1d", 1, padding, { value });
  }
}

/**
 * A value around height and width: [left, right, top, bottom].
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.ConstantPad2d(1, 9).forward(arange(4).reshape([1, 2, 2])).shape); // → [ 1, 4, 4 ]
 * ```
 */
export class ConstantPad2d extends Padding {
  constructor(padding: Amount, value: number) {
    super("ConstantPad2d", 2, padding, { value });
  }
}

/**
 * The inside mirrored at both ends of the last dim.
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.ReflectionPad1d(2).forward(arange(3).reshape([1, 3])).at(0).toArray()); // → [ 2, 1, 0, 1, 2, 1, 0 ]
 * ```
 */
export class ReflectionPad1d extends Padding {
  constructor(padding: Amount) {
    super("ReflectionPad1d", 1, padding, { mode: "reflect" });
  }
}

/**
 * The inside mirrored at the edges of height and width.
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.ReflectionPad2d(1).forward(arange(4).reshape([1, 2, 2])).at(0, 0).toArray()); // → [ 3, 2, 3, 2 ]
 * ```
 */
export class ReflectionPad2d extends Padding {
  constructor(padding: Amount) {
    super("ReflectionPad2d", 2, padding, { mode: "reflect" });
  }
}

/**
 * The first and last element of the last dim repeated.
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.ReplicationPad1d([1, 2]).forward(arange(3).reshape([1, 3])).toArray()); // → [ [ 0, 0, 1, 2, 2, 2 ] ]
 * ```
 */
export class ReplicationPad1d extends Padding {
  constructor(padding: Amount) {
    super("ReplicationPad1d", 1, padding, { mode: "replicate" });
  }
}

/**
 * The edges of height and width repeated.
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.ReplicationPad2d(1).forward(arange(4).reshape([1, 2, 2])).at(0, 0).toArray()); // → [ 0, 0, 1, 1 ]
 * ```
 */
export class ReplicationPad2d extends Padding {
  constructor(padding: Amount) {
    super("ReplicationPad2d", 2, padding, { mode: "replicate" });
  }
}

/**
 * The last dim continued from its other end.
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.CircularPad1d([1, 2]).forward(arange(3).reshape([1, 3])).toArray()); // → [ [ 2, 0, 1, 2, 0, 1 ] ]
 * ```
 */
export class CircularPad1d extends Padding {
  constructor(padding: Amount) {
    super("CircularPad1d", 1, padding, { mode: "circular" });
  }
}

/**
 * Height and width continued from their other ends.
 *
 * @example
 * ```ts
 * import { arange, nn } from "gradus";
 * console.log(new nn.CircularPad2d(1).forward(arange(4).reshape([1, 2, 2])).at(0, 0).toArray()); // → [ 3, 2, 3, 2 ]
 * ```
 */
export class CircularPad2d extends Padding {
  constructor(padding: Amount) {
    super("CircularPad2d", 2, padding, { mode: "circular" });
  }
}
