/** Random parts of pictures: cut out, or erased. Read mix.ts next. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { argmax, where } from "../../ops/index.js";
import { rand, randn } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  centerCrop,
  crop,
  erase,
  type Padding,
  type PadImageOptions,
  pad,
  sidesOf,
} from "./crop.js";
import { type Fill, pairOf, whiteOf } from "./pictures.js";
import {
  checkResize,
  type ResizeOptions,
  resize,
  resizedCrop,
  type SmoothOptions,
} from "./resize.js";
import {
  type ChanceOptions,
  checkChance,
  checkRange,
  type GeneratorOption,
  type Range,
  Transform,
} from "./transform.js";

/**
 * Pictures resized.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Resize } from "gradus/vision";
 * console.log(new Resize(6).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 6, 6 ]
 * ```
 */
export class Resize extends Transform {
  private readonly size: number | readonly number[];
  private readonly options: ResizeOptions;

  constructor(size: number | readonly number[], options: ResizeOptions = {}) {
    super();
    checkResize("Resize", size, options);
    this.size = size;
    this.options = options;
  }

  protected transform(x: Tensor): Tensor {
    return resize(x, this.size, this.options);
  }
}

/**
 * The middle of pictures.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { CenterCrop } from "gradus/vision";
 * console.log(new CenterCrop(6).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 6, 6 ]
 * ```
 */
export class CenterCrop extends Transform {
  private readonly size: number | readonly number[];

  constructor(size: number | readonly number[]) {
    super();
    pairOf("CenterCrop", "size", size);
    this.size = size;
  }

  protected transform(x: Tensor): Tensor {
    return centerCrop(x, this.size);
  }
}

/**
 * A frame around pictures.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Pad } from "gradus/vision";
 * console.log(new Pad(2).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 12, 12 ]
 * ```
 */
export class Pad extends Transform {
  private readonly padding: Padding;
  private readonly options: PadImageOptions;

  constructor(padding: Padding, options: PadImageOptions = {}) {
    super();
    sidesOf("Pad", padding);
    this.padding = padding;
    this.options = options;
  }

  protected transform(x: Tensor): Tensor {
    return pad(x, this.padding, this.options);
  }
}

export interface RandomCropOptions extends PadImageOptions, GeneratorOption {
  /** A frame that is added first; default none. */
  readonly padding?: Padding;
  /** Frame pictures that are smaller than the part as well, as much as they lack on both sides; default false. */
  readonly padIfNeeded?: boolean;
}

/**
 * Cuts a part of a fixed size out of each picture, at a random place.
 *
 * @throws ShapeError where the part is larger than the framed picture.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Compose, RandomCrop, RandomHorizontalFlip } from "gradus/vision";
 * const augment = new Compose(new RandomCrop(32, { padding: 4 }), new RandomHorizontalFlip());
 * console.log(augment.forward(rand([8, 3, 32, 32])).shape); // → [ 8, 3, 32, 32 ]
 * ```
 */
export class RandomCrop extends Transform {
  private readonly size: readonly [number, number];
  private readonly options: RandomCropOptions;

  constructor(size: number | readonly number[], options: RandomCropOptions = {}) {
    super(options);
    this.size = pairOf("RandomCrop", "size", size);
    if (options.padding !== undefined) sidesOf("RandomCrop", options.padding);
    this.options = options;
  }

  protected transform(x: Tensor): Tensor {
    const { padding, fill, paddingMode, padIfNeeded = false } = this.options;
    const framing = { ...(fill !== undefined && { fill }), ...(paddingMode && { paddingMode }) };
    const [height, width] = this.size;
    let wide = padding === undefined ? x : pad(x, padding, framing);
    if (padIfNeeded) {
      const lack = (part: number, side: number) => Math.max(0, part - side);
      const sides = [lack(width, wide.shape[3]!), lack(height, wide.shape[2]!)] as const;
      if (sides[0] + sides[1] > 0) wide = pad(wide, sides, framing);
    }
    const [down, right] = [wide.shape[2]! - height, wide.shape[3]! - width];
    if (down < 0 || right < 0)
      throw new ShapeError(
        "RandomCrop",
        `${height} × ${width} does not fit into ${wide.shape[2]} × ${wide.shape[3]}; add padding or padIfNeeded`,
      );
    return crop(wide, this.whole(x, down), this.whole(x, right), height, width);
  }
}

/** How often a rectangle is drawn until one fits. */
const attempts = 10;

interface Box {
  readonly height: Tensor;
  readonly width: Tensor;
  /** Whether any attempt fitted, bool [B]. */
  readonly fits: Tensor;
}

/** Random rectangles by area (as a share) and aspect ratio, picture by picture: the first of ten that fits. */
function drawBox(
  x: Tensor,
  draw: (shape: number[]) => Tensor,
  { area, ratio, slack }: { area: Range; ratio: Range; slack: number },
): Box {
  const [count, , rows, columns] = x.shape as [number, number, number, number];
  const logs = ratio.map(Math.log) as [number, number];
  const areas = draw([count, attempts])
    .mul(area[1] - area[0])
    .add(area[0])
    .mul(rows * columns);
  const ratios = draw([count, attempts])
    .mul(logs[1] - logs[0])
    .add(logs[0])
    .exp();
  const widths = areas.mul(ratios).sqrt().round();
  const heights = areas.div(ratios).sqrt().round();
  const inside = (sides: Tensor, most: number) => sides.ge(1).logicalAnd(sides.le(most - slack));
  const fitting = inside(widths, columns).logicalAnd(inside(heights, rows));
  const first = argmax(fitting.int(), 1).unsqueeze(1);
  const pick = (list: Tensor) => list.gather(1, first).squeeze(1);
  return { height: pick(heights), width: pick(widths), fits: pick(fitting.int()).gt(0) };
}

