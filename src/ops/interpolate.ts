/**
 * Interpolation: each spatial dim by itself, as a weighted sum of selected places. Which places and weights those are follows from
 * sizes alone and is worked out here. Read gridSample.ts next.
 */
import { ShapeError, ValueError } from "../core/errors.js";
import { checkShape, formatShape } from "../core/shape.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { fromTypedArray, tensor } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { adaptiveAverageNodes } from "./adaptivePool.js";
import { cubicKernel } from "./cubic.js";
import { needFloatTensor } from "./norm.js";

export type InterpolateMode =
  | ("nearest" | "nearest-exact" | "area")
  | ("linear" | "bilinear" | "trilinear" | "bicubic");

export interface InterpolateOptions {
  /** Spatial sizes of the result. */
  readonly size?: number | readonly number[];
  /** The same as a multiple of the input's. */
  readonly scaleFactor?: number | readonly number[];
  /** Default "nearest". */
  readonly mode?: InterpolateMode;
  /** Whether the centres of the corners, not their outer edges, stay where they are; for linear and cubic modes. */
  readonly alignCorners?: boolean;
  /** Lets every place count where the result is smaller; for "bilinear" and "bicubic". */
  readonly antialias?: boolean;
  /** Computes the scale again from the sizes that scaleFactor gave. */
  readonly recomputeScaleFactor?: boolean;
}

/** What a place of the result is made of: a place of the input and its weight, tap by tap. */
interface Taps {
  readonly places: readonly Int32Array[];
  /** None where the only weight is 1. */
  readonly weights: readonly Float64Array[];
}

interface DimScale {
  readonly n: number;
  readonly out: number;
  /** Input places a result place. */
  readonly step: number;
}

function nearestTaps({ n, out, step }: DimScale, isExact: boolean): Taps {
  // PyTorch rounds this scale to float32 whatever the tensor's dtype.
  const scale = Math.fround(step);
  const at = (i: number) => {
    if (!isExact && out === n) return i;
    if (!isExact && out === 2 * n) return i >> 1;
    return Math.min(n - 1, Math.floor(Math.fround((isExact ? i + 0.5 : i) * scale)));
  };
  return { places: [Int32Array.from({ length: out }, (_, i) => at(i))], weights: [] };
}

function source(i: number, { n, out, step }: DimScale, alignCorners: boolean): number {
  if (alignCorners) return out > 1 ? (i * (n - 1)) / (out - 1) : 0;
  return step * (i + 0.5) - 0.5;
}

const cubicAt =
  (a: number) =>
  (distance: number): number => {
    const { near, far } = cubicKernel(a);
    if (distance >= 2) return 0;
    return (distance < 1 ? near : far).reduceRight((sum, c) => sum * distance + c, 0);
  };

/** The cubic kernel at the distances of four neighbours. */
const cubicWeights = (t: number): number[] => [t + 1, t, 1 - t, 2 - t].map(cubicAt(-0.75));

/**
 * Linear or cubic weights stretched to the step where that shrinks, so that every place counts and none is skipped
 * (as in Pillow). Each place of the result may need another number of them; those past its own weigh 0.
 */
function smoothTaps(scale: DimScale, isCubic: boolean, alignCorners: boolean): Taps {
  const { n, out } = scale;
  const step = alignCorners ? (out > 1 ? (n - 1) / (out - 1) : 0) : scale.step;
  const stretch = Math.max(step, 1);
  const support = (isCubic ? 2 : 1) * stretch;
  const kernel = isCubic ? cubicAt(-0.5) : (d: number) => Math.max(0, 1 - d);
  const rows = Array.from({ length: out }, (_, i) => {
    const centre = step * (i + 0.5);
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(n, Math.trunc(centre + support + 0.5));
    const list = Array.from({ length: end - first }, (_, j) =>
      kernel(Math.abs(j + first - centre + 0.5) / stretch),
    );
    const total = list.reduce((sum, w) => sum + w, 0);
    return { first, weights: list.map((w) => (total === 0 ? w : w / total)) };
  });
  const count = Math.max(...rows.map(({ weights }) => weights.length));
  const each = Array.from({ length: count }, (_, k) => k);
  return {
    places: each.map((k) => Int32Array.from(rows, ({ first }) => Math.min(n - 1, first + k))),
    weights: each.map((k) => Float64Array.from(rows, ({ weights }) => weights[k] ?? 0)),
  };
}

function weightedTaps(scale: DimScale, isCubic: boolean, alignCorners: boolean): Taps {
  const { n, out } = scale;
  const count = isCubic ? 4 : 2;
  const places = Array.from({ length: count }, () => new Int32Array(out));
  const weights = Array.from({ length: count }, () => new Float64Array(out));
  for (let i = 0; i < out; i++) {
    const exact = source(i, scale, alignCorners);
    const at = isCubic ? exact : Math.max(0, exact);
    const first = Math.floor(at);
    const list = isCubic ? cubicWeights(at - first) : [1 - (at - first), at - first];
    list.forEach((weight, k) => {
      places[k]![i] = Math.min(n - 1, Math.max(0, first + k - (isCubic ? 1 : 0)));
      weights[k]![i] = weight;
    });
  }
  return { places, weights };
}

type Attributes = {
  readonly dims: readonly number[];
  /** How many there are for each dim. */
  readonly taps: readonly number[];
  readonly isWeighted: boolean;
};

