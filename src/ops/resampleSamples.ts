/** What interpolation and grids are tried on. */
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  kink,
  type Sample,
  type SampleSet,
  sample,
} from "../tensor/defineOp.js";
import { affineGrid, gridSample } from "./gridSample.js";
import { type InterpolateMode, type InterpolateOptions, interpolate } from "./interpolate.js";

const spellList = (x: number | readonly number[]): string =>
  typeof x === "number" ? String(x) : `(${x.join(", ")},)`;

const flag = (value: boolean): string => (value ? "True" : "False");

function resized(shape: readonly number[], options: InterpolateOptions): Sample {
  const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor, antialias } = options;
  const parts = [
    size !== undefined && `size=${spellList(size)}`,
    scaleFactor !== undefined && `scale_factor=${spellList(scaleFactor)}`,
    mode && `mode="${mode}"`,
    alignCorners !== undefined && `align_corners=${flag(alignCorners)}`,
    antialias && "antialias=True",
    recomputeScaleFactor !== undefined && `recompute_scale_factor=${flag(recomputeScaleFactor)}`,
  ].filter(Boolean);
  return sample(
    [input(shape)],
    (a) => interpolate(a, options),
    `F.interpolate(a, ${parts.join(", ")})`,
  );
}

const shapeOf: Readonly<Record<string, readonly number[]>> = {
  linear: [2, 2, 5],
  bilinear: [1, 2, 3, 4],
  bicubic: [1, 2, 3, 4],
  trilinear: [1, 1, 2, 3, 2],
};

const smoothModes = Object.entries(shapeOf).flatMap(([name, shape]) => {
  const mode = name as InterpolateMode;
  return [false, true].flatMap((alignCorners) => [
    resized(shape, { size: 7, mode, alignCorners }),
    resized(shape, { scaleFactor: 1.7, mode, alignCorners }),
    resized(shape, { size: 1, mode, alignCorners }),
  ]);
});

const interpolateSet: SampleSet = () => [
  {
    op: "interpolate",
    samples: [
      resized([2, 2, 5], { size: 7 }),
      resized([2, 2, 5], { scaleFactor: 2 }),
      resized([1, 2, 5, 3], { size: [3, 8], mode: "nearest" }),
      resized([1, 2, 5, 3], { scaleFactor: [0.6, 2.5], mode: "nearest" }),
      resized([1, 1, 2, 3, 2], { size: 4, mode: "nearest" }),
      resized([1, 2, 5, 3], { size: [3, 8], mode: "nearest-exact" }),
      resized([1, 2, 6, 4], { size: [3, 2], mode: "area" }),
      resized([1, 2, 5], { size: 3, mode: "area" }),
      ...smoothModes,
      resized([1, 2, 5, 3], { scaleFactor: [0.6, 2.5], mode: "nearest-exact" }),
      resized([2, 1, 7], { size: 3, mode: "nearest-exact" }),
      ...(["bilinear", "bicubic"] as const).flatMap((mode) =>
        [false, true].flatMap((alignCorners) => [
          resized([1, 2, 9, 8], { size: [4, 3], mode, alignCorners, antialias: true }),
          resized([1, 1, 4, 7], { size: [6, 2], mode, alignCorners, antialias: true }),
          resized([1, 1, 6, 5], { scaleFactor: [0.45, 1.5], mode, alignCorners, antialias: true }),
        ]),
      ),
      resized([1, 1, 4, 4], { scaleFactor: 0.6, mode: "bilinear" }),
      resized([1, 1, 5, 5], { scaleFactor: 0.5, mode: "bilinear", recomputeScaleFactor: true }),
      resized([1, 1, 5, 5], { scaleFactor: [2, 3], mode: "bicubic" }),
    ],
    bad: [
      bad(
        () => interpolate(zeros([1, 1, 2]), {}),
        /^interpolate: expected exactly one of size and/,
      ),
      bad(() => interpolate(zeros([1, 2]), { size: 2 }), /^interpolate: expected \[B, C, L\]/),
      bad(
        () => interpolate(zeros([1, 1, 2]), { size: 2, mode: "bilinear" }),
        /^interpolate: mode "bilinear" needs 2 spatial dims, got \[1, 1, 2\]/,
      ),
      bad(
        () => interpolate(zeros([1, 1, 2]), { size: 2, alignCorners: true }),
        /^interpolate: alignCorners means nothing for mode "nearest"/,
      ),
      bad(
        () => interpolate(zeros([1, 1, 2]), { size: 2, antialias: true }),
        /^interpolate: antialias means nothing for mode "nearest"/,
      ),
      bad(
        () => interpolate(zeros([1, 1, 2]), { size: 2 ** 31 }),
        /^interpolate: \[1, 1, 2147483648\] has 2147483648 elements, over 2\^31 - 1/,
      ),
      bad(
        () => interpolate(zeros([1, 1, 2]), { size: 2, mode: "x" as "area" }),
        /mode must be one of/,
      ),
      bad(() => interpolate(zeros([1, 1, 2]), { scaleFactor: 0.1 }), /cannot make \[0\] of \[2\]/),
      bad(
        () => interpolate(zeros([1, 1, 2]), { size: [1, 2] }),
        /size must be positive, one number or 1/,
      ),
    ],
  },
];

