/** Principal components, and whitening by them: in their own axes (PCA) or turned back (ZCA). Read hog.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { checkNames as checkOptions } from "../core/options.js";
import type { ArrayData } from "../io/arrayData.js";
import { matmul } from "../ops/index.js";
import { eye, fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { blockRows, centered, spectrumOf } from "./spectrum.js";
import {
  checkNames,
  checkPart,
  FeatureStep,
  float64Copy,
  needFit,
  type Table,
  tableOf,
} from "./step.js";

/** (x − mean)·mapᵀ as float32; map: [k, D]. */
function project(table: Table, mean: ArrayLike<number>, map: Tensor): Tensor {
  const k = map.shape[0]!;
  const out = new Float32Array(table.rows * k);
  const turned = map.t();
  for (let from = 0; from < table.rows; from += blockRows)
    out.set(matmul(centered(table, mean, from), turned).data, from * k);
  return fromTypedArray(out, { shape: [table.rows, k] });
}

export interface PCAOptions {
  /** Components to keep; default all, at most rows and features. */
  readonly nComponents?: number;
  /** Divide each component by its standard deviation; default false. */
  readonly whiten?: boolean;
}

interface Principal {
  readonly mean: Tensor;
  readonly components: Tensor;
  readonly explainedVariance: Tensor;
  readonly explainedVarianceRatio: Tensor;
}

const principalNames = [
  "mean",
  "components",
  "explainedVariance",
  "explainedVarianceRatio",
] as const;

/**
 * The directions in which training data vary most (Pearson, 1901; Hotelling, 1933), from the eigenvectors of their covariance; signs as in
 * scikit-learn ≥ 1.5: the largest number of each component by size is positive. x: [N, …] → float32 [N, nComponents].
 *
 * @throws GradusError before fit; ShapeError for rows of another length; ValueError for an impossible number of components.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { PCA } from "gradus/features";
 * const pca = new PCA({ nComponents: 1 }).fit(tensor([[0, 0], [3, 4], [6, 8]]));
 * console.log(pca.components.toArray()); // ≈ [ [ 0.6, 0.8 ] ]
 * console.log(pca.transform(tensor([[6, 8]])).toArray()); // ≈ [ [ 5 ] ]
 * ```
 */
export class PCA extends FeatureStep {
  readonly #options: PCAOptions;
  #learned: Principal | null = null;

  constructor(options: PCAOptions = {}) {
    super();
    checkOptions("PCA", options, ["nComponents", "whiten"]);
    const { nComponents = 1 } = options;
    if (!Number.isInteger(nComponents) || nComponents < 1)
      throw new ValueError("PCA", `nComponents is ${nComponents}; expected a whole number ≥ 1`);
    this.#options = options;
  }

  #need(name: string): Principal {
    return needFit(`PCA.${name}`, this.#learned);
  }

  /** Unit vectors, float64 [nComponents, features]. */
  get components(): Tensor {
    return this.#need("components").components;
  }

  /** Variances (divided by N − 1) along the components, float64 [nComponents]. */
  get explainedVariance(): Tensor {
    return this.#need("explainedVariance").explainedVariance;
  }

  /** Their shares of the whole variance, float64 [nComponents]. */
  get explainedVarianceRatio(): Tensor {
    return this.#need("explainedVarianceRatio").explainedVarianceRatio;
  }

