/**
 * Turns gathered batches of uint8 pictures into what a network takes. Pictures are kept as bytes, a
 * quarter of their size in float32, and become numbers here, a batch at a time. Read loader.ts
 * next.
 */
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { ArrayData } from "../io/arrayData.js";

export interface NormalizeOptions {
  /** What a byte is multiplied by first; default 1/255, so that white is 1. */
  readonly scale?: number;
  /** Subtracted after scaling: one number, or one a channel; default 0. */
  readonly mean?: number | readonly number[];
  /** Divided by at last: one number, or one a channel; default 1. */
  readonly std?: number | readonly number[];
  /** Give `[B, H, W]` pictures the channel that convolutions expect: `[B, 1, H, W]`. */
  readonly addChannel?: boolean;
}

/**
 * Makes a loader's `transform` that turns the first part of each batch, uint8 pictures `[B, H, W]`
 * or `[B, C, H, W]`, into float32: `(byte · scale − mean) / std`. The other parts pass through.
 *
 * @throws when applied: DTypeError where the part is not uint8, ShapeError where channels do not
 * fit.
 * @example
 * ```ts
 * import { data, tensor } from "gradus";
 * const pictures = tensor(new Uint8Array([0, 255]), { shape: [1, 1, 2], dtype: "uint8" });
 * const loader = new data.DataLoader(new data.TensorDataset(pictures), {
 *   transform: data.normalizeImages({ mean: 0.5, std: 0.5 }),
 * });
 * for (const [x] of loader) console.log(x.toArray()); // → [ [ [ -1, 1 ] ] ]
 * ```
 */
export function normalizeImages(
  options: NormalizeOptions = {},
): <A extends readonly ArrayData[]>(batch: A) => A {
  const tables = makeTables(options);
  return <A extends readonly ArrayData[]>(batch: A): A => {
    const [images, ...others] = batch;
    if (!images) return batch;
    const first = normalize(images, tables, options.addChannel ?? false);
    return [first, ...others] as unknown as A;
  };
}

/** One table a channel from byte to result: a look-up takes the place of the arithmetic. */
function makeTables({ scale = 1 / 255, mean = 0, std = 1 }: NormalizeOptions): Float32Array[] {
  const op = "normalizeImages";
  const [means, stds] = [[mean].flat(), [std].flat()];
  const channels = Math.max(means.length, stds.length);
  const fits = (values: number[]) => values.length === 1 || values.length === channels;
  if (!fits(means) || !fits(stds)) {
    const came = `${means.length} and ${stds.length} numbers`;
    throw new ValueError(op, `mean and std have ${came}; expected one, or one a channel`);
  }
  if (![scale, ...means, ...stds].every(Number.isFinite) || stds.includes(0))
    throw new ValueError(op, "scale, mean and std must be finite, and std not 0");
  return Array.from({ length: channels }, (_, c) => {
    const [m, s] = [means[c % means.length]!, stds[c % stds.length]!];
    return Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - m) / s);
  });
}

function normalize(
  images: ArrayData,
  tables: readonly Float32Array[],
  addChannel: boolean,
): ArrayData {
  const op = "normalizeImages";
  const { shape, dtype, data } = images;
  if (dtype !== "uint8")
    throw new DTypeError(op, `pictures are ${dtype}; expected uint8, as files hold them`);
  if (addChannel && shape.length !== 3)
    throw new ShapeError(op, `pictures are ${formatShape(shape)}; addChannel expects [B, H, W]`);
  if (tables.length > 1 && (shape.length !== 4 || shape[1] !== tables.length)) {
    const expected = `[B, ${tables.length}, H, W] for ${tables.length} channels`;
    throw new ShapeError(op, `pictures are ${formatShape(shape)}; expected ${expected}`);
  }
  const out = new Float32Array(data.length);
  const plane = tables.length > 1 ? shape[2]! * shape[3]! : data.length;
  for (let start = 0, c = 0; start < data.length; start += plane, c = (c + 1) % tables.length) {
    const table = tables[c]!;
    for (let i = start; i < start + plane; i++) out[i] = table[data[i]!]!;
  }
  const [batch, ...sizes] = shape;
  return { shape: addChannel ? [batch!, 1, ...sizes] : shape, dtype: "float32", data: out };
}
