/** A table of vectors that are learned. Read rearrange.ts next. */
import { ShapeError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { checkPaddingIdx, embedding } from "../ops/embedding.js";
import { noGrad } from "../tensor/context.js";
import { randn } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkSize } from "./linear.js";
import { Layer, Parameter } from "./module.js";

export interface EmbeddingLayerOptions {
  /** A row that starts at 0 and gets no gradient; counts from the end if negative. */
  readonly paddingIdx?: number | null;
  /** Rows that are looked up and longer than this are shortened to it. */
  readonly maxNorm?: number | null;
  /** Which length maxNorm limits: (Σ|x|^p)^(1/p); default 2. */
  readonly normType?: number;
  /** Divides a row's gradient by how often the row is looked up. */
  readonly scaleGradByFreq?: boolean;
}

/**
 * Looks up a row of `weight` [numEmbeddings, embeddingDim] for each index: [*] → [*, embeddingDim]. The rows start as
 * normal numbers.
 *
 * @throws ValueError unless the sizes are whole numbers ≥ 1 and `paddingIdx` names a row.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const words = new nn.Embedding(10, 3);
 * console.log(words.forward(tensor([[1, 2]], { dtype: "int32" })).shape); // → [ 1, 2, 3 ]
 * ```
 */
export class Embedding extends Layer {
  readonly weight: Parameter;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super();
    const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false } = options;
    checkSize("Embedding", "numEmbeddings", numEmbeddings);
    checkSize("Embedding", "embeddingDim", embeddingDim);
    if (paddingIdx !== null) checkPaddingIdx("Embedding", paddingIdx, numEmbeddings);
    this.paddingIdx = paddingIdx;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scaleGradByFreq;
    this.weight = new Parameter(randn([numEmbeddings, embeddingDim]));
    if (paddingIdx !== null) this.clearRow(paddingIdx);
  }

  /**
   * A layer with the given rows, which are not learned unless `freeze` is false.
   *
   * @throws ShapeError unless the weight has two dims.
   * @example
   * ```ts
   * import { nn, tensor } from "gradus";
   * const words = nn.Embedding.fromPretrained(tensor([[1, 2], [3, 4]]));
   * console.log(words.forward(tensor([1], { dtype: "int32" })).toArray()); // → [ [ 3, 4 ] ]
   * ```
   */
  static fromPretrained(
    weight: Tensor,
    { freeze = true, ...options }: EmbeddingLayerOptions & { readonly freeze?: boolean } = {},
  ): Embedding {
    if (weight.ndim !== 2)
      throw new ShapeError("Embedding", `weight must be [N, F], got ${formatShape(weight.shape)}`);
    const [count, features] = weight.shape as [number, number];
    const layer = new Embedding(count, features, options);
    noGrad(() => layer.weight.assign(weight));
    layer.weight.requiresGrad = !freeze;
    return layer;
  }

  private clearRow(paddingIdx: number): void {
    const [count, features] = this.weight.shape as [number, number];
    const row = paddingIdx < 0 ? paddingIdx + count : paddingIdx;
    this.weight.data.fill(0, row * features, (row + 1) * features);
  }

  forward(indices: Tensor): Tensor {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    return embedding(indices, this.weight, { paddingIdx, maxNorm, normType, scaleGradByFreq });
  }

  protected override describe(): string {
    const [count, features] = this.weight.shape;
    return `${count}, ${features}${this.paddingIdx === null ? "" : `, paddingIdx: ${this.paddingIdx}`}`;
  }
}