export interface RandomResizedCropOptions extends GeneratorOption, SmoothOptions {
  /** Area of the part as a share of the picture's; default [0.08, 1]. */
  readonly scale?: Range;
  /** Its width over its height; default [3/4, 4/3]. */
  readonly ratio?: Range;
}

/**
 * Cuts a part of random size and shape out of each picture and resizes it (Szegedy et al., 2015), bilinear.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomResizedCrop } from "gradus/vision";
 * console.log(new RandomResizedCrop(6).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 6, 6 ]
 * ```
 */
export class RandomResizedCrop extends Transform {
  private readonly size: readonly [number, number];
  private readonly area: Range;
  private readonly ratio: Range;
  private readonly antialias: boolean;

  constructor(size: number | readonly number[], options: RandomResizedCropOptions = {}) {
    super(options);
    const op = "RandomResizedCrop";
    this.antialias = options.antialias ?? true;
    this.size = pairOf(op, "size", size);
    this.area = checkRange(op, "scale", options.scale ?? [0.08, 1], [1e-6, 1]);
    this.ratio = checkRange(op, "ratio", options.ratio ?? [3 / 4, 4 / 3], [1e-3, 1e3]);
  }

  protected transform(x: Tensor): Tensor {
    const [rows, columns] = x.shape.slice(2) as [number, number];
    const draw = (shape: number[]) => rand(shape, { dtype: "float64", generator: this.generator });
    const box = drawBox(x, draw, { area: this.area, ratio: this.ratio, slack: 0 });
    // Where none fits: the largest part of an allowed shape, in the middle.
    const shape = Math.min(Math.max(columns / rows, this.ratio[0]), this.ratio[1]);
    const [wide, high] =
      shape < columns / rows
        ? [Math.round(rows * shape), rows]
        : [columns, Math.round(columns / shape)];
    const height = where(box.fits, box.height, high);
    const width = where(box.fits, box.width, wide);
    const place = (side: number, part: Tensor) => {
      const free = part.neg().add(side);
      return where(box.fits, this.whole(x, free), free.div(2).floor());
    };
    const [top, left] = [place(rows, height), place(columns, width)];
    const { antialias } = this;
    return resizedCrop(x, top, left, height, width, this.size, { antialias });
  }
}

export interface RandomErasingOptions extends ChanceOptions {
  /** Area as a share of the picture's; default [0.02, 0.33]. */
  readonly scale?: Range;
  /** Height over width; default [0.3, 3.3]. */
  readonly ratio?: Range;
  /** A colour, or "random" for noise: normal numbers in floats, uniform ones in bytes; default 0. */
  readonly value?: Fill | "random";
}

/**
 * Erases a rectangle in a share p of the pictures (Zhong et al., 2020).
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomErasing } from "gradus/vision";
 * console.log(new RandomErasing().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomErasing extends Transform {
  private readonly options: Required<Omit<RandomErasingOptions, "generator">>;

  constructor(options: RandomErasingOptions = {}) {
    super(options);
    const op = "RandomErasing";
    const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options;
    checkChance(op, p);
    checkRange(op, "scale", scale, [0, 1]);
    checkRange(op, "ratio", ratio, [1e-3, 1e3]);
    this.options = { p, scale, ratio, value };
  }

  protected transform(x: Tensor): Tensor {
    const { p, scale, ratio, value } = this.options;
    const [rows, columns] = x.shape.slice(2) as [number, number];
    const draw = (shape: number[]) => rand(shape, { dtype: "float64", generator: this.generator });
    const turned: Range = [1 / ratio[1], 1 / ratio[0]];
    const { height, width, fits } = drawBox(x, draw, { area: scale, ratio: turned, slack: 1 });
    const place = (side: number, part: Tensor) => this.whole(x, part.neg().add(side));
    const colour = value === "random" ? this.noise(x) : value;
    const erased = erase(x, place(rows, height), place(columns, width), height, width, colour);
    return this.sometimes(x, where(fits.reshape([-1, 1, 1, 1]), erased, x), p);
  }

  private noise(x: Tensor): Tensor {
    const { generator } = this;
    if (whiteOf(x) === 255) return rand(x.shape, { generator }).mul(256).floor();
    return randn(x.shape, { generator });
  }
}

export interface CutoutOptions extends GeneratorOption {
  /** Default 0. */
  readonly fill?: Fill;
}

/**
 * Erases a square around a random pixel of each picture (DeVries and Taylor, 2017); it may reach over the border.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Cutout } from "gradus/vision";
 * console.log(new Cutout(3).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class Cutout extends Transform {
  private readonly length: number;
  private readonly fill: Fill;

  constructor(length: number, options: CutoutOptions = {}) {
    super(options);
    if (!Number.isInteger(length) || length < 1)
      throw new ValueError("Cutout", `length is ${length}; expected a whole number ≥ 1`);
    this.length = length;
    this.fill = options.fill ?? 0;
  }

  protected transform(x: Tensor): Tensor {
    const half = Math.floor(this.length / 2);
    const [top, left] = [2, 3].map((dim) => this.whole(x, x.shape[dim]! - 1).sub(half));
    return erase(x, top!, left!, this.length, this.length, this.fill);
  }
}
