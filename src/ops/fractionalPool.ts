/** Pooling over windows that begin at random places. Read averagePool.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape, sameShape, stridesOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, type SampleSet, sample } from "../tensor/defineOp.js";
import { type Generator, generatorOf, rand } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { batchedPair, checkSpatial, maxOfPlaces, planesOf, type ValuesAndIndices } from "./pool.js";
import { type Pair, type Sizes, spread, type Triple } from "./window.js";

interface FractionalOptions<S extends Sizes> {
  /** Spatial sizes of the result. */
  readonly outputSize?: S;
  /** The same as a share of the input's, under 1. */
  readonly outputRatio?: S;
  /** Where windows begin, in [0, 1): [B, C, 2] for width and height, [B, C, 3] for depth, height and width; drawn if missing. */
  readonly randomSamples?: Tensor;
  readonly generator?: Generator;
}
export type FractionalMaxPool2dOptions = FractionalOptions<Pair>;
export type FractionalMaxPool3dOptions = FractionalOptions<Triple>;

type Fractional = { readonly kernel: readonly number[]; readonly sizes: readonly number[] };

/** The first place of each window along a dim, int32 [planes, windows]: ⌊(i + u)·α⌋ − ⌊u·α⌋, the last at the end. */
function startNodes(b: Builder, u: Node, n: number, out: number, k: number): Node {
  const shape = [u.shape[0]!, out];
  const place = b.iota(1, shape);
  const last = b.constant(n - k, "int32", shape);
  if (out === 1) return last;
  const alpha = (n - k) / (out - 1);
  const from = (x: Node) => b.convert(b.pointwise("floor", b.multiply(x, alpha)), "int32");
  const wide = b.broadcastTo(u, shape);
  const start = b.subtract(from(b.add(b.convert(place, u.dtype), wide)), from(wide));
  return b.select(b.equal(place, out - 1), last, start);
}

const fractionalSpec = (name: string): OpSpec<Fractional> => ({
  name,
  lower(b, [x, samples], { kernel, sizes }) {
    const rank = kernel.length;
    const spatial = x!.shape.slice(-rank);
    const planes = planesOf(b, x!, rank);
    const count = planes.shape[0]!;
    const draws = b.reshape(samples!, [count, rank]);
    const full = [count, ...sizes, ...kernel];
    const strides = stridesOf(spatial);
    const along = (d: number): Node => {
      // As in PyTorch, two draws name the last dim first, three the first.
      const draw = rank === 2 ? 1 - d : d;
      const u = b.slice(draws, [0, draw], [count, draw + 1]);
      const starts = startNodes(b, u, spatial[d]!, sizes[d]!, kernel[d]!);
      const shape = [count, ...full.slice(1).map((_, i) => (i === d ? sizes[d]! : 1))];
      const place = b.add(
        b.broadcastTo(b.reshape(starts, shape), full),
        b.iota(1 + rank + d, full),
      );
      return b.multiply(place, strides[d]!);
    };
    const places = sizes.map((_, d) => along(d)).reduce((sum, term) => b.add(sum, term));
    const windows = sizes.reduce((n, m) => n * m, 1);
    const inWindow = kernel.reduce((n, m) => n * m, 1);
    const flat = b.reshape(places, [count, windows, inWindow]);
    return maxOfPlaces(b, planes, flat, [...x!.shape.slice(0, -rank), ...sizes]);
  },
});

function ratioSizes(op: string, shape: Shape, ratio: Sizes, rank: number): number[] {
  const all = typeof ratio === "number" ? new Array<number>(rank).fill(ratio) : ratio;
  if (all.length !== rank || !all.every((r) => r > 0 && r < 1))
    throw new ValueError(op, `outputRatio must be from 0 to 1, one or ${rank}, got ${all}`);
  return all.map((r, i) => Math.floor(shape[2 + i]! * r));
}

const fractionalMaxPool = (
  x: Tensor,
  rank: number,
  kernelSize: Sizes,
  options: FractionalOptions<Sizes>,
): ValuesAndIndices =>
  batchedPair(x, rank, (batch) => {
    const op = `fractionalMaxPool${rank}d`;
    checkSpatial(op, rank, batch);
    const { outputSize, outputRatio } = options;
    if ((outputSize === undefined) === (outputRatio === undefined))
      throw new ValueError(op, "expected exactly one of outputSize and outputRatio");
    const kernel = spread(op, "kernelSize", kernelSize, { least: 1, rank });
    const sizes =
      outputSize !== undefined
        ? spread(op, "outputSize", outputSize, { least: 1, rank })
        : ratioSizes(op, batch.shape, outputRatio!, rank);
    const fits = sizes.every((n, i) => n >= 1 && n + kernel[i]! - 1 <= batch.shape[2 + i]!);
    if (!fits)
      throw new ShapeError(
        op,
        `windows of ${formatShape(kernel)} for ${formatShape(sizes)} do not fit ${formatShape(x.shape)}`,
      );
    const expected = [...batch.shape.slice(0, 2), rank];
    const generator = generatorOf(op, options.generator);
    const samples = options.randomSamples ?? rand(expected, { dtype: batch.dtype, generator });
    if (!sameShape(samples.shape, expected) || samples.dtype !== batch.dtype)
      throw new ShapeError(
        op,
        `randomSamples must be ${batch.dtype}${formatShape(expected)}, got ` +
          `${samples.dtype}${formatShape(samples.shape)}`,
      );
    return apply(fractionalSpec(op), [batch, samples.detach()], {
      kernel,
      sizes,
    }) as ValuesAndIndices;
  });

