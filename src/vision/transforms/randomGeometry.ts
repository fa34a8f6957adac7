/** Pictures flipped, turned, sheared and bent at random. Read randomCrop.ts next. */
import { ValueError } from "../../core/errors.js";
import { stack, where } from "../../ops/index.js";
import { tensor } from "../../tensor/create.js";
import { rand } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";
import { gaussianBlur } from "./filter.js";
import {
  affine,
  elastic,
  horizontalFlip,
  rotate,
  type SampleOptions,
  verticalFlip,
} from "./geometry.js";
import { isSeen, perspective } from "./perspective.js";
import {
  aroundZero,
  type ChanceOptions,
  checkChance,
  checkRange,
  type GeneratorOption,
  RandomChange,
  type Range,
  Transform,
} from "./transform.js";

/**
 * Mirrors a share p of the pictures left to right.
 *
 * @example
 * ```ts
 * import { compile, rand, type Tensor } from "gradus";
 * import { RandomHorizontalFlip } from "gradus/vision";
 * const flip = new RandomHorizontalFlip();
 * const step = compile((x: Tensor) => flip.forward(x).mean());
 * console.log((await step(rand([8, 3, 32, 32]))).shape); // → []
 * ```
 */
export class RandomHorizontalFlip extends RandomChange {
  protected change(x: Tensor): Tensor {
    return horizontalFlip(x);
  }
}

/**
 * Mirrors a share p of the pictures top to bottom.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomVerticalFlip } from "gradus/vision";
 * console.log(new RandomVerticalFlip().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomVerticalFlip extends RandomChange {
  protected change(x: Tensor): Tensor {
    return verticalFlip(x);
  }
}

const picked = ({ interpolation, fill }: SampleOptions): SampleOptions => ({
  ...(interpolation && { interpolation }),
  ...(fill !== undefined && { fill }),
});

export interface CenterOption {
  /** The pixel (x, y) that stays in place; default the middle. */
  readonly center?: readonly [x: number, y: number];
}

function centerOf(op: string, { center }: CenterOption): CenterOption {
  if (center && (center.length !== 2 || !center.every(Number.isFinite)))
    throw new ValueError(op, `center is [${center}]; expected the two numbers of a pixel`);
  return center ? { center } : {};
}

export interface RandomRotationOptions extends SampleOptions, GeneratorOption, CenterOption {}

/**
 * Turns each picture by an angle between −degrees and degrees, or in a range.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomRotation } from "gradus/vision";
 * console.log(new RandomRotation(15).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomRotation extends Transform {
  private readonly degrees: Range;
  private readonly sampling: SampleOptions & CenterOption;

  constructor(degrees: number | Range, options: RandomRotationOptions = {}) {
    super(options);
    this.degrees = aroundZero("RandomRotation", "degrees", degrees);
    this.sampling = { ...picked(options), ...centerOf("RandomRotation", options) };
  }

  protected transform(x: Tensor): Tensor {
    return rotate(x, this.uniform(x, this.degrees), this.sampling);
  }
}

export interface RandomAffineOptions extends SampleOptions, GeneratorOption, CenterOption {
  /** Farthest shifts as shares of width and height, 0 to 1; default none. */
  readonly translate?: readonly [x: number, y: number];
  /** Range of size factors; default none. */
  readonly scale?: Range;
  /** Degrees along x from −n to n, or in a range; with four numbers, along y too; default none. */
  readonly shear?: number | Range | readonly [number, number, number, number];
}

/**
 * Turns, shifts, scales and shears each picture otherwise. Shifts are whole pixels.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomAffine } from "gradus/vision";
 * console.log(new RandomAffine(10, { translate: [0.1, 0.1] }).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomAffine extends Transform {
  private readonly degrees: Range;
  private readonly translate: readonly [number, number];
  private readonly scale: Range;
  private readonly shears: readonly [Range, Range];
  private readonly sampling: SampleOptions & CenterOption;

  constructor(degrees: number | Range, options: RandomAffineOptions = {}) {
    super(options);
    const op = "RandomAffine";
    const { translate = [0, 0], scale = [1, 1], shear = 0 } = options;
    this.degrees = aroundZero(op, "degrees", degrees);
    if (!translate.every((share) => share >= 0 && share <= 1))
      throw new ValueError(op, `translate is [${translate}]; expected shares from 0 to 1`);
    this.translate = translate;
    this.scale = checkRange(op, "scale", scale, [1e-6, Number.POSITIVE_INFINITY]);
    const four = typeof shear !== "number" && shear.length === 4;
    this.shears = [
      aroundZero(op, "shear", four ? [shear[0], shear[1]] : (shear as number | Range)),
      aroundZero(op, "shear", four ? [shear[2], shear[3]] : 0),
    ];
    this.sampling = { ...picked(options), ...centerOf(op, options) };
  }

  protected transform(x: Tensor): Tensor {
    const [height, width] = x.shape.slice(2) as [number, number];
    const shift = (share: number, side: number) =>
      this.uniform(x, [-share * side, share * side]).round();
    return affine(x, {
      angle: this.uniform(x, this.degrees),
      translate: [shift(this.translate[0], width), shift(this.translate[1], height)],
      scale: this.uniform(x, this.scale),
      shear: [this.uniform(x, this.shears[0]), this.uniform(x, this.shears[1])],
      ...this.sampling,
    });
  }
}

export interface RandomPerspectiveOptions extends SampleOptions, ChanceOptions {
  /** How far corners move at most, as a share of half the sides, 0 to 1; default 0.5. */
  readonly distortionScale?: number;
}

