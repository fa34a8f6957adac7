/** Transforms put together. Read auto.ts next. */
import { ValueError } from "../../core/errors.js";
import { where } from "../../ops/index.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  type ChanceOptions,
  checkChance,
  checkSameUnit,
  type GeneratorOption,
  Transform,
} from "./transform.js";

/** What can be put together: transforms, and functions of pictures. */
export type PictureMap = { forward(x: Tensor): Tensor } | ((x: Tensor) => Tensor);

const run = (map: PictureMap, x: Tensor): Tensor =>
  typeof map === "function" ? map(x) : map.forward(x);

function checkMaps(op: string, maps: readonly PictureMap[]): readonly PictureMap[] {
  if (maps.length === 0) throw new ValueError(op, "got no transform; expected at least one");
  return maps;
}

/**
 * Transforms one after another; `functional.toFloat` among them turns bytes into floats.
 *
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Compose, functional, RandomHorizontalFlip } from "gradus/vision";
 * const augment = new Compose(functional.toFloat, new RandomHorizontalFlip(), (x) => functional.adjustBrightness(x, 1.2));
 * const picture = functional.toBytes(rand([3, 8, 8]));
 * console.log(augment.forward(picture).dtype); // → float32
 * ```
 */
export class Compose extends Transform {
  private readonly maps: readonly PictureMap[];

  constructor(...maps: PictureMap[]) {
    super();
    this.maps = checkMaps("Compose", maps);
  }

  protected transform(x: Tensor): Tensor {
    return this.maps.reduce((y, map) => run(map, y), x);
  }
}

/**
 * Applies transforms, one after another, to a share p of the pictures; they must keep the pictures' size.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomApply, RandomCrop } from "gradus/vision";
 * console.log(new RandomApply([new RandomCrop(8, { padding: 1 })]).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomApply extends Transform {
  private readonly maps: readonly PictureMap[];
  private readonly p: number;

  constructor(maps: readonly PictureMap[], options: ChanceOptions = {}) {
    super(options);
    this.maps = checkMaps("RandomApply", maps);
    this.p = checkChance("RandomApply", options.p ?? 0.5);
  }

  protected transform(x: Tensor): Tensor {
    const changed = this.maps.reduce((y, map) => run(map, y), x);
    return this.sometimes(x, changed, this.p);
  }
}

export interface RandomChoiceOptions extends GeneratorOption {
  /** How likely each is, in any scale; default all alike. */
  readonly p?: readonly number[];
}

/**
 * Applies one of several transforms to each picture; all are computed, and one is taken.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { functional, RandomChoice } from "gradus/vision";
 * console.log(new RandomChoice([functional.invert, (x) => x]).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomChoice extends Transform {
  private readonly maps: readonly PictureMap[];
  private readonly p: readonly number[];

  constructor(maps: readonly PictureMap[], options: RandomChoiceOptions = {}) {
    super(options);
    const op = "RandomChoice";
    this.maps = checkMaps(op, maps);
    const { p = maps.map(() => 1) } = options;
    const total = p.reduce((sum, share) => sum + share, 0);
    if (p.length !== maps.length || !p.every((share) => share >= 0) || !(total > 0))
      throw new ValueError(op, `p is [${p}]; expected ${maps.length} shares ≥ 0, not all 0`);
    this.p = p.map((share) => share / total);
  }

  protected transform(x: Tensor): Tensor {
    const place = this.uniform(x).reshape([-1, 1, 1, 1]);
    const results = this.maps.map((map) => run(map, x));
    for (const result of results) checkSameUnit("RandomChoice", results[0]!, result);
    let bound = 1;
    return results.reduceRight((rest, result, i) => {
      bound -= this.p[i + 1]!;
      return where(place.lt(bound), result, rest);
    });
  }
}