/**
 * The largest element of windows that begin at random places, so that sizes may shrink by any ratio (Graham, 2014);
 * gives values and flat indices. x: [B, C, H, W] or [C, H, W].
 *
 * @throws ValueError unless exactly one of outputSize and outputRatio is given; ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { fractionalMaxPool2d, ones } from "gradus";
 * const [y] = fractionalMaxPool2d(ones([1, 1, 5, 5]), 2, { outputSize: 3 });
 * console.log(y.shape); // → [ 1, 1, 3, 3 ]
 * ```
 */
export const fractionalMaxPool2d = (
  x: Tensor,
  kernelSize: Pair,
  options: FractionalMaxPool2dOptions,
): ValuesAndIndices => fractionalMaxPool(x, 2, kernelSize, options);

/**
 * {@link fractionalMaxPool2d} for volumes [B, C, D, H, W] or [C, D, H, W].
 *
 * @throws ValueError unless exactly one of outputSize and outputRatio is given; ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { fractionalMaxPool3d, ones } from "gradus";
 * const [y] = fractionalMaxPool3d(ones([1, 1, 5, 5, 5]), 2, { outputRatio: 0.5 });
 * console.log(y.shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export const fractionalMaxPool3d = (
  x: Tensor,
  kernelSize: Triple,
  options: FractionalMaxPool3dOptions,
): ValuesAndIndices => fractionalMaxPool(x, 3, kernelSize, options);

export const fractionalPoolSamples: SampleSet = () => [
  {
    op: "fractionalMaxPool2d",
    samples: [
      ...(
        [
          [
            [2, 2, 7, 8],
            [3, 4],
          ],
          [
            [1, 3, 6, 6],
            [5, 1],
          ],
        ] as const
      ).map(([shape, [rows, columns]]) =>
        sample(
          [input(shape), input([...shape.slice(0, 2), 2], 0, 0.999)],
          (a, b) => fractionalMaxPool2d(a, 2, { outputSize: [rows, columns], randomSamples: b }),
          `F.fractional_max_pool2d(a, 2, output_size=(${rows}, ${columns}), _random_samples=b.detach(), return_indices=True)`,
        ),
      ),
      sample(
        [input([1, 2, 9, 9]), input([1, 2, 2], 0, 0.999)],
        (a, b) => fractionalMaxPool2d(a, [3, 2], { outputRatio: 0.5, randomSamples: b }),
        "F.fractional_max_pool2d(a, (3, 2), output_ratio=0.5, _random_samples=b.detach(), return_indices=True)",
      ),
    ],
    bad: [
      bad(
        () => fractionalMaxPool2d(zeros([1, 1, 5, 5]), 2, {}),
        /exactly one of outputSize and outputRatio/,
      ),
      bad(
        () => fractionalMaxPool2d(zeros([1, 1, 3, 3]), 2, { outputSize: 3 }),
        /^fractionalMaxPool2d: windows of \[2, 2\] for \[3, 3\] do not fit \[1, 1, 3, 3\]/,
      ),
      bad(
        () => fractionalMaxPool2d(zeros([1, 1, 5, 5]), 2, { outputRatio: 2 }),
        /outputRatio must be from 0 to 1/,
      ),
    ],
  },
  {
    op: "fractionalMaxPool3d",
    samples: [
      sample(
        [input([2, 2, 5, 6, 7]), input([2, 2, 3], 0, 0.99)],
        (a, b) => fractionalMaxPool3d(a, 2, { outputSize: [2, 3, 4], randomSamples: b }),
        "F.fractional_max_pool3d(a, 2, output_size=(2, 3, 4), _random_samples=b.detach(), return_indices=True)",
      ),
      sample(
        [input([1, 1, 6, 5, 5]), input([1, 1, 3], 0, 0.99)],
        (a, b) => fractionalMaxPool3d(a, [3, 1, 2], { outputRatio: 0.6, randomSamples: b }),
        "F.fractional_max_pool3d(a, (3, 1, 2), output_ratio=0.6, _random_samples=b.detach(), return_indices=True)",
      ),
    ],
    bad: [
      bad(
        () => fractionalMaxPool3d(zeros([1, 1, 3, 3, 3]), 2, { outputSize: 3 }),
        /^fractionalMaxPool3d: windows of \[2, 2, 2\] for \[3, 3, 3\] do not fit/,
      ),
      bad(
        () => fractionalMaxPool3d(zeros([1, 1, 3, 3, 3]), 2, { outputRatio: 1.5 }),
        /^fractionalMaxPool3d: outputRatio must be from 0 to 1/,
      ),
    ],
  },
];