/**
 * Shows a share p of the pictures from the side: each corner moves inwards at random. A picture stays as it is where corners would meet or cross,
 * as they may for a `distortionScale` close to 1.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomPerspective } from "gradus/vision";
 * console.log(new RandomPerspective().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomPerspective extends Transform {
  private readonly p: number;
  private readonly distortion: number;
  private readonly sampling: SampleOptions;

  constructor(options: RandomPerspectiveOptions = {}) {
    super(options);
    this.p = checkChance("RandomPerspective", options.p ?? 0.5);
    this.distortion = options.distortionScale ?? 0.5;
    checkRange("RandomPerspective", "distortionScale", [0, this.distortion], [0, 1]);
    this.sampling = { interpolation: "bilinear", ...picked(options) };
  }

  protected transform(x: Tensor): Tensor {
    const [height, width] = x.shape.slice(2) as [number, number];
    const most = [width, height].map((side) => Math.floor(this.distortion * Math.floor(side / 2)));
    const [right, bottom] = [width - 1, height - 1];
    // A line of pixels has no four corners.
    if (right === 0 || bottom === 0) return x;
    const start = [
      [0, 0],
      [right, 0],
      [right, bottom],
      [0, bottom],
    ] as const;
    const corners = start.map((corner) => {
      const moved = corner.map((place, axis) => {
        const inwards = this.whole(x, most[axis]!);
        return place === 0 ? inwards : inwards.neg().add(place);
      });
      return stack(moved, 1);
    });
    const seen = stack(corners, 1);
    const still = tensor(start, { dtype: "float64" });
    const end = where(isSeen(seen).reshape([-1, 1, 1]), seen, still);
    const changed = perspective(x, start, end, this.sampling);
    return this.sometimes(x, changed, this.p);
  }
}

export interface ElasticOptions extends SampleOptions, GeneratorOption {
  /** Strength in pixels; default 50. */
  readonly alpha?: number;
  /** Smoothness of the displacement in pixels; default 5. */
  readonly sigma?: number;
}

/**
 * Bends each picture by a smooth random displacement (Simard et al., 2003).
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { ElasticTransform } from "gradus/vision";
 * console.log(new ElasticTransform({ alpha: 10, sigma: 2 }).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class ElasticTransform extends Transform {
  private readonly alpha: number;
  private readonly sigma: number;
  private readonly sampling: SampleOptions;

  constructor(options: ElasticOptions = {}) {
    super(options);
    this.alpha = options.alpha ?? 50;
    this.sigma = options.sigma ?? 5;
    for (const [name, value] of Object.entries({ alpha: this.alpha, sigma: this.sigma }))
      if (!(value > 0 && value < Number.POSITIVE_INFINITY))
        throw new ValueError("ElasticTransform", `${name} is ${value}; expected a number > 0`);
    this.sampling = { interpolation: "bilinear", ...picked(options) };
  }

  protected transform(x: Tensor): Tensor {
    const [count, , height, width] = x.shape as [number, number, number, number];
    const size = Math.floor(8 * this.sigma + 1) | 1;
    // A mirrored border is at most as wide as the picture.
    const kernel = [height, width].map((side) => Math.min(size, (side - 1) | 1));
    const noise = rand([count, 2, height, width], { generator: this.generator }).mul(2).sub(1);
    const smooth = gaussianBlur(noise, kernel, { sigma: this.sigma }).mul(this.alpha);
    const scale = tensor([height, width]).reshape([1, 2, 1, 1]);
    return elastic(x, smooth.div(scale).permute([0, 2, 3, 1]), this.sampling);
  }
}

/**
 * Turns each picture by a multiple of 90°; square pictures only.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomQuarterTurn } from "gradus/vision";
 * console.log(new RandomQuarterTurn().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomQuarterTurn extends Transform {
  protected transform(x: Tensor): Tensor {
    if (x.shape[2] !== x.shape[3])
      throw new ValueError("RandomQuarterTurn", `pictures are [${x.shape}]; expected squares`);
    const turns = this.whole(x, 3).reshape([-1, 1, 1, 1]);
    return [1, 2, 3].reduce((y, k) => where(turns.eq(k), x.rot90(k, [2, 3]), y), x);
  }
}
