/** Temperature scaling: one number that makes a trained classifier as sure as it should be. Read calibration.ts first. */
import { ValueError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import { Buffer, Module } from "../../nn/module.js";
import { type Tensor, tensor } from "../../tensor/index.js";
import type { BatchSource, Model } from "../steps.js";
import { type LogitTable, logitTable, softmaxRow } from "./calibration.js";
import { type PredictOptions, predict } from "./predict.js";

/** Slope and curvature of the mean negative log likelihood in the inverse temperature, in which it is convex. */
function slopeAt(
  { logits, labels, classes }: LogitTable,
  scale: number,
): [slope: number, bend: number] {
  let [slope, bend] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const start = i * classes;
    const row = softmaxRow(logits, start, classes, scale);
    let [mean, square] = [0, 0];
    for (let k = 0; k < classes; k++) {
      const z = logits[start + k]!;
      if (row[k] === 0) continue;
      mean += row[k]! * z;
      square += row[k]! * z * z;
    }
    slope += mean - logits[start + labels[i]!]!;
    bend += Math.max(0, square - mean * mean);
  }
  return [slope / labels.length, bend / labels.length];
}

const [coldest, hottest] = [1e-3, 1e3];

/**
 * The temperature T > 0 for which softmax(z / T) has the least negative log likelihood (Guo et al., 2017): over 1 for a classifier that is
 * too sure of itself. Predictions do not change. Found by Newton's method within a bracket, in float64; where the likelihood only gets
 * better towards an end, as for logits that are always right, T is that end: 0.001 or 1000.
 *
 * @param logits [N, K], or [N] or [N, 1] for class 1 of two, of data that the model was not trained on.
 * @param labels N classes.
 * @throws as `calibration`, and ValueError for logits that are not finite.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { findTemperature } from "gradus/train";
 * const logits = tensor([[4, 0], [4, 0], [0, 4], [0, 4]]);
 * console.log(findTemperature(logits, [0, 0, 1, 0])); // ≈ 3.641
 * ```
 */
export function findTemperature(logits: ArrayData, labels: ArrayData | ArrayLike<number>): number {
  const table = logitTable("findTemperature", logits, labels, {});
  const bad = table.logits.findIndex((z) => !Number.isFinite(z));
  if (bad >= 0)
    throw new ValueError(
      "findTemperature",
      `the logits hold ${table.logits[bad]}; expected finite ones`,
    );
  let [low, high] = [1 / hottest, 1 / coldest];
  if (slopeAt(table, low)[0] >= 0) return hottest;
  if (slopeAt(table, high)[0] <= 0) return coldest;
  let scale = 1;
  for (let round = 0; round < 200 && high - low > 1e-13 * high; round++) {
    const [slope, bend] = slopeAt(table, scale);
    if (slope === 0) break;
    if (slope < 0) low = scale;
    else high = scale;
    const next = scale - slope / bend;
    // Newton's step where it stays between the ends, else their middle.
    const step = next > low && next < high ? next : Math.sqrt(low * high);
    if (Math.abs(step - scale) <= 1e-14 * scale) break;
    scale = step;
  }
  return 1 / scale;
}

/**
 * A model whose logits are divided by a temperature, which is a part of its state.
 *
 * x: as the model takes it → [B, K, …].
 *
 * @throws ValueError unless the temperature is over 0 and finite.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * import { TemperatureScaled } from "gradus/train";
 * const model = new TemperatureScaled(new nn.Identity(), 2);
 * console.log(model.forward(tensor([[4, 2]])).toArray()); // → [ [ 2, 1 ] ]
 * ```
 */
export class TemperatureScaled extends Module {
  readonly model: Model;
  readonly temperature: Buffer;

  constructor(model: Model, temperature = 1) {
    super();
    if (!(temperature > 0 && temperature < Number.POSITIVE_INFINITY))
      throw new ValueError(
        "TemperatureScaled",
        `temperature is ${temperature}; expected a number > 0`,
      );
    this.model = model;
    this.temperature = new Buffer(tensor(temperature));
  }

  override forward(x: Tensor): Tensor {
    const output = this.model.forward(x);
    return output.div(this.temperature.to(output.dtype));
  }
}

/**
 * Calibrates a trained classifier on data that it was not trained on: {@link findTemperature} of its logits for all batches of a loader.
 *
 * @throws as {@link findTemperature}.
 * @example
 * ```ts
 * import { data, nn, tensor } from "gradus";
 * import { scaleTemperature } from "gradus/train";
 * const x = tensor([[4, 0], [4, 0], [0, 4], [0, 4]]);
 * const y = tensor([0, 0, 1, 0], { dtype: "int32" });
 * const loader = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 2 });
 * const calibrated = await scaleTemperature(new nn.Identity(), loader);
 * console.log(calibrated.temperature.item()); // ≈ 3.641
 * ```
 */
export async function scaleTemperature(
  model: Model,
  loader: BatchSource,
  options: PredictOptions = {},
): Promise<TemperatureScaled> {
  const { outputs, targets } = await predict(model, loader, options);
  return new TemperatureScaled(model, findTemperature(outputs, targets));
}
