/** Nearest neighbours as a classifier and as a regressor, in scikit-learn's form. Read crossValidate.ts next. */
import { GradusError, ValueError } from "../core/errors.js";
import { checkNames } from "../core/options.js";
import { sizeOf } from "../core/shape.js";
import type { ArrayData } from "../io/arrayData.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { isMetric, type Metric } from "./metric.js";
import { checkLabels, checkTargets, type Rows, rowsOf } from "./rows.js";
import { type Found, References, type SearchOptions, search } from "./search.js";
import {
  type Classes,
  checkWeights,
  classesOf,
  countVotes,
  elect,
  type Weights,
  weightsOf,
} from "./vote.js";

export interface NeighborsOptions {
  /** How many neighbours vote; default 5. */
  readonly nNeighbors?: number;
  /** Default "l2". */
  readonly metric?: Metric;
  /** Default "uniform". */
  readonly weights?: Weights;
}

export interface KNeighborsOptions extends SearchOptions {
  /** In place of the constructor's. */
  readonly nNeighbors?: number;
}

/** Distances float64 and indices int32 into the fitted rows, both `[Q, k]`, the nearest first. */
export interface Neighbors {
  readonly distances: Tensor;
  readonly indices: Tensor;
}

/** What classifier and regressor share: the fitted rows and the search among them. */
abstract class NeighborsBase {
  readonly nNeighbors: number;
  readonly metric: Metric;
  readonly weights: Weights;
  #references: References | null = null;

  constructor(options: NeighborsOptions = {}) {
    const op = new.target.name;
    checkNames(op, options, ["nNeighbors", "metric", "weights"]);
    const { nNeighbors = 5, metric = "l2", weights = "uniform" } = options;
    if (!Number.isInteger(nNeighbors) || nNeighbors < 1)
      throw new ValueError(op, `nNeighbors is ${nNeighbors}; expected a whole number ≥ 1`);
    if (!isMetric(metric))
      throw new ValueError(op, `metric is "${metric}"; expected "l1", "l2" or "cosine"`);
    this.nNeighbors = nNeighbors;
    this.metric = metric;
    this.weights = checkWeights(op, weights);
  }

  protected keep(rows: Rows): void {
    this.#references = new References(rows, this.metric);
  }

  protected find(method: string, x: ArrayData, options: KNeighborsOptions): Promise<Found> {
    const op = `${this.constructor.name}.${method}`;
    if (!this.#references) throw new GradusError(op, "nothing to search yet; call fit(x, y) first");
    const k = options.nNeighbors ?? this.nNeighbors;
    return search(op, this.#references, rowsOf(op, "x", x), k, options);
  }

  /**
   * The nearest fitted rows of each row of x `[Q, …]`; of equal distances the smaller index comes first.
   *
   * @throws ShapeError where rows differ in length from the fitted ones; ValueError for a k out of range.
   */
  async kneighbors(x: ArrayData, options: KNeighborsOptions = {}): Promise<Neighbors> {
    const { k, distances, indices } = await this.find("kneighbors", x, options);
    const shape = [indices.length / k, k];
    return {
      distances: fromTypedArray(distances, { shape }),
      indices: fromTypedArray(indices, { shape }),
    };
  }
}

/**
 * Classification by the votes of the k nearest training rows (Cover and Hart, 1967), found exactly. Of classes with equally many votes the
 * smallest label wins; of neighbours at equal distances those with the smaller index count.
 *
 * @throws ValueError for an option out of range.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { KNeighborsClassifier } from "gradus/neighbors";
 * const x = tensor([[0, 0], [0, 1], [5, 5]]);
 * const y = tensor(new Int32Array([0, 0, 1]));
 * const knn = new KNeighborsClassifier({ nNeighbors: 1 }).fit(x, y);
 * console.log((await knn.predict(tensor([[4, 4]]))).toArray()); // → [ 1 ]
 * ```
 */
export class KNeighborsClassifier extends NeighborsBase {
  #classes: Classes | null = null;

  /**
   * Keeps training rows x `[N, …]`, of any dtype, and their classes y, int32 or uint8 `[N]`.
   *
   * @throws ShapeError where x and y do not fit; ValueError for a number that is not finite.
   */
  fit(x: ArrayData, y: ArrayData): this {
    const op = "KNeighborsClassifier.fit";
    const rows = rowsOf(op, "x", x);
    checkLabels(op, y, rows.count);
    this.keep(rows);
    this.#classes = classesOf(y.data);
    return this;
  }

  /** The classes that were fitted, in rising order: the columns of {@link predictProba}. */
  get classes(): readonly number[] {
    return [...(this.#classes?.values ?? [])];
  }

  /** The class of each row, int32 `[Q]`. */
  async predict(x: ArrayData, options: KNeighborsOptions = {}): Promise<Tensor> {
    const found = await this.find("predict", x, options);
    const votes = countVotes(found, this.#classes!, found.k, this.weights);
    return fromTypedArray(elect(votes, this.#classes!));
  }

  /** Each class's share of the votes, float64 `[Q, classes]`. */
  async predictProba(x: ArrayData, options: KNeighborsOptions = {}): Promise<Tensor> {
    const found = await this.find("predictProba", x, options);
    const votes = countVotes(found, this.#classes!, found.k, this.weights);
    return fromTypedArray(votes, { shape: [found.indices.length / found.k, this.classes.length] });
  }

  /** The share of rows whose class is predicted right, 0 to 1. */
  async score(x: ArrayData, y: ArrayData, options: KNeighborsOptions = {}): Promise<number> {
    checkLabels("KNeighborsClassifier.score", y, x.shape[0] ?? 0);
    const { data } = await this.predict(x, options);
    const right = Array.from(data).filter((label, i) => label === y.data[i]).length;
    return right / data.length;
  }
}

/**
 * Regression by the mean of the targets of the k nearest training rows, weighted as asked.
 *
 * @throws ValueError for an option out of range.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { KNeighborsRegressor } from "gradus/neighbors";
 * const knn = new KNeighborsRegressor({ nNeighbors: 2 });
 * knn.fit(tensor([[0], [1], [9]]), tensor([0, 2, 5]));
 * console.log((await knn.predict(tensor([[0.5]]))).toArray()); // → [ 1 ]
 * ```
 */
export class KNeighborsRegressor extends NeighborsBase {
  #targets: ArrayData | null = null;

  /** Keeps training rows x `[N, …]` and their targets y `[N]` or `[N, M]`. */
  fit(x: ArrayData, y: ArrayData): this {
    const op = "KNeighborsRegressor.fit";
    const rows = rowsOf(op, "x", x);
    checkTargets(op, y, rows.count);
    rowsOf(op, "y", y);
    this.keep(rows);
    this.#targets = y;
    return this;
  }

  /** The mean target of each row's neighbours, float64 `[Q]` or `[Q, M]`. */
  async predict(x: ArrayData, options: KNeighborsOptions = {}): Promise<Tensor> {
    const found = await this.find("predict", x, options);
    const { data, shape } = this.#targets!;
    const width = sizeOf(shape.slice(1));
    const queries = found.indices.length / found.k;
    const out = new Float64Array(queries * width);
    for (let q = 0; q < queries; q++) {
      const weights = weightsOf(found, q, found.k, this.weights);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let i = 0; i < found.k; i++) {
        const from = found.indices[q * found.k + i]! * width;
        for (let m = 0; m < width; m++)
          out[q * width + m]! += (weights[i]! * data[from + m]!) / total;
      }
    }
    return fromTypedArray(out, { shape: [queries, ...shape.slice(1)] });
  }
}