const image = input([2, 2, 4, 5]);
const grid = input([2, 3, 2, 2], -1.6, 1.6);

const gridSet: SampleSet = () => [
  {
    op: "gridSample",
    samples: [
      ...(["bilinear", "nearest", "bicubic"] as const).flatMap((mode) =>
        (["zeros", "border", "reflection"] as const).flatMap((paddingMode) =>
          [false, true].map((alignCorners) =>
            sample(
              [image, grid],
              (a, b) => gridSample(a, b, { mode, paddingMode, alignCorners }),
              `F.grid_sample(a, b, mode="${mode}", padding_mode="${paddingMode}", ` +
                `align_corners=${flag(alignCorners)})`,
            ),
          ),
        ),
      ),
      sample(
        [input([1, 2, 2, 3, 3]), input([1, 2, 2, 1, 3], -1.4, 1.4)],
        (a, b) => gridSample(a, b),
        "F.grid_sample(a, b, align_corners=False)",
      ),
      sample(
        [input([1, 1, 2, 3, 3]), input([1, 2, 2, 1, 3], -1.4, 1.4)],
        (a, b) => gridSample(a, b, { paddingMode: "reflection", alignCorners: true }),
        'F.grid_sample(a, b, padding_mode="reflection", align_corners=True)',
      ),
      kink(
        [input([1, 1, 2, 2]), given([1, 1, 3, 2], [-1, -1, 1, 1, 1e20, 0])],
        (a, b) => gridSample(a, b, { paddingMode: "border" }),
        'F.grid_sample(a, b, padding_mode="border", align_corners=False)',
      ),
    ],
    bad: [
      bad(
        () => gridSample(zeros([1, 1, 2, 2]), zeros([1, 2, 2, 3])),
        /^gridSample: expected input \[B, C, H, W\] and grid \[B, H′, W′, 2\]/,
      ),
      bad(
        () => gridSample(zeros([1, 1, 2, 2, 2]), zeros([1, 1, 1, 1, 3]), { mode: "bicubic" }),
        /^gridSample: mode "bicubic" needs images \[B, C, H, W\], got \[1, 1, 2, 2, 2\]/,
      ),
      bad(
        () => gridSample(zeros([1, 1, 2, 2]), zeros([1, 1, 1, 2]), { mode: "x" as "nearest" }),
        /^gridSample: mode must be/,
      ),
      bad(
        () => gridSample(zeros([1, 1, 2, 2]), zeros([1, 1, 1, 2]), { paddingMode: "x" as "zeros" }),
        /^gridSample: paddingMode must be/,
      ),
      bad(
        () => gridSample(zeros([1, 1, 2, 2]), zeros([1, 1, 1, 2], { dtype: "float64" })),
        /^gridSample: needs a grid of the input's dtype float32, got float64/,
      ),
    ],
  },
  {
    op: "affineGrid",
    samples: [false, true].flatMap((alignCorners) => [
      sample(
        [input([2, 2, 3])],
        (a) => affineGrid(a, [2, 1, 3, 4], { alignCorners }),
        `F.affine_grid(a, (2, 1, 3, 4), align_corners=${flag(alignCorners)})`,
      ),
      sample(
        [input([1, 3, 4])],
        (a) => affineGrid(a, [1, 2, 2, 1, 3], { alignCorners }),
        `F.affine_grid(a, (1, 2, 2, 1, 3), align_corners=${flag(alignCorners)})`,
      ),
    ]),
    bad: [
      bad(
        () => affineGrid(zeros([1, 2, 2]), [1, 1, 2, 2]),
        /^affineGrid: theta \[1, 2, 2\] does not fit size \[1, 1, 2, 2\]/,
      ),
    ],
  },
];

export const resampleSamples: SampleSet = () => [...interpolateSet(), ...gridSet()];
