/** Reading images at places that another tensor gives, and the places of affine maps. Read linalg.ts next. */
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape, sameShape, sizeOf, stridesOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { cubicKernel } from "./cubic.js";
import { needFloatTensor } from "./norm.js";

export interface GridSampleOptions {
  /** Between places: linear in each dim (the default), the nearest one, or cubic (Keys, 1981; images only). */
  readonly mode?: "bilinear" | "nearest" | "bicubic";
  /** Outside of the image: 0 (the default), the nearest place inside, or the image mirrored at its borders. */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** Whether −1 and 1 are the centres of the corner places instead of their outer edges. */
  readonly alignCorners?: boolean;
}

type Attributes = Required<GridSampleOptions>;

/** x moved into [0, most]; where it moved no gradient flows. */
function clipNodes(b: Builder, x: Node, most: number): Node {
  const low = b.select(b.pointwise("greater", x, 0), x, 0);
  return b.select(b.pointwise("less", low, most), low, most);
}

/** x mirrored into [low, high]. */
function reflectNodes(b: Builder, x: Node, low: number, high: number): Node {
  const span = high - low;
  if (span === 0) return b.multiply(x, 0);
  const distance = b.pointwise("abs", b.subtract(x, low));
  const rest = b.pointwise("remainder", distance, span);
  const flips = b.pointwise("floor", b.divide(distance, span));
  const isEven = b.equal(b.pointwise("remainder", flips, 2), 0);
  return b.select(isEven, b.add(rest, low), b.subtract(high, rest));
}

/** From −1 … 1 to places of a dim of size n. */
const placeNodes = (b: Builder, x: Node, n: number, alignCorners: boolean): Node =>
  alignCorners
    ? b.multiply(b.add(x, 1), (n - 1) / 2)
    : b.subtract(b.multiply(b.add(x, 1), n / 2), 0.5);

/** Places brought inside as the padding asks. */
function insideNodes(
  b: Builder,
  place: Node,
  n: number,
  { paddingMode, alignCorners }: Attributes,
): Node {
  if (paddingMode === "zeros") return place;
  if (paddingMode === "border") return clipNodes(b, place, n - 1);
  const [low, high] = alignCorners ? [0, n - 1] : [-0.5, n - 0.5];
  return clipNodes(b, reflectNodes(b, place, low, high), n - 1);
}

/** One corner of the cell around each place: whole coordinates, and a weight for linear interpolation. */
interface Corner {
  readonly at: readonly Node[];
  readonly weight: Node | null;
}

/** The 4 × … neighbours of each place, which are brought inside one by one. */
function cubicCorners(
  b: Builder,
  places: readonly Node[],
  inside: (place: Node, dim: number) => Node,
): Corner[] {
  const floors = places.map((x) => b.pointwise("floor", x));
  const weights = places.map((x, d) => {
    const rest = b.subtract(x, floors[d]!);
    const left = b.subtract(1, rest);
    const { near, far } = cubicKernel(-0.75);
    const value = (coefficients: readonly number[], t: Node): Node =>
      coefficients.reduceRight<Node>((sum, c) => b.add(b.multiply(sum, t), c), b.multiply(t, 0));
    return [
      value(far, b.add(rest, 1)),
      value(near, rest),
      value(near, left),
      value(far, b.add(left, 1)),
    ];
  });
  return Array.from({ length: 4 ** places.length }, (_, corner) => {
    const steps = places.map((_, d) => (corner >> (2 * d)) & 3);
    return {
      at: floors.map((floor, d) => inside(b.add(floor, steps[d]! - 1), d)),
      weight: steps.map((k, d) => weights[d]![k]!).reduce((product, w) => b.multiply(product, w)),
    };
  });
}

function cornersOf(b: Builder, places: readonly Node[], mode: Attributes["mode"]): Corner[] {
  if (mode === "nearest")
    return [{ at: places.map((x) => b.pointwise("roundNearestEven", x)), weight: null }];
  const floors = places.map((x) => b.pointwise("floor", x));
  return Array.from({ length: 2 ** places.length }, (_, corner) => {
    const sides = places.map((_, d) => (corner >> d) & 1);
    const at = floors.map((floor, d) => b.add(floor, sides[d]!));
    const weights = places.map((x, d) => {
      const rest = b.subtract(x, floors[d]!);
      return sides[d] === 1 ? rest : b.subtract(1, rest);
    });
    return { at, weight: weights.reduce((product, w) => b.multiply(product, w)) };
  });
}

const gridSampleSpec: OpSpec<Attributes & Record<string, unknown>> = {
  name: "gridSample",
  lower(b, [x, grid], attributes) {
    const [batch, channels, ...spatial] = x!.shape as [number, number, ...number[]];
    const rank = spatial.length;
    const out = grid!.shape.slice(1, -1);
    const count = sizeOf(out);
    const points = b.reshape(grid!, [batch, count, rank]);
    const { mode, alignCorners } = attributes;
    const inside = (place: Node, d: number) => insideNodes(b, place, spatial[d]!, attributes);
    // The grid names the last dim first.
    const places = spatial.map((n, d) => {
      const part = b.slice(points, [0, 0, rank - 1 - d], [batch, count, rank - d]);
      return placeNodes(b, b.reshape(part, [batch, count]), n, alignCorners);
    });
    const corners =
      mode === "bicubic" ? cubicCorners(b, places, inside) : cornersOf(b, places.map(inside), mode);
    const flat = b.reshape(x!, [batch, channels, sizeOf(spatial)]);
    const strides = stridesOf(spatial);
    const full = [batch, channels, count];
    const wide = (y: Node) => b.broadcastTo(b.reshape(y, [batch, 1, count]), full);
    const terms = corners.map(({ at, weight }) => {
      const isThere = at.map((p, d) => {
        const isNotBelow = b.pointwise("greaterEqual", p, 0);
        return b.pointwise("and", isNotBelow, b.pointwise("lessEqual", p, spatial[d]! - 1));
      });
      const index = at
        .map((p, d) => {
          const whole = b.convert(b.select(isThere[d]!, p, 0), "int32");
          return b.multiply(whole, strides[d]!);
        })
        .reduce((sum, term) => b.add(sum, term));
      const values = b.make("gather", [flat, wide(index)], { dim: 2 });
      const isInside = isThere.reduce((all, one) => b.pointwise("and", all, one));
      const shown = b.select(wide(isInside), values, 0);
      return weight ? b.multiply(shown, wide(weight)) : shown;
    });
    const total = terms.reduce((sum, term) => b.add(sum, term));
    return b.reshape(total, [batch, channels, ...out]);
  },
};

