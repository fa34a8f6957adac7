/** Folds elements into the places that indices name. Read byIndex.ts next. */
import { isFloat } from "../core/dtype.js";
import { ValueError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { indexNodes } from "./indexing.js";
import { range } from "./order.js";
import { checkScatter, putBack, reachable, updatesFor, withDims } from "./scatter.js";

const reductions = ["sum", "prod", "mean", "amax", "amin"] as const;

/** How elements for one place are folded. */
export type ScatterReduction = (typeof reductions)[number];

type Attributes = {
  readonly dim: number;
  readonly reduce: ScatterReduction;
  readonly includeSelf: boolean;
};

/** The operands of one reduction: the reachable part of x, and for each update where it goes. */
interface Operands {
  readonly part: Node;
  readonly indices: Node;
  readonly updates: Node;
  readonly dim: number;
  readonly includeSelf: boolean;
}

const added = (b: Builder, values: Node, { indices, part, dim }: Operands): Node =>
  b.make("scatterAdd", [values, indices], { dim, size: part.shape[dim]! });

/** How many updates each place gets. */
const counts = (b: Builder, all: Operands): Node =>
  added(b, b.constant(1, "int32", all.indices.shape), all);

/** What the fold starts from: x, or its identity where there are updates and x is left out. */
function startOf(b: Builder, all: Operands, identity: number): Node {
  if (all.includeSelf) return all.part;
  return b.select(b.equal(counts(b, all), 0), all.part, identity);
}

function meanNodes(b: Builder, all: Operands): Node {
  const total = b.add(startOf(b, all, 0), added(b, all.updates, all));
  const own = counts(b, all);
  const count = all.includeSelf ? b.add(own, 1) : b.pointwise("maximum", own, 1);
  const divisor = b.convert(count, total.dtype);
  const quotient = b.divide(total, divisor);
  if (isFloat(total.dtype)) return quotient;
  const isBelow = b.pointwise("less", b.pointwise("remainder", total, divisor), 0);
  return b.select(isBelow, b.subtract(quotient, 1), quotient);
}

/**
 * With the updates in the order of their places, running products within each place by rounds of doubling; the last
 * of a place is its product.
 */
function productNodes(b: Builder, all: Operands): Node {
  const { dim, indices, updates, part } = all;
  const order = b.make("argSort", [indices], { dim, descending: false });
  const places = b.make("gather", [indices, order], { dim });
  let products: Node = b.make("gather", [updates, order], { dim });
  const size = indices.shape[dim]!;
  for (let step = 1; step < size; step *= 2) {
    const [late, early] = [
      range(b, products, dim, step, size),
      range(b, products, dim, 0, size - step),
    ];
    const isSame = b.equal(
      range(b, places, dim, step, size),
      range(b, places, dim, 0, size - step),
    );
    const joined = b.select(isSame, b.multiply(late, early), late);
    products = b.make("concatenate", [range(b, products, dim, 0, step), joined], { dim });
  }
  const ones = b.constant(1, part.dtype, part.shape);
  const found = b.make("scatter", [ones, places, products], { dim });
  return b.multiply(startOf(b, all, 1), found);
}

/** With the updates from the worst to the best, the last one written to a place is its best. NaN is the best of all. */
function extremeNodes(b: Builder, all: Operands, reduce: "amax" | "amin"): Node {
  const { dim, indices, updates, part, includeSelf } = all;
  const isSmallest = reduce === "amin";
  const keys =
    isSmallest && isFloat(updates.dtype)
      ? b.select(b.equal(updates, updates), updates, Number.NEGATIVE_INFINITY)
      : updates;
  const order = b.make("argSort", [keys], { dim, descending: isSmallest });
  const sorted = [indices, updates].map((x) => b.make("gather", [x, order], { dim }));
  const written = b.make("scatter", [part, ...sorted], { dim });
  const best = includeSelf
    ? b.pointwise(isSmallest ? "minimum" : "maximum", part, written)
    : written;
  if (!isFloat(part.dtype)) return best;
  return withSharedGradient(b, all, b.stopGradient(best));
}

/** The value, with a gradient that all elements equal to it share evenly. */
function withSharedGradient(b: Builder, all: Operands, value: Node): Node {
  const { part, updates, indices, dim, includeSelf } = all;
  const isOwn = b.equal(part, value);
  const fromSelf = includeSelf ? isOwn : b.pointwise("and", isOwn, b.equal(counts(b, all), 0));
  const fromUpdates = b.equal(updates, b.make("gather", [value, indices], { dim }));
  const number = (x: Node) => b.convert(x, part.dtype);
  const ties = b.add(number(fromSelf), added(b, number(fromUpdates), all));
  const total = b.add(
    b.select(fromSelf, part, 0),
    added(b, b.select(fromUpdates, updates, 0), all),
  );
  const mean = b.divide(total, b.pointwise("maximum", ties, 1));
  const exact = b.add(value, b.subtract(mean, b.stopGradient(mean)));
  return b.select(b.pointwise("isFinite", value), exact, value);
}

const spec: OpSpec<Attributes> = {
  name: "scatterReduce",
  lower(b, [x, given, source], { dim, reduce, includeSelf }) {
    const indices = indexNodes(b, "scatterReduce", given!);
    const part = reachable(b, x!, indices, dim);
    const updates = updatesFor(b, source!, indices);
    const all = { part, indices, updates, dim, includeSelf };
    const folded =
      reduce === "sum"
        ? b.add(startOf(b, all, 0), added(b, updates, all))
        : reduce === "mean"
          ? meanNodes(b, all)
          : reduce === "prod"
            ? productNodes(b, all)
            : extremeNodes(b, all, reduce);
    return putBack(b, x!, folded);
  },
};

export interface ScatterReduceOptions {
  /** Whether x's own elements count; default true. Places without a source always keep theirs. */
  readonly includeSelf?: boolean;
}

/**
 * The source's elements folded into x where indices along a dim say, as `scatterAdd` adds them: by "sum", "prod",
 * "mean", "amax" or "amin". For the extremes, equal elements share the gradient evenly.
 *
 * @throws ShapeError unless the indices fit; ValueError if an index is out of range.
 * @example
 * ```ts
 * import { scatterReduce, tensor, zeros } from "gradus";
 * const indices = tensor([2, 0, 2], { dtype: "int32" });
 * const source = tensor([3, 4, 5]);
 * console.log(scatterReduce(zeros([3]), 0, indices, source, "amax").toArray()); // → [ 4, 0, 5 ]
 * ```
 */
export function scatterReduce(
  x: Tensor,
  dim: number,
  indices: Tensor,
  source: Tensor,
  reduce: ScatterReduction,
  { includeSelf = true }: ScatterReduceOptions = {},
): Tensor {
  if (!reductions.includes(reduce))
    throw new ValueError(
      "scatterReduce",
      `reduce must be ${reductions.join(", ")}, got "${reduce}"`,
    );
  return withDims("scatterReduce", x, dim, [indices, source], (to, place, [at, from]) => {
    checkScatter("scatterReduce", to, place, at!, from!);
    return applyOne(spec, [to, at!, from!], { dim: place, reduce, includeSelf });
  });
}

install({ scatterReduce });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The source's elements folded in where indices along a dim say. */
    scatterReduce(
      dim: number,
      indices: Tensor,
      source: Tensor,
      reduce: ScatterReduction,
      options?: ScatterReduceOptions,
    ): Tensor;
  }
}
