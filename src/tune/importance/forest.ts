/** A forest of regression trees over the unit cube, each kept as the boxes of its leaves. Read fanova.ts for its use. */
import type { IndexSource } from "../../data/order.js";

/** A box of the unit cube, and the mean of the rows in it. */
export interface Leaf {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly mean: number;
}

export interface TreeOptions {
  /** Rows that a leaf must have at least. */
  readonly minLeaf: number;
  /** Rows to draw. */
  readonly rows: number;
}

interface Split {
  readonly dim: number;
  readonly at: number;
  /** The sum of squares that it takes away. */
  readonly gain: number;
}

/** A tree grown on rows drawn with replacement (Breiman, "Random forests", 2001). */
export function growTree(
  x: readonly (readonly number[])[],
  y: readonly number[],
  source: IndexSource,
  { minLeaf, rows: drawn }: TreeOptions,
): Leaf[] {
  const dims = x[0]!.length;
  const rows = Array.from({ length: drawn }, () => source.below(y.length));
  const leaves: Leaf[] = [];
  // A list instead of recursion: a tree may be as deep as it has rows.
  const open = [
    { rows, low: new Array<number>(dims).fill(0), high: new Array<number>(dims).fill(1) },
  ];
  for (let node = open.pop(); node; node = open.pop()) {
    const split = bestSplit(x, y, node.rows, minLeaf);
    const { low, high } = node;
    if (!split) {
      const mean = node.rows.reduce((sum, row) => sum + y[row]!, 0) / node.rows.length;
      leaves.push({ low, high, mean });
      continue;
    }
    const { dim, at } = split;
    const isLeft = (row: number) => x[row]![dim]! < at;
    open.push(
      { rows: node.rows.filter(isLeft), low, high: high.with(dim, at) },
      { rows: node.rows.filter((row) => !isLeft(row)), low: low.with(dim, at), high },
    );
  }
  return leaves;
}

/** The split that takes most of the variance away. */
function bestSplit(
  x: readonly (readonly number[])[],
  y: readonly number[],
  rows: readonly number[],
  minLeaf: number,
): Split | undefined {
  let best: Split | undefined;
  if (rows.length < 2 * minLeaf) return best;
  const total = rows.reduce((sum, row) => sum + y[row]!, 0);
  for (let dim = 0; dim < x[0]!.length; dim++) {
    const sorted = [...rows].sort((a, b) => x[a]![dim]! - x[b]![dim]!);
    let left = 0;
    for (let n = 1; n < sorted.length; n++) {
      left += y[sorted[n - 1]!]!;
      const [before, after] = [x[sorted[n - 1]!]![dim]!, x[sorted[n]!]![dim]!];
      if (before === after || n < minLeaf || sorted.length - n < minLeaf) continue;
      const right = total - left;
      const gain = left ** 2 / n + right ** 2 / (sorted.length - n) - total ** 2 / sorted.length;
      if (gain > (best?.gain ?? 1e-12)) best = { dim, at: (before + after) / 2, gain };
    }
  }
  return best;
}