/**
 * Reads images at places: x: [B, C, H, W], grid: [B, H′, W′, 2] with (x, y) from −1 (left, top) to 1 → [B, C, H′, W′]; volumes
 * likewise with (x, y, z) (Jaderberg et al., 2015).
 *
 * @throws ShapeError if the grid does not fit; ValueError for an unknown mode.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const x = tensor([[[[1, 3]]]]);
 * console.log(nn.functional.gridSample(x, tensor([[[[0, 0]]]])).flatten().toArray()); // → [ 2 ]
 * ```
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = options;
  const op = "gridSample";
  if (!["bilinear", "nearest", "bicubic"].includes(mode))
    throw new ValueError(op, `mode must be "bilinear", "nearest" or "bicubic", got "${mode}"`);
  if (!["zeros", "border", "reflection"].includes(paddingMode))
    throw new ValueError(
      op,
      `paddingMode must be "zeros", "border" or "reflection", got "${paddingMode}"`,
    );
  needFloatTensor(op, x);
  if (grid.dtype !== x.dtype)
    throw new DTypeError(op, `needs a grid of the input's dtype ${x.dtype}, got ${grid.dtype}`);
  const rank = x.ndim - 2;
  if (mode === "bicubic" && rank !== 2)
    throw new ShapeError(
      op,
      `mode "bicubic" needs images [B, C, H, W], got ${formatShape(x.shape)}`,
    );
  const fits =
    (rank === 2 || rank === 3) &&
    grid.ndim === x.ndim &&
    grid.shape[0] === x.shape[0] &&
    grid.shape.at(-1) === rank &&
    sizeOf(x.shape.slice(2)) > 0;
  if (!fits)
    throw new ShapeError(
      op,
      `expected input [B, C, H, W] and grid [B, H′, W′, 2], or volumes with [B, D′, H′, W′, 3], got ` +
        `${formatShape(x.shape)} and ${formatShape(grid.shape)}`,
    );
  return applyOne(gridSampleSpec, [x, grid], { mode, paddingMode, alignCorners });
}

type Affine = { readonly sizes: readonly number[]; readonly alignCorners: boolean };

const affineGridSpec: OpSpec<Affine> = {
  name: "affineGrid",
  lower(b, [theta], { sizes, alignCorners }) {
    const batch = theta!.shape[0]!;
    const rank = sizes.length;
    const full = [batch, ...sizes, rank];
    const column = (j: number) => {
      const part = b.slice(theta!, [0, 0, j], [batch, rank, j + 1]);
      return b.reshape(part, [batch, ...sizes.map(() => 1), rank]);
    };
    const axis = (d: number) => {
      const n = sizes[d]!;
      const place = b.convert(b.iota(d + 1, full), theta!.dtype);
      if (!alignCorners) return b.subtract(b.divide(b.add(b.multiply(place, 2), 1), n), 1);
      return n > 1 ? b.subtract(b.multiply(place, 2 / (n - 1)), 1) : b.multiply(place, 0);
    };
    // The columns of theta name the last dim first.
    const terms = sizes.map((_, d) => b.multiply(axis(d), column(rank - 1 - d)));
    return terms.reduce((sum, term) => b.add(sum, term), b.broadcastTo(column(rank), full));
  },
};

/**
 * The places that affine maps send the places of an image to, for {@link gridSample}: theta: [B, 2, 3], size: [B, C, H, W] →
 * [B, H, W, 2]; for volumes [B, 3, 4] → [B, D, H, W, 3].
 *
 * @throws ShapeError if theta does not fit the size.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const identity = tensor([[[1, 0, 0], [0, 1, 0]]]);
 * console.log(nn.functional.affineGrid(identity, [1, 1, 1, 2]).flatten().toArray()); // → [ -0.5, 0, 0.5, 0 ]
 * ```
 */
export function affineGrid(
  theta: Tensor,
  size: Shape,
  { alignCorners = false }: { readonly alignCorners?: boolean } = {},
): Tensor {
  needFloatTensor("affineGrid", theta);
  const rank = size.length - 2;
  if ((rank !== 2 && rank !== 3) || !sameShape(theta.shape, [size[0]!, rank, rank + 1]))
    throw new ShapeError(
      "affineGrid",
      `theta ${formatShape(theta.shape)} does not fit size ${formatShape(size)}: expected ` +
        "[B, 2, 3] for [B, C, H, W] or [B, 3, 4] for [B, C, D, H, W]",
    );
  return applyOne(affineGridSpec, [theta], { sizes: size.slice(2), alignCorners });
}
