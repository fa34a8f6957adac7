/** What pooling to a given size is tried on. */
import { zeros } from "../tensor/create.js";
import { bad, input, type OpSamples, type SampleSet, sample } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dWithIndices,
  type OutputSize,
} from "./adaptivePool.js";

type Pool = (x: Tensor, size: OutputSize) => Tensor | [Tensor, Tensor];

const shapes = [
  [2, 2, 7],
  [2, 2, 5, 6],
  [1, 2, 4, 3, 5],
] as const;

const sizeLists: readonly (readonly OutputSize[])[] = [
  [3, [1], null, 7, 10],
  [1, [5, 3], [3, 4], [null, 2], [7, 6]],
  [2, [2, 3, 4], [4, null, 1]],
];

const spell = (size: OutputSize): string =>
  Array.isArray(size) ? `(${size.map((n) => n ?? "None").join(", ")},)` : String(size ?? "None");

function set(op: string, rank: number, fn: Pool, torch: string): OpSamples {
  const shape = shapes[rank - 1]!;
  const takesNone = rank > 1;
  const sizes = sizeLists[rank - 1]!.filter((size) => takesNone || size !== null);
  const options = op.endsWith("Indices") ? ", return_indices=True" : "";
  return {
    op,
    samples: [
      ...sizes.map((size) =>
        sample([input(shape)], (a) => fn(a, size), `F.${torch}(a, ${spell(size)}${options})`),
      ),
      sample([input(shape.slice(1))], (a) => fn(a, 2), `F.${torch}(a, 2${options})`),
      sample(
        [input([...shape].reverse())],
        (a) => fn(a.permute(shape.map((_, i) => shape.length - 1 - i)), 3),
        `F.${torch}(a.permute(${shape.map((_, i) => shape.length - 1 - i)}), 3${options})`,
      ),
    ],
    bad: [
      bad(() => fn(zeros(shape), 0), /outputSize must be whole numbers ≥ 1 or null/),
      bad(() => fn(zeros([3]), 1), new RegExp(`^adaptive...Pool${rank}d: expected \\[B, C`)),
      bad(() => fn(zeros(shape.map((n, i) => (i === 2 ? 0 : n))), 1), /needs spatial sizes ≥ 1/),
    ],
  };
}

export const adaptiveSamples: SampleSet = () => [
  set("adaptiveAvgPool1d", 1, adaptiveAvgPool1d, "adaptive_avg_pool1d"),
  set("adaptiveAvgPool2d", 2, adaptiveAvgPool2d, "adaptive_avg_pool2d"),
  set("adaptiveAvgPool3d", 3, adaptiveAvgPool3d, "adaptive_avg_pool3d"),
  set("adaptiveMaxPool1d", 1, adaptiveMaxPool1d, "adaptive_max_pool1d"),
  set("adaptiveMaxPool2d", 2, adaptiveMaxPool2d, "adaptive_max_pool2d"),
  set("adaptiveMaxPool3d", 3, adaptiveMaxPool3d, "adaptive_max_pool3d"),
  set("adaptiveMaxPool1dWithIndices", 1, adaptiveMaxPool1dWithIndices, "adaptive_max_pool1d"),
  set("adaptiveMaxPool2dWithIndices", 2, adaptiveMaxPool2dWithIndices, "adaptive_max_pool2d"),
  set("adaptiveMaxPool3dWithIndices", 3, adaptiveMaxPool3dWithIndices, "adaptive_max_pool3d"),
];