  override fit(x: ArrayData): this {
    const op = "PCA.fit";
    const table = tableOf(op, x);
    const most = Math.min(table.rows, table.width);
    const k = this.#options.nComponents ?? most;
    if (k > most || table.rows < 2)
      throw new ValueError(op, `${k} components of ${table.rows} rows of ${table.width} features`);
    const { mean, values, vectors } = spectrumOf(op, table);
    const total = values.reduce((sum, value) => sum + value, 0);
    this.#learned = {
      mean: fromTypedArray(mean),
      components: fromTypedArray(vectors.data.slice(0, k * table.width), {
        shape: [k, table.width],
      }),
      explainedVariance: fromTypedArray(values.slice(0, k).map((v) => v / (table.rows - 1))),
      explainedVarianceRatio: fromTypedArray(values.slice(0, k).map((v) => v / (total || 1))),
    };
    return this;
  }

  override transform(x: ArrayData): Tensor {
    const { mean, components, explainedVariance } = this.#need("transform");
    const table = tableOf("PCA.transform", x, mean.size);
    if (!this.#options.whiten) return project(table, mean.data, components);
    // A direction without variance has nothing to divide by.
    const least = Number.EPSILON;
    const scales = Float64Array.from(
      explainedVariance.data,
      (v) => 1 / Math.sqrt(Math.max(v, least)),
    );
    const column = fromTypedArray(scales, { shape: [scales.length, 1] });
    return project(table, mean.data, components.mul(column));
  }

  /**
   * From components [N, nComponents] back to features, float64 [N, features]: what was left out is missing.
   *
   * @throws ShapeError for rows of another length.
   */
  inverseTransform(y: Tensor): Tensor {
    const { mean, components, explainedVariance } = this.#need("inverseTransform");
    if (y.ndim !== 2 || y.shape[1] !== components.shape[0])
      throw new ShapeError(
        "PCA.inverseTransform",
        `y is [${y.shape}]; expected [N, ${components.shape[0]}]`,
      );
    const scaled = this.#options.whiten
      ? components.mul(explainedVariance.sqrt().unsqueeze(1))
      : components;
    return y.double().matmul(scaled).add(mean);
  }

  override stateDict(): Map<string, Tensor> {
    return new Map(Object.entries(this.#need("stateDict")));
  }

  override readState(given: ReadonlyMap<string, ArrayData>): () => void {
    checkNames("PCA", given, principalNames);
    const [mean, components, variance, ratio] = principalNames.map((name) => given.get(name)!);
    checkPart("PCA", "mean", mean!, [-1]);
    checkPart("PCA", "components", components!, [-1, mean!.shape[0]!]);
    const k = components!.shape[0]!;
    checkPart("PCA", "explainedVariance", variance!, [k]);
    checkPart("PCA", "explainedVarianceRatio", ratio!, [k]);
    const learned = {
      mean: float64Copy(mean!),
      components: float64Copy(components!),
      explainedVariance: float64Copy(variance!),
      explainedVarianceRatio: float64Copy(ratio!),
    };
    return () => {
      this.#learned = learned;
    };
  }
}

export interface ZCAOptions {
  /** Added to each variance before the division, so that noise is not blown up; default 1e-5. */
  readonly epsilon?: number;
}

/**
 * Whitening that stays as close to the data as it can (Bell and Sejnowski, 1997): (x − mean)·E·diag(1/√(λ + ε))·Eᵀ with the eigenvectors and
 * values of the covariance (divided by N). Pictures remain pictures. x: [N, …] → float32 [N, features].
 *
 * @throws GradusError before fit; ShapeError for rows of another length.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { ZCA } from "gradus/features";
 * const zca = new ZCA({ epsilon: 0 });
 * console.log(zca.fitTransform(tensor([[-2, 0], [2, 0], [0, -1], [0, 1]])).at(1).toArray()); // ≈ [ 1.4142, 0 ]
 * ```
 */
export class ZCA extends FeatureStep {
  readonly #epsilon: number;
  #learned: { readonly mean: Tensor; readonly map: Tensor } | null = null;

  constructor(options: ZCAOptions = {}) {
    super();
    checkOptions("ZCA", options, ["epsilon"]);
    const { epsilon = 1e-5 } = options;
    if (!(epsilon >= 0)) throw new ValueError("ZCA", `epsilon is ${epsilon}; expected ≥ 0`);
    this.#epsilon = epsilon;
  }

  override fit(x: ArrayData): this {
    const table = tableOf("ZCA.fit", x);
    const { mean, values, vectors } = spectrumOf("ZCA.fit", table);
    const scaleOf = (value: number) => 1 / Math.sqrt(value / table.rows + this.#epsilon);
    // That of the directions which are not among the vectors, as there are fewer rows than features.
    const rest = values.length < table.width ? scaleOf(0) : 0;
    const scales = values.map((value) => scaleOf(value) - rest);
    if (!scales.every(Number.isFinite))
      throw new ValueError("ZCA.fit", "a direction has no variance; give an epsilon > 0");
    const column = fromTypedArray(scales, { shape: [scales.length, 1] });
    const map = matmul(vectors.t(), vectors.mul(column));
    this.#learned = {
      mean: fromTypedArray(mean),
      map: rest === 0 ? map : map.add(eye(table.width, { dtype: "float64" }).mul(rest)),
    };
    return this;
  }

  override transform(x: ArrayData): Tensor {
    const { mean, map } = needFit("ZCA.transform", this.#learned);
    return project(tableOf("ZCA.transform", x, mean.size), mean.data, map);
  }

  override stateDict(): Map<string, Tensor> {
    return new Map(Object.entries(needFit("ZCA.stateDict", this.#learned)));
  }

  override readState(given: ReadonlyMap<string, ArrayData>): () => void {
    checkNames("ZCA", given, ["mean", "map"]);
    const [mean, map] = [given.get("mean")!, given.get("map")!];
    checkPart("ZCA", "mean", mean, [-1]);
    checkPart("ZCA", "map", map, [mean.shape[0]!, mean.shape[0]!]);
    const learned = { mean: float64Copy(mean), map: float64Copy(map) };
    return () => {
      this.#learned = learned;
    };
  }
}
