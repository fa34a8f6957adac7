/** Softmax regression and the multiclass SVM: one linear layer, three losses, four penalties. Read templates.ts for pictures of it. */
import { ValueError } from "../core/errors.js";
import { checkNames } from "../core/options.js";
import type { ArrayData } from "../io/arrayData.js";
import { checkSize } from "../nn/linear.js";
import { Layer, Parameter } from "../nn/module.js";
import { crossEntropy, linear } from "../ops/index.js";
import { zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  type ClassifierFitOptions,
  classifierAccuracy,
  fitClassifier,
  predictClasses,
} from "./fit.js";
import { multiclassHinge, type PenaltyOptions, penaltyShares, weightPenalty } from "./losses.js";

/** `softmax`: cross-entropy; `hinge`, `squaredHinge`: the multiclass SVM's. */
export type LinearLoss = "softmax" | "hinge" | "squaredHinge";

export interface LinearClassifierOptions extends PenaltyOptions {
  /** Default "softmax". */
  readonly loss?: LinearLoss;
}

const dataLosses: Record<LinearLoss, (scores: Tensor, labels: Tensor) => Tensor> = {
  softmax: crossEntropy,
  hinge: multiclassHinge,
  squaredHinge: (scores, labels) => multiclassHinge(scores, labels, { squared: true }),
};

/**
 * A linear classifier s = x·Wᵀ + b, the class with the highest score; starts at zero. x: [B, features], weight: [classes, features].
 *
 * `loss()` is the mean data loss plus the penalty of the weights, without the bias.
 *
 * @throws ValueError for an unknown loss or penalty.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { LinearClassifier } from "gradus/linear";
 * const x = tensor([[-2], [-1], [1], [2]]);
 * const y = tensor(new Int32Array([0, 0, 1, 1]));
 * const svm = new LinearClassifier(1, 2, { loss: "hinge", penalty: "none" });
 * await svm.fit(x, y, { epochs: 50, lr: 0.1 });
 * console.log((await svm.predict(x)).toArray()); // → [ 0, 0, 1, 1 ]
 * ```
 */
export class LinearClassifier extends Layer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly options: LinearClassifierOptions;

  constructor(features: number, classes: number, options: LinearClassifierOptions = {}) {
    super();
    const op = "LinearClassifier";
    checkNames(op, options, ["loss", "penalty", "alpha", "l1Ratio"]);
    checkSize(op, "features", features);
    checkSize(op, "classes", classes);
    const { loss = "softmax" } = options;
    if (!Object.hasOwn(dataLosses, loss)) {
      const known = Object.keys(dataLosses).join(", ");
      throw new ValueError(op, `loss is "${loss}"; expected one of ${known}`);
    }
    penaltyShares(op, options);
    this.options = options;
    this.weight = new Parameter(zeros([classes, features]));
    this.bias = new Parameter(zeros([classes]));
  }

  /** Scores [B, classes] of inputs [B, …], which are flattened. */
  forward(x: Tensor): Tensor {
    return linear(x.flatten(1), this.weight, this.bias);
  }

  /** What training minimizes, for scores [B, classes] and labels [B]. */
  loss(scores: Tensor, labels: Tensor): Tensor {
    const data = dataLosses[this.options.loss ?? "softmax"](scores, labels);
    return data.add(weightPenalty(this.weight, this.options));
  }

  /** Trains from x `[N, …]` and y `[N]`; gives the last epoch's mean loss. See {@link fitClassifier}. */
  fit(x: ArrayData, y: ArrayData, options: ClassifierFitOptions = {}): Promise<number> {
    return fitClassifier(this, (scores, labels) => this.loss(scores, labels), x, y, options);
  }

  /** The class of each row, int32 `[N]`. */
  predict(x: ArrayData): Promise<Tensor> {
    return predictClasses(this, x);
  }

  /** The share of rows whose class is predicted right, 0 to 1. */
  score(x: ArrayData, y: ArrayData): Promise<number> {
    return classifierAccuracy(this, x, y);
  }

  protected override describe(): string {
    const [classes, features] = this.weight.shape;
    return `${features}, ${classes}, loss: ${this.options.loss ?? "softmax"}`;
  }
}
