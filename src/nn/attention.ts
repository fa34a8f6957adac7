/** The attention layer. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { attend } from "../ops/attention.js";
import { where } from "../ops/choice.js";
import { linear } from "../ops/linalg.js";
import { full, zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { xavierUniform } from "./init.js";
import { checkSize, Linear } from "./linear.js";
import { Module, Parameter } from "./module.js";

export interface MultiheadAttentionOptions {
  /** Probability of dropping weights while training; default 0. */
  readonly dropout?: number;
  readonly bias?: boolean;
  /** Sizes of keys and values; default embedDim. */
  readonly kdim?: number;
  readonly vdim?: number;
  /** Inputs are [B, T, E] instead of [T, B, E]. */
  readonly batchFirst?: boolean;
}

export interface AttentionCall {
  /** [B, S]: bool, true for keys to leave out, or numbers that are added. */
  readonly keyPaddingMask?: Tensor;
  /** [L, S] or [B · heads, L, S]: bool, true for what may not be seen, or numbers that are added. */
  readonly attnMask?: Tensor;
  /** Gives the weights too; default true. */
  readonly needWeights?: boolean;
  /** Gives the mean of the heads' weights; default true. */
  readonly averageAttnWeights?: boolean;
  /** Lets place i see only places up to i, without a mask. */
  readonly isCausal?: boolean;
}

const xavier = (shape: readonly number[]): Parameter => new Parameter(xavierUniform(shape));

/** Numbers to add, from a mask that is true where nothing may be seen. */
function toAdded(mask: Tensor, like: Tensor): Tensor {
  if (mask.dtype !== "bool") return mask;
  const number = (value: number) => full([], value, { dtype: like.dtype });
  return where(mask, number(Number.NEGATIVE_INFINITY), number(0));
}

/**
 * Attention with several heads (Vaswani et al., 2017): softmax(Q·Kᵀ / √(E/heads))·V of linear maps of query, key and value, a
 * part of the embedding a head, then a linear map of all. Names of parameters are PyTorch's: in_proj_weight, in_proj_bias,
 * out_proj.weight, out_proj.bias.
 *
 * @throws ValueError unless the heads divide the embedding; ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const attention = new nn.MultiheadAttention(8, 2, { batchFirst: true });
 * const x = ones([1, 5, 8]);
 * const [y, weights] = attention.forward(x, x, x);
 * console.log(y.shape, weights?.shape); // → [ 1, 5, 8 ] [ 1, 5, 5 ]
 * ```
 */
