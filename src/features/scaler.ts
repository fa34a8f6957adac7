/** Zero-centring and standardising. Read pca.ts next. */
import { ValueError } from "../core/errors.js";
import { checkNames as checkOptions } from "../core/options.js";
import type { ArrayData } from "../io/arrayData.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  checkNames,
  checkPart,
  FeatureStep,
  float64Copy,
  needFit,
  type Table,
  tableOf,
} from "./step.js";

export interface StandardScalerOptions {
  /** Take the mean of each feature away; default true. */
  readonly withMean?: boolean;
  /** Divide by the standard deviation of each feature; default true. */
  readonly withStd?: boolean;
}

interface Learned {
  readonly mean: Tensor;
  readonly scale: Tensor;
}

/** Mean of each column. */
export function columnMeans({ data, rows, width }: Table): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0, at = 0; i < rows; i++) for (let d = 0; d < width; d++) sums[d]! += data[at++]!;
  return sums.map((sum) => sum / rows);
}

function columnScales({ data, rows, width }: Table, means: Float64Array): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0, at = 0; i < rows; i++)
    for (let d = 0; d < width; d++) sums[d]! += (data[at++]! - means[d]!) ** 2;
  // A feature that never changes is left as it is.
  return sums.map((sum) => Math.sqrt(sum / rows) || 1);
}

/**
 * (x − mean) / std for each feature, with the training data's mean and (population) standard deviation; features that never change are
 * divided by 1. `withStd: false` only centres: the mean image is gone. x: [N, …] → float32 [N, features].
 *
 * @throws GradusError before fit; ShapeError for rows of another length.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { StandardScaler } from "gradus/features";
 * const scaler = new StandardScaler().fit(tensor([[1, 5], [3, 5]]));
 * console.log(scaler.transform(tensor([[5, 6]])).toArray()); // → [ [ 3, 1 ] ]
 * ```
 */
export class StandardScaler extends FeatureStep {
  readonly #withMean: boolean;
  readonly #withStd: boolean;
  #learned: Learned | null = null;

  constructor(options: StandardScalerOptions = {}) {
    super();
    checkOptions("StandardScaler", options, ["withMean", "withStd"]);
    const { withMean = true, withStd = true } = options;
    this.#withMean = withMean;
    this.#withStd = withStd;
  }

  override fit(x: ArrayData): this {
    const table = tableOf("StandardScaler.fit", x);
    const means = columnMeans(table);
    if (!means.every(Number.isFinite))
      throw new ValueError("StandardScaler.fit", "x holds numbers that are not finite");
    const scales = columnScales(table, means);
    this.#learned = {
      mean: fromTypedArray(this.#withMean ? means : means.map(() => 0)),
      scale: fromTypedArray(this.#withStd ? scales : scales.map(() => 1)),
    };
    return this;
  }

  override transform(x: ArrayData): Tensor {
    const op = "StandardScaler.transform";
    const { mean, scale } = needFit(op, this.#learned);
    const { data, rows, width } = tableOf(op, x, mean.size);
    const [m, s] = [mean.data, scale.data];
    const out = new Float32Array(rows * width);
    for (let i = 0, at = 0; i < rows; i++)
      for (let d = 0; d < width; d++, at++) out[at] = (data[at]! - m[d]!) / s[d]!;
    return fromTypedArray(out, { shape: [rows, width] });
  }

  override stateDict(): Map<string, Tensor> {
    return new Map(Object.entries(needFit("StandardScaler.stateDict", this.#learned)));
  }

  override readState(given: ReadonlyMap<string, ArrayData>): () => void {
    checkNames("StandardScaler", given, ["mean", "scale"]);
    const [mean, scale] = [given.get("mean")!, given.get("scale")!];
    checkPart("StandardScaler", "mean", mean, [-1]);
    checkPart("StandardScaler", "scale", scale, [mean.shape[0]!]);
    const learned = { mean: float64Copy(mean), scale: float64Copy(scale) };
    return () => {
      this.#learned = learned;
    };
  }
}
