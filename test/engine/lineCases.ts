/** Cases for kernels along one dim: scans, sorting, and reading and writing where indices say. */
import type { DType } from "../../src/core/dtype.js";
import type { Shape } from "../../src/core/shape.js";
import { builtCase, random, randomIndices, sprinkle } from "./builtCase.js";
import type { Case } from "./case.js";

const numbers = ["float32", "float64", "int32", "uint8"] as const;
const tolerances: Record<DType, number> = {
  ...{ float32: 1e-6, float64: 1e-13, int32: 0, uint8: 0, bool: 0 },
};

/** A shape with the dim to walk. */
type Line = readonly [shape: Shape, dim: number];

const lines: readonly Line[] = [
  [[5], 0],
  [[0], 0],
  [[3, 0, 4], 1],
  [[3, 0, 4], 0],
  [[1], 0],
  [[7, 33], 1],
  [[33, 7], 0],
  [[2, 130, 67], 1],
  [[300, 49, 3], 1],
  [[20011], 0],
];

function scanCases([shape, dim]: Line): Case[] {
  const name = (what: string) => `scan ${what} dim ${dim}`;
  const sums = numbers.flatMap((dtype) =>
    [false, true].map((reverse) =>
      builtCase(
        name(`sum ${reverse}`),
        [random(dtype, shape, 3, 50)],
        (b, x) => b.make("cumulativeSum", [x], { dim, reverse }),
        10 * tolerances[dtype],
      ),
    ),
  );
  const products = numbers.map((dtype) =>
    builtCase(
      name("product"),
      [random(dtype, shape, 4, 1.3)],
      (b, x) => b.make("cumulativeProduct", [x], { dim, reverse: dtype === "uint8" }),
      tolerances[dtype],
    ),
  );
  const extremes = (["cumulativeArgMax", "cumulativeArgMin"] as const).flatMap((primitive) =>
    numbers.map((dtype) => {
      const x = random(dtype, shape, 5, 9);
      for (let i = 0; i < x.array.length; i++) x.array[i] = Math.round(x.array[i]!);
      if (dtype === "float32") sprinkle(x, Number.NaN, 61);
      return builtCase(name(primitive), [x], (b, node) => b.make(primitive, [node], { dim }));
    }),
  );
  return [...sums, ...products, ...extremes];
}

function sortCases([shape, dim]: Line): Case[] {
  return ([...numbers, "bool"] as const).flatMap((dtype) =>
    [false, true].map((descending) => {
      const x = random(dtype, shape, 6, 40);
      // Half of the elements are equal to others.
      for (let i = 0; i < x.array.length; i += 2) x.array[i] = Math.trunc(x.array[i]!);
      if (dtype === "float32" || dtype === "float64")
        [Number.NaN, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42].forEach(
          (value, i) => sprinkle(x, value, 11 + 2 * i),
        );
      if (dtype === "int32") sprinkle(sprinkle(x, -2147483648, 17), 2147483647, 19);
      return builtCase(`argSort ${descending} dim ${dim}`, [x], (b, node) =>
        b.make("argSort", [node], { dim, descending }),
      );
    }),
  );
}

/** A shape, the dim to index, and how many indices. */
type Selection = readonly [shape: Shape, dim: number, count: number];

const selections: readonly Selection[] = [
  [[4], 0, 7],
  [[5, 3], 0, 4],
  [[3, 5], 1, 9],
  [[2, 7, 200], 1, 30],
  [[50, 300], 0, 4],
  [[90, 3, 130], 0, 200],
  [[4001, 3], 1, 5],
  [[3, 0, 2], 1, 0],
  [[3, 4, 0], 1, 5],
  [[3, 4], 1, 0],
];

const resized = (shape: Shape, dim: number, size: number): number[] =>
  shape.map((n, i) => (i === dim ? size : n));

function selectCases([shape, dim, count]: Selection): Case[] {
  const size = shape[dim]!;
  const list = randomIndices([count], size, 7);
  const updated = resized(shape, dim, count);
  return ([...numbers, "bool"] as const).flatMap((dtype) => {
    const x = random(dtype, shape, 8, 90);
    const updates = random(dtype, updated, 9, 90);
    const select = builtCase(`indexSelect dim ${dim}`, [x, list], (b, node, at) =>
      b.make("indexSelect", [node, at], { dim }),
    );
    // Of two writes to one place the later stays.
    const scatter = builtCase(
      `scatter dim ${dim}`,
      [x, randomIndices(updated, size, 10), updates],
      (b, node, at, values) => b.make("scatter", [node, at, values], { dim }),
    );
    if (dtype === "bool") return [select, scatter];
    const add = builtCase(
      `indexAdd dim ${dim}`,
      [updates, list],
      (b, node, at) => b.make("indexAdd", [node, at], { dim, size }),
      100 * tolerances[dtype],
    );
    return [select, add, scatter];
  });
}

export const lineCases = (): Case[] => [
  ...lines.flatMap((line) => [...scanCases(line), ...sortCases(line)]),
  ...selections.flatMap(selectCases),
];