export class MultiheadAttention extends Module {
  readonly inProjWeight: Parameter | null = null;
  readonly qProjWeight: Parameter | null = null;
  readonly kProjWeight: Parameter | null = null;
  readonly vProjWeight: Parameter | null = null;
  readonly inProjBias: Parameter | null;
  readonly outProj: Linear;
  private readonly embedDim: number;
  private readonly numHeads: number;
  private readonly dropout: number;
  private readonly batchFirst: boolean;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const {
      dropout = 0,
      bias = true,
      kdim = embedDim,
      vdim = embedDim,
      batchFirst = false,
    } = options;
    this.embedDim = checkSize("MultiheadAttention", "embedDim", embedDim);
    this.numHeads = checkSize("MultiheadAttention", "numHeads", numHeads);
    if (embedDim % numHeads !== 0)
      throw new ValueError("MultiheadAttention", `${numHeads} heads do not divide ${embedDim}`);
    if (!(dropout >= 0 && dropout <= 1))
      throw new ValueError("MultiheadAttention", `dropout must be from 0 to 1, got ${dropout}`);
    if (kdim === embedDim && vdim === embedDim)
      this.inProjWeight = xavier([3 * embedDim, embedDim]);
    else {
      this.qProjWeight = xavier([embedDim, embedDim]);
      this.kProjWeight = xavier([embedDim, kdim]);
      this.vProjWeight = xavier([embedDim, vdim]);
    }
    this.inProjBias = bias ? new Parameter(zeros([3 * embedDim])) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    this.outProj.bias?.assign(zeros([embedDim]));
    this.dropout = dropout;
    this.batchFirst = batchFirst;
  }

  /** Query, key or value through their part of the projection. */
  private project(x: Tensor, part: number): Tensor {
    const { embedDim, inProjBias } = this;
    const own = [this.qProjWeight, this.kProjWeight, this.vProjWeight][part]!;
    const weight = this.inProjWeight?.narrow(0, part * embedDim, embedDim) ?? own;
    return linear(x, weight, inProjBias?.narrow(0, part * embedDim, embedDim) ?? null);
  }

  /** All three at once where they are one tensor and have one weight. */
  private projectAll(parts: readonly [Tensor, Tensor, Tensor]): Tensor[] {
    const [query, key, value] = parts;
    if (!this.inProjWeight || query !== key || key !== value)
      return parts.map((x, i) => this.project(x, i));
    const all = linear(query, this.inProjWeight, this.inProjBias);
    return [0, 1, 2].map((i) => all.narrow(-1, i * this.embedDim, this.embedDim));
  }

  /** [B, T, E] → [B, heads, T, E / heads]. */
  private split(x: Tensor): Tensor {
    const [batch, steps] = x.shape as [number, number];
    return x.reshape([batch, steps, this.numHeads, -1]).transpose(1, 2);
  }

  private mask(call: AttentionCall, query: Tensor, key: Tensor): Tensor | null {
    const [batch, targets] = query.shape as [number, number];
    const sources = key.shape[1]!;
    const expect = (name: string, mask: Tensor, shapes: readonly (readonly number[])[]) => {
      if (!shapes.some((shape) => formatShape(shape) === formatShape(mask.shape)))
        throw new ShapeError(
          "MultiheadAttention",
          `${name} is ${formatShape(mask.shape)}, expected ${shapes.map(formatShape).join(" or ")}`,
        );
    };
    const { attnMask, keyPaddingMask } = call;
    if (attnMask)
      expect("attnMask", attnMask, [
        [targets, sources],
        [batch * this.numHeads, targets, sources],
      ]);
    if (keyPaddingMask) expect("keyPaddingMask", keyPaddingMask, [[batch, sources]]);
    const seen = attnMask && toAdded(attnMask, query);
    const wide = seen?.ndim === 3 ? seen.reshape([batch, this.numHeads, targets, sources]) : seen;
    const padding =
      keyPaddingMask && toAdded(keyPaddingMask, query).reshape([batch, 1, 1, sources]);
    if (wide && padding) return wide.add(padding);
    return wide ?? padding ?? null;
  }

  /** query: [L, B, E] or [L, E], key and value: [S, B, …] or [S, …] → [output like query, weights [B, L, S] or null]. */
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    call: AttentionCall = {},
  ): [output: Tensor, weights: Tensor | null] {
    if (query.ndim === 2) {
      const at = this.batchFirst ? 0 : 1;
      const parts = [query, key, value].map((x) => x.unsqueeze(at)) as [Tensor, Tensor, Tensor];
      const same = query === key && key === value ? [parts[0], parts[0], parts[0]] : parts;
      const padding = call.keyPaddingMask && { keyPaddingMask: call.keyPaddingMask.unsqueeze(0) };
      const [y, weights] = this.forward(same[0]!, same[1]!, same[2]!, { ...call, ...padding });
      return [y.squeeze(at), weights?.squeeze(0) ?? null];
    }
    if (query.ndim !== 3 || key.ndim !== 3 || value.ndim !== 3)
      throw new ShapeError(
        "MultiheadAttention",
        `expected three or two dims each, got ${[query, key, value].map((x) => formatShape(x.shape)).join(", ")}`,
      );
    const projected = this.projectAll([query, key, value]);
    const [q, k, v] = this.batchFirst ? projected : projected.map((x) => x.transpose(0, 1));
    return this.attendTo([q!, k!, v!], call);
  }

  private attendTo(
    [query, key, value]: readonly [Tensor, Tensor, Tensor],
    call: AttentionCall,
  ): [Tensor, Tensor | null] {
    const { needWeights = true, averageAttnWeights = true, isCausal = false } = call;
    const heads = [query, key, value].map((x) => this.split(x)) as [Tensor, Tensor, Tensor];
    const dropoutP = this.training ? this.dropout : 0;
    const mask = this.mask(call, query, key);
    const [y, weights] = attend(heads, mask, { isCausal, dropoutP, needWeights });
    const joined = this.outProj.forward(y!.transpose(1, 2).reshape(query.shape));
    const output = this.batchFirst ? joined : joined.transpose(0, 1);
    if (!needWeights) return [output, null];
    return [output, averageAttnWeights ? weights!.mean(1) : weights!];
  }

  protected override describe(): string {
    return `${this.embedDim}, ${this.numHeads}`;
  }
}
