/** Central differences in float64, of samples and of their gradients, on the interpreter. */
import { isFloat } from "../../src/core/dtype.js";
import { enableGrad, grad, type Tensor, tensor } from "../../src/index.js";
import { differ } from "./compare.js";
import { directional, gradientsOf, makeInputs, toTensor } from "./runCase.js";
import { type Case, randomValues } from "./samples.js";

const step = 1e-5;
const bounds = { relative: 2e-6, absolute: 2e-6 };
/** At most so many elements of an input are moved, spread evenly. */
const most = 24;

/** d f / d x at some elements of `inputs[at]`, and which those are. */
function centralDifferences(
  f: (inputs: readonly Tensor[]) => number,
  inputs: readonly Tensor[],
  at: number,
): { places: number[]; slopes: number[] } {
  const x = inputs[at]!;
  const stride = Math.max(1, Math.ceil(x.size / most));
  const places = Array.from({ length: Math.ceil(x.size / stride) }, (_, i) => i * stride);
  const moved = (place: number, by: number): number => {
    const data = x.data.slice();
    data[place]! += by;
    return f(inputs.map((y, i) => (i === at ? tensor(data, { shape: x.shape }) : y)));
  };
  const slopes = places.map((place) => (moved(place, step) - moved(place, -step)) / (2 * step));
  return { places, slopes };
}

/** Compares gradients with the differences of `f`; gives what differs. */
export function differFromSlopes(
  f: (inputs: readonly Tensor[]) => number,
  inputs: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
): string | null {
  for (const [i, x] of inputs.entries()) {
    if (!isFloat(x.dtype)) continue;
    const { places, slopes } = centralDifferences(f, inputs, i);
    const got = places.map((place) => gradients[i]?.data[place] ?? 0);
    const difference = differ(got, slopes, bounds);
    if (difference) return `gradient ${i} against central differences: ${difference}`;
  }
  return null;
}

export const differFromDifferences = (
  one: Case,
  gradients: readonly (Tensor | null)[],
): string | null =>
  differFromSlopes((xs) => directional(one, xs), makeInputs(one, "float64"), gradients);

/** Fixed factors that make one number of all gradients. */
const factors = (one: Case, x: Tensor, i: number): Tensor =>
  toTensor(
    randomValues(`${one.name} second ${i}`, { shape: x.shape, dtype: "float64", low: -1, high: 1 }),
    "float64",
  );

const weigh = (one: Case, gradients: readonly (Tensor | null)[]): Tensor =>
  gradients.reduce<Tensor>(
    (sum, g, i) =>
      g && isFloat(g.dtype)
        ? sum.add(
            g
              .to("float64")
              .mul(factors(one, g, i))
              .sum(),
          )
        : sum,
    tensor(0, { dtype: "float64" }),
  );

const asLeaves = (inputs: readonly Tensor[]): Tensor[] =>
  inputs.map((x) => {
    const leaf = x.detach();
    leaf.requiresGrad = isFloat(leaf.dtype);
    return leaf;
  });

/** Gradients of the weighted sum of gradients, by backward with createGraph; null where none flows. */
export function secondGradients(one: Case): (Tensor | null)[] {
  const leaves = asLeaves(makeInputs(one, "float64"));
  const gradients = gradientsOf(one, leaves);
  const total = enableGrad(() => weigh(one, gradients));
  for (const leaf of leaves) leaf.grad = null;
  if (total.requiresGrad) total.backward();
  return leaves.map((x) => x.grad);
}

/** The same by grad(grad()), of the inputs that are floats. */
export function nestedGradients(one: Case, inputs: readonly Tensor[]): Tensor[] {
  const argnums = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []));
  const value = (...xs: Tensor[]): Tensor => {
    const result = one.sample.call(...xs);
    const outputs = Array.isArray(result) ? (result as Tensor[]) : [result as Tensor];
    return outputs.reduce<Tensor>(
      (sum, y, i) =>
        isFloat(y.dtype)
          ? sum.add(
              y
                .to("float64")
                .mul(direction(one, y, i))
                .sum(),
            )
          : sum,
      tensor(0, { dtype: "float64" }),
    );
  };
  const first = (...xs: Tensor[]): Tensor => {
    const found = grad(value, { argnums })(...xs);
    const all: (Tensor | null)[] = xs.map(() => null);
    for (const [i, g] of found.entries()) all[argnums[i]!] = g;
    return weigh(one, all);
  };
  return grad(first, { argnums })(...inputs);
}

const direction = (one: Case, y: Tensor, i: number): Tensor =>
  toTensor(
    {
      ...randomValues(`${one.name} cotangent ${i}`, { shape: y.shape, low: -1, high: 1 }),
      dtype: "float64",
    },
    "float64",
  );

/** Compares second gradients with the differences of first ones. */
export function differTwice(one: Case, second: readonly (Tensor | null)[]): string | null {
  const value = (xs: readonly Tensor[]): number => {
    const total = weigh(one, gradientsOf(one, asLeaves(xs)));
    return total.item();
  };
  const difference = differFromSlopes(value, makeInputs(one, "float64"), second);
  return difference && `second ${difference}`;
}
