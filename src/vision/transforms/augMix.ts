/** AugMix: several chains of weak operations, mixed with the picture. Read auto.ts and choices.ts first. */
import { ValueError } from "../../core/errors.js";
import type { Tensor } from "../../tensor/tensor.js";
import { type AutoOptions, AutoTransform } from "./auto.js";
import { type Choice, choiceOf, commonSpace, type Scale, type Space, upTo } from "./choices.js";
import { beta, gamma } from "./mix.js";

/** Magnitudes of an operation, of which the weakest `severity` are drawn from. */
const bins = 10;

/** Operations of a chain, where they are not given: 1 to so many. */
const longestChain = 3;

/** From four bits on downwards. */
const fewBits: Scale = { at: (place) => 4 - Math.round(4 * place) };

/** Operations that resemble the disturbances of ImageNet-C, by which robustness is measured. */
const tested: readonly string[] = ["Brightness", "Color", "Contrast", "Sharpness"];

/** AugMix's magnitudes. */
export const mixSpace = ([height, width]: readonly [number, number], allOps = true): Space => {
  const space: Space = {
    ...commonSpace(0.3, 30, 0.9, 4),
    ...{ TranslateX: upTo(width / 3), TranslateY: upTo(height / 3), Posterize: fewBits },
  };
  const isTaken = ([name]: readonly [string, unknown]) => allOps || !tested.includes(name);
  return Object.fromEntries(Object.entries(space).filter(isTaken));
};

export interface AugMixOptions extends AutoOptions {
  /** How strong operations may get, 1 to 10; default 3. */
  readonly severity?: number;
  /** Chains; default 3. */
  readonly mixtureWidth?: number;
  /** Operations in a chain; default 1 to 3 at random. */
  readonly chainDepth?: number;
  /** Brightness, colour, contrast and sharpness too; the paper leaves them to the test. Default true, as torchvision's. */
  readonly allOps?: boolean;
  /** Parameter of the Dirichlet and beta distributions that shares come from; default 1. */
  readonly alpha?: number;
}

/**
 * AugMix (Hendrycks et al., 2020): (1 − m)·x + m·Σ wᵢ·chainᵢ(x), with w ~ Dirichlet(α) and m ~ Beta(α, α) for each picture.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { AugMix } from "gradus/vision";
 * console.log(new AugMix().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class AugMix extends AutoTransform {
  private readonly severity: number;
  private readonly mixtureWidth: number;
  private readonly chainDepth: number | undefined;
  private readonly alpha: number;
  private readonly allOps: boolean;

  constructor(options: AugMixOptions = {}) {
    super(options);
    const { severity = 3, mixtureWidth = 3, chainDepth, alpha = 1 } = options;
    const op = "AugMix";
    if (!Number.isInteger(severity) || severity < 1 || severity > bins)
      throw new ValueError(
        op,
        `severity is ${severity}; expected a whole number from 1 to ${bins}`,
      );
    for (const [name, value] of Object.entries({ mixtureWidth, chainDepth: chainDepth ?? 1 }))
      if (!Number.isInteger(value) || value < 1)
        throw new ValueError(op, `${name} is ${value}; expected a whole number ≥ 1`);
    if (!(alpha > 0) || !Number.isFinite(alpha))
      throw new ValueError(op, `alpha is ${alpha}; expected a number > 0`);
    this.severity = severity;
    this.mixtureWidth = mixtureWidth;
    this.chainDepth = chainDepth;
    this.alpha = alpha;
    this.allOps = options.allOps ?? true;
  }

  protected augment(x: Tensor): Tensor {
    const [count, , height, width] = x.shape as [number, number, number, number];
    const space = mixSpace([height, width], this.allOps);
    const places = Array.from({ length: this.severity }, (_, i) => i / (bins - 1));
    const table = Object.keys(space).flatMap((name) =>
      places.map((place) => choiceOf(space, name, place)),
    );
    const chains = Array.from({ length: this.mixtureWidth }, () => this.chain(x, table));
    const isBytes = x.dtype === "uint8";
    const real = isBytes ? "float32" : x.dtype;
    const column = (list: Tensor) => list.to(real).reshape([-1, 1, 1, 1]);
    // A tiny alpha may underflow in all of them: then they count alike.
    const weights = chains.map(() =>
      gamma(this.alpha, count, this.generator).clamp(Number.MIN_VALUE * 2 ** 60, null),
    );
    const total = weights.reduce((sum, weight) => sum.add(weight));
    const mixed = chains
      .map((chain, i) => chain.mul(column(weights[i]!.div(total))))
      .reduce((sum, part) => sum.add(part));
    const share = column(beta(this.alpha, count, this.generator));
    const result = mixed.mul(share).add(x.mul(share.neg().add(1)));
    return isBytes ? result.trunc().clamp(0, 255).byte() : result;
  }

  /** One chain of operations for each picture; shorter ones end in nothing. */
  private chain(x: Tensor, table: readonly Choice[]): Tensor {
    const depths = this.draw(x, 1)[0]!.mul(longestChain).floor().add(1);
    let result = x;
    for (let round = 0; round < (this.chainDepth ?? longestChain); round++) {
      const [which, coin] = this.draw(x, 2) as [Tensor, Tensor];
      const isOver = this.chainDepth === undefined ? { unless: depths.le(round) } : {};
      result = this.run(result, table, { which, coin, ...isOver });
    }
    return result;
  }
}
