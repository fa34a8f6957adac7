/** Naive loops in float64 that the engine's kernels are compared with. */

/** Calls each with every index of `dims`, in row-major order. */
export function forEachIndex(dims: readonly number[], each: (index: number[]) => void): void {
  const total = dims.reduce((a, b) => a * b, 1);
  for (let i = 0; i < total; i++) {
    const index = new Array<number>(dims.length);
    let rest = i;
    for (let d = dims.length - 1; d >= 0; d--) {
      index[d] = rest % dims[d]!;
      rest = Math.floor(rest / dims[d]!);
    }
    each(index);
  }
}

export const dotStrides = (index: readonly number[], strides: readonly number[]): number =>
  index.reduce((sum, i, d) => sum + i * strides[d]!, 0);

export interface Convolution {
  readonly n: number;
  readonly c: number;
  readonly o: number;
  readonly groups: number;
  readonly in: readonly number[];
  readonly k: readonly number[];
  readonly strides: readonly number[];
  readonly pad: readonly number[];
  readonly dilation: readonly number[];
}

/** Output sizes, with as much padding above as below. */
export const outSizes = (g: Convolution): number[] =>
  g.in.map((n, d) => {
    const room = n + 2 * g.pad[d]! - g.dilation[d]! * (g.k[d]! - 1) - 1;
    return Math.floor(room / g.strides[d]!) + 1;
  });

const flat = (index: readonly number[], dims: readonly number[]) =>
  index.reduce((sum, i, d) => sum * dims[d]! + i, 0);

/** Calls each(x, w, y) with the flat indices of every product of a convolution. */
export function forEachProduct(
  g: Convolution,
  each: (x: number, w: number, y: number) => void,
): void {
  const out = outSizes(g);
  const rank = g.in.length;
  const channels = g.c / g.groups;
  const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
  forEachIndex([g.n, g.o, channels, ...out, ...g.k], (index) => {
    const [n, o, c] = index as [number, number, number];
    const to = index.slice(3, 3 + rank);
    const k = index.slice(3 + rank);
    const at = to.map((i, d) => i * g.strides[d]! - g.pad[d]! + k[d]! * g.dilation[d]!);
    if (at.some((i, d) => i < 0 || i >= g.in[d]!)) return;
    const channel = Math.floor(o / (g.o / g.groups)) * channels + c;
    each(
      (n * g.c + channel) * size(g.in) + flat(at, g.in),
      (o * channels + c) * size(g.k) + flat(k, g.k),
      (n * g.o + o) * size(out) + flat(to, out),
    );
  });
}

/** The flat index of the first maximum of each window; NaN is largest. */
export function windowArgMax(
  x: ArrayLike<number>,
  g: Omit<Convolution, "n" | "o" | "groups">,
): number[] {
  const out = outSizes({ ...g, n: 1, o: 1, groups: 1 });
  const plane = g.in.reduce((a, b) => a * b, 1);
  const result: number[] = [];
  forEachIndex([g.c, ...out], ([p, ...to]) => {
    let best = -1;
    forEachIndex(g.k, (k) => {
      const at = to.map((i, d) => i * g.strides[d]! - g.pad[d]! + k[d]! * g.dilation[d]!);
      if (at.some((i, d) => i < 0 || i >= g.in[d]!)) return;
      const i = flat(at, g.in);
      const [value, current] = [x[p! * plane + i]!, best < 0 ? 0 : x[p! * plane + best]!];
      const better = value > current || (Number.isNaN(value) && !Number.isNaN(current));
      if (best < 0 || better) best = i;
    });
    result.push(best);
  });
  return result;
}
