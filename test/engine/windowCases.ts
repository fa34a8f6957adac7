/** Cases for sums of windows and their transpose. */
import type { DType } from "../../src/core/dtype.js";
import { windowSizes } from "../../src/ir/primitives/contract.js";
import type { PlaneWindowAttributes } from "../../src/ir/primitives/window.js";
import { builtCase, random } from "./builtCase.js";
import type { Case } from "./case.js";

interface Window extends PlaneWindowAttributes {
  readonly planes: number;
  readonly in: readonly number[];
}

const windows: readonly Window[] = [
  {
    ...{ planes: 6, in: [28, 28], kernelSizes: [2, 2], strides: [2, 2] },
    ...{ dilation: [1, 1], padLow: [0, 0], padHigh: [0, 0] },
  },
  {
    ...{ planes: 300, in: [9, 11], kernelSizes: [3, 3], strides: [1, 2] },
    ...{ dilation: [1, 1], padLow: [1, 1], padHigh: [1, 0] },
  },
  {
    ...{ planes: 2, in: [10, 12], kernelSizes: [3, 2], strides: [2, 3] },
    ...{ dilation: [2, 3], padLow: [2, 1], padHigh: [1, 3] },
  },
  {
    ...{ planes: 3, in: [41], kernelSizes: [5], strides: [3] },
    ...{ dilation: [1], padLow: [2], padHigh: [2] },
  },
  {
    ...{ planes: 2, in: [4, 6, 5], kernelSizes: [2, 2, 3], strides: [2, 1, 1] },
    ...{ dilation: [1, 2, 1], padLow: [1, 0, 1], padHigh: [0, 0, 2] },
  },
  {
    ...{ planes: 5, in: [7, 7], kernelSizes: [7, 7], strides: [7, 7] },
    ...{ dilation: [1, 1], padLow: [0, 0], padHigh: [0, 0] },
  },
  {
    ...{ planes: 2, in: [3, 3], kernelSizes: [2, 2], strides: [1, 1] },
    ...{ dilation: [1, 1], padLow: [4, 3], padHigh: [3, 4] },
  },
  {
    ...{ planes: 0, in: [4, 4], kernelSizes: [2, 2], strides: [1, 1] },
    ...{ dilation: [1, 1], padLow: [0, 0], padHigh: [0, 0] },
  },
];

function sumCases({ planes, in: sizes, ...window }: Window, dtype: DType): Case[] {
  const tolerance = dtype === "float32" ? 1e-6 : dtype === "float64" ? 1e-13 : 0;
  // Small whole numbers, which the interpreter does not let wrap.
  const scale = dtype === "uint8" ? 2 : 9;
  const out = windowSizes(sizes, window.kernelSizes, window);
  const positive = (shape: readonly number[], seed: number) => {
    const input = random(dtype, shape, seed, scale);
    if (dtype === "uint8") input.array.forEach((value, i) => (input.array[i] = value & 3));
    return input;
  };
  return [
    builtCase(
      "windowSum",
      [positive([planes, ...sizes], 1)],
      (b, x) => b.make("windowSum", [x], window),
      10 * tolerance,
    ),
    builtCase(
      "windowSumGrad",
      [positive([planes, ...out], 2)],
      (b, g) => b.make("windowSumGrad", [g], { ...window, inputSizes: sizes }),
      10 * tolerance,
    ),
  ];
}

export const windowCases = (): Case[] =>
  windows.flatMap((window) =>
    (["float32", "float64", "int32", "uint8"] as const).flatMap((dtype) => sumCases(window, dtype)),
  );
