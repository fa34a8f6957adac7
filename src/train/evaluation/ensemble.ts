/** Several networks that answer together. Read average.ts for how, snapshots.ts for members from a single run. */
import { ValueError } from "../../core/errors.js";
import { ModuleList } from "../../nn/containers.js";
import { Module } from "../../nn/module.js";
import type { Tensor } from "../../tensor/index.js";
import type { Model } from "../steps.js";
import { type AverageOptions, averageOutputs, checkAverageOptions } from "./average.js";

export interface EnsembleOptions extends AverageOptions {
  /** What each member counts, ≥ 0; only their proportions matter. Default: all the same. */
  readonly weights?: readonly number[];
}

/**
 * The average of what several models say of the same input: of their probabilities, log (1/M Σ softmax(zₘ)), or of their logits. Errors
 * that members do not share are averaged out (Lakshminarayanan et al., "Deep ensembles", 2017).
 *
 * x: as the members take it → [B, K, …]; scores for `crossEntropy`. The state is `members.0.…`.
 *
 * @throws ValueError for no member, or weights that do not fit; ShapeError where members' outputs differ in shape.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * import { Ensemble } from "gradus/train";
 * const [sure, unsure] = [new nn.Identity(), new nn.Softmax(1)];
 * const ensemble = new Ensemble([sure, unsure]);
 * const scores = ensemble.forward(tensor([[0, 9], [9, 0]]));
 * console.log(scores.argmax(1).toArray(), scores.exp().sum(1).toArray()); // ≈ [ 1, 0 ] [ 1, 1 ]
 * ```
 */
export class Ensemble extends Module {
  readonly members: ModuleList<Model>;
  private readonly options: AverageOptions;
  private readonly weights: readonly number[];

  constructor(members: Iterable<Model>, options: EnsembleOptions = {}) {
    super();
    this.members = new ModuleList(members);
    const { length } = this.members;
    if (length === 0) throw new ValueError("Ensemble", "got no member");
    checkAverageOptions("Ensemble", options);
    this.options = options;
    this.weights = sharesOf(options.weights ?? Array<number>(length).fill(1), length);
  }

  override forward(x: Tensor): Tensor {
    const outputs = [...this.members].map((member) => member.forward(x));
    return averageOutputs("Ensemble", outputs, this.options, this.weights);
  }
}

function sharesOf(weights: readonly number[], members: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const isFit = weights.length === members && weights.every((w) => w >= 0) && total > 0;
  if (!isFit || total === Number.POSITIVE_INFINITY) {
    const came = weights.join(", ");
    throw new ValueError(
      "Ensemble",
      `weights are ${came}; expected ${members} numbers ≥ 0, not all 0`,
    );
  }
  return weights.map((weight) => weight / total);
}