/** inputs: x, then for each dim its taps: places, and weights if there are any. */
const interpolateSpec: OpSpec<Attributes> = {
  name: "interpolate",
  lower(b, [x, ...tables], { dims, taps, isWeighted }) {
    let next = 0;
    return dims.reduce((y, dim, d) => {
      const parts = Array.from({ length: taps[d]! }, () => {
        const part = b.make("indexSelect", [y, tables[next++]!], { dim });
        if (!isWeighted) return part;
        const weight = tables[next++]!;
        const shape = part.shape.map((n, i) => (i === dim ? n : 1));
        return b.multiply(part, b.reshape(weight, shape));
      });
      return parts.reduce((sum, part) => b.add(sum, part));
    }, x!);
  },
};

const areaSpec: OpSpec<{ readonly sizes: readonly number[] }> = {
  name: "interpolate",
  lower: (b, [x], { sizes }) => adaptiveAverageNodes(b, x!, sizes),
};

const modeRanks: Partial<Record<InterpolateMode, number>> = {
  linear: 1,
  bilinear: 2,
  bicubic: 2,
  trilinear: 3,
};
const modes = ["nearest", "nearest-exact", "area", ...Object.keys(modeRanks)];

function checkMode(x: Tensor, mode: InterpolateMode, options: InterpolateOptions): void {
  if (!modes.includes(mode))
    throw new ValueError("interpolate", `mode must be one of ${modes.join(", ")}, got "${mode}"`);
  if (x.ndim < 3 || x.ndim > 5)
    throw new ShapeError(
      "interpolate",
      `expected [B, C, L], [B, C, H, W] or [B, C, D, H, W], got ${formatShape(x.shape)}`,
    );
  const rank = modeRanks[mode];
  if (rank !== undefined && rank !== x.ndim - 2)
    throw new ShapeError(
      "interpolate",
      `mode "${mode}" needs ${rank} spatial dims, got ${formatShape(x.shape)}`,
    );
  if (rank === undefined && options.alignCorners !== undefined)
    throw new ValueError("interpolate", `alignCorners means nothing for mode "${mode}"`);
  if (options.antialias && mode !== "bilinear" && mode !== "bicubic")
    throw new ValueError("interpolate", `antialias means nothing for mode "${mode}"`);
}

function perDim(name: string, value: number | readonly number[], rank: number): readonly number[] {
  const list = typeof value === "number" ? new Array<number>(rank).fill(value) : value;
  if (list.length !== rank || !list.every((n) => n > 0 && Number.isFinite(n)))
    throw new ValueError(
      "interpolate",
      `${name} must be positive, one number or ${rank}, got ${JSON.stringify(value)}`,
    );
  return list;
}

function scalesOf(x: Tensor, options: InterpolateOptions): DimScale[] {
  const { size, scaleFactor, recomputeScaleFactor = false } = options;
  if ((size === undefined) === (scaleFactor === undefined))
    throw new ValueError("interpolate", "expected exactly one of size and scaleFactor");
  const spatial = x.shape.slice(2);
  const factors =
    scaleFactor === undefined ? null : perDim("scaleFactor", scaleFactor, spatial.length);
  const sizes =
    size !== undefined
      ? perDim("size", size, spatial.length)
      : spatial.map((n, i) => Math.floor(n * factors![i]!));
  return spatial.map((n, i) => {
    const out = sizes[i]!;
    if (!Number.isInteger(out) || out < 1 || n < 1)
      throw new ShapeError(
        "interpolate",
        `cannot make ${formatShape(sizes)} of ${formatShape(spatial)}: sizes must be whole numbers ≥ 1`,
      );
    return { n, out, step: factors && !recomputeScaleFactor ? 1 / factors[i]! : n / out };
  });
}

/**
 * Brings the spatial dims of [B, C, L], [B, C, H, W] or [B, C, D, H, W] to another size: by the nearest place, the mean of the
 * area, or linear or cubic (Keys, 1981) interpolation between centres.
 *
 * @throws ValueError for an unknown mode or both or neither of size and scaleFactor; ShapeError if the mode does not fit the dims.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const x = tensor([[[0, 2]]]);
 * console.log(nn.functional.interpolate(x, { size: 3, mode: "linear", alignCorners: true }).toArray()); // → [ [ [ 0, 1, 2 ] ] ]
 * ```
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode = "nearest", alignCorners = false, antialias = false } = options;
  checkMode(x, mode, options);
  needFloatTensor("interpolate", x);
  const scales = scalesOf(x, options);
  checkShape("interpolate", [
    ...x.shape.slice(0, 2).map((n) => Math.max(n, 1)),
    ...scales.map(({ out }) => out),
  ]);
  if (mode === "area") return applyOne(areaSpec, [x], { sizes: scales.map(({ out }) => out) });
  const isWeighted = !mode.startsWith("nearest");
  const tapsOf = antialias ? smoothTaps : weightedTaps;
  const taps = scales.map((scale) =>
    isWeighted
      ? tapsOf(scale, mode === "bicubic", alignCorners)
      : nearestTaps(scale, mode === "nearest-exact"),
  );
  const tables = taps.flatMap(({ places, weights }, d) => {
    return places.flatMap((list, i) => [
      fromTypedArray(list),
      ...(weights[i] ? [tensor([...weights[i]], { shape: [scales[d]!.out], dtype: x.dtype })] : []),
    ]);
  });
  const dims = scales.map((_, i) => 2 + i);
  const counts = taps.map(({ places }) => places.length);
  return applyOne(interpolateSpec, [x, ...tables], { dims, taps: counts, isWeighted });
}
