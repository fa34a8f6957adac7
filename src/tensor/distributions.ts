/** Random tensors of other distributions: whole numbers, normal, uniform and truncated normal. Read random.ts first. */
import { type DType, dtypes, isDType, isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { broadcastShapes, checkShape, type Shape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import { erfc } from "../ir/errorFunction.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpSpec } from "./apply.js";
import { generatorOf, normalNodes, type RandomOptions, uniformNodes } from "./random.js";
import type { Tensor } from "./tensor.js";

type Draw = { readonly shape: Shape; readonly dtype: DType };
type Between<A> = Draw & A;

function draw<A extends Draw>(spec: OpSpec<A>, options: RandomOptions, attributes: A): Tensor {
  checkShape(spec.name, attributes.shape);
  const state = generatorOf(spec.name, options.generator).take();
  const result = applyOne(spec, [state], { ...attributes, shape: [...attributes.shape] });
  result.requiresGrad = options.requiresGrad ?? false;
  return result;
}

function floatDType(op: string, dtype: DType = "float32"): DType {
  if (!isFloat(dtype)) throw new DTypeError(op, `needs a float dtype, got ${dtype}`);
  return dtype;
}

const randintSpec: OpSpec<Between<{ readonly low: number; readonly high: number }>> = {
  name: "randint",
  lower(b, [state], { shape, dtype, low, high }) {
    const draws = uniformNodes(b, state!, shape, "float64");
    const steps = b.pointwise("floor", b.multiply(draws, high - low));
    return b.convert(b.add(steps, low), dtype);
  },
};

/**
 * Whole random numbers from `low` (0 if left out) up to but not including `high`, all equally likely; int32 unless a
 * dtype is given.
 *
 * @throws ValueError unless both bounds are whole numbers that the dtype holds and low < high.
 * @example
 * ```ts
 * import { randint } from "gradus";
 * const dice = randint(1, 7, [100]);
 * console.log(dice.dtype, Math.max(...dice.data) <= 6); // → int32 true
 * ```
 */
export function randint(high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(low: number, high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(
  first: number,
  second: number | Shape,
  third?: Shape | RandomOptions,
  fourth: RandomOptions = {},
): Tensor {
  const hasLow = typeof second === "number";
  const [low, high] = hasLow ? [first, second] : [0, first];
  const shape = (hasLow ? third : second) as Shape;
  const options = hasLow ? fourth : ((third ?? {}) as RandomOptions);
  const dtype = options.dtype ?? "int32";
  if (!isDType(dtype))
    throw new DTypeError("randint", `unknown dtype "${dtype}", expected ${dtypes.join(", ")}`);
  const [least, most] =
    dtype === "uint8" ? [0, 256] : dtype === "bool" ? [0, 2] : [-(2 ** 31), 2 ** 31];
  const isRange = Number.isInteger(low) && Number.isInteger(high) && low < high;
  if (!isRange || low < least || high > most)
    throw new ValueError(
      "randint",
      `expected whole numbers low < high from ${least} to ${most}, got ${low} and ${high}`,
    );
  return draw(randintSpec, options, { shape, dtype, low, high });
}

/**
 * {@link randint} in the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { randintLike, tensor } from "gradus";
 * console.log(randintLike(tensor([1, 2]), 5, 6).toArray()); // → [ 5, 5 ]
 * ```
 */
export const randintLike = (
  x: Tensor,
  low: number,
  high: number,
  options: RandomOptions = {},
): Tensor => randint(low, high, x.shape, { dtype: x.dtype, ...options });

const uniformSpec: OpSpec<Between<{ readonly low: number; readonly high: number }>> = {
  name: "uniform",
  lower(b, [state], { shape, dtype, low, high }) {
    const draws = uniformNodes(b, state!, shape, dtype);
    return b.add(b.multiply(draws, high - low), low);
  },
};

/**
 * Uniform random numbers in [low, high).
 *
 * @throws ValueError unless low ≤ high and both are finite.
 * @example
 * ```ts
 * import { uniform } from "gradus";
 * console.log(uniform([2, 3], -1, 1).shape); // → [ 2, 3 ]
 * ```
 */
export function uniform(shape: Shape, low = 0, high = 1, options: RandomOptions = {}): Tensor {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high))
    throw new ValueError("uniform", `expected finite low ≤ high, got ${low} and ${high}`);
  const dtype = floatDType("uniform", options.dtype);
  return draw(uniformSpec, options, { shape, dtype, low, high });
}

export interface NormalOptions extends RandomOptions {
  /** The result's shape, where mean and std are both numbers. */
  readonly shape?: Shape;
}

type NormalAttributes = Draw & { readonly mean: number | null; readonly std: number | null };

/** Mean and std are attributes if they are numbers, else inputs after the state. */
const normalSpec: OpSpec<NormalAttributes> = {
  name: "normal",
  lower(b, [state, ...parameters], { shape, dtype, mean, std }) {
    const rest = parameters.map((x) => b.convert(x, "float64"));
    const center = mean ?? rest.shift()!;
    const draws = b.multiply(normalNodes(b, state!, shape), std ?? rest.shift()!);
    return b.convert(b.add(draws, center), dtype);
  },
};

/**
 * Random numbers of normal distributions. Mean and std are numbers or tensors that broadcast; two numbers need a shape.
 * No gradient flows to them.
 *
 * @throws ValueError if a std that is a number is negative; ShapeError if no shape is known or the shapes do not broadcast.
 * @example
 * ```ts
 * import { normal, tensor } from "gradus";
 * console.log(normal(tensor([0, 100]), 1).shape, normal(0, 1, { shape: [2, 3] }).shape); // → [ 2 ] [ 2, 3 ]
 * ```
 */
export function normal(
  mean: number | Tensor,
  std: number | Tensor,
  options: NormalOptions = {},
): Tensor {
  const parameters = [mean, std].filter((x) => typeof x !== "number");
  checkTensors("normal", parameters as Tensor[]);
  if (parameters.length > 0 === (options.shape !== undefined))
    throw new ShapeError("normal", "give a shape with two numbers, and only then");
  if (typeof std === "number" && !(std >= 0))
    throw new ValueError("normal", `std must be ≥ 0, got ${std}`);
  const dtypeOf = (x: Tensor | undefined) => x && floatDType("normal", x.dtype);
  const dtype = floatDType("normal", options.dtype ?? dtypeOf(parameters[0]));
  const shape = checkShape(
    "normal",
    options.shape ?? broadcastShapes("normal", ...parameters.map((x) => x.shape)),
  );
  const state = generatorOf("normal", options.generator).take();
  const inputs = [state, ...parameters.map((x) => x.detach())];
  const result = applyOne(normalSpec, inputs, {
    ...{ shape: [...shape], dtype },
    mean: typeof mean === "number" ? mean : null,
    std: typeof std === "number" ? std : null,
  });
  result.requiresGrad = options.requiresGrad ?? false;
  return result;
}

/**
 * The inverse of erf: Winitzki's approximation (2008), good to 0.4 %, and two of Halley's steps, each of which triples
 * the digits.
 */
function inverseErf(b: Builder, given: Node): Node {
  const edge = 1 - 2 ** -53;
  const y = b.pointwise("maximum", b.pointwise("minimum", given, edge), -edge);
  const a = 0.147;
  const log = b.pointwise("log", b.multiply(b.subtract(1, y), b.add(y, 1)));
  const middle = b.add(b.multiply(log, 0.5), 2 / (Math.PI * a));
  const inner = b.subtract(b.multiply(middle, middle), b.divide(log, a));
  const size = b.pointwise("sqrt", b.subtract(b.pointwise("sqrt", inner), middle));
  let x = b.multiply(b.pointwise("sign", y), size);
  for (let i = 0; i < 2; i++) {
    const error = b.subtract(b.pointwise("erf", x), y);
    const bell = b.pointwise("exponential", b.multiply(x, x));
    const step = b.multiply(b.multiply(error, bell), Math.sqrt(Math.PI) / 2);
    x = b.subtract(x, b.divide(step, b.add(b.multiply(x, step), 1)));
  }
  return x;
}

export interface TruncNormalOptions extends RandomOptions {
  readonly mean?: number;
  readonly std?: number;
  /** The bounds; −2 and 2 by default. They are not scaled by std. */
  readonly a?: number;
  readonly b?: number;
}

type Truncated = Draw & { mean: number; std: number; a: number; b: number };

const truncNormalSpec: OpSpec<Truncated> = {
  name: "truncNormal",
  lower(b, [state], { shape, dtype, mean, std, a: low, b: high }) {
    // Below each bound lies this part of the distribution; in between, all parts are equally likely.
    const [from, to] = [low, high].map((x) => erfc((mean - x) / (std * Math.SQRT2)) / 2);
    const part = b.add(b.multiply(uniformNodes(b, state!, shape, "float64"), to! - from!), from!);
    const unit = inverseErf(b, b.subtract(b.multiply(part, 2), 1));
    const value = b.add(b.multiply(unit, std * Math.SQRT2), mean);
    const inside = b.pointwise("minimum", b.pointwise("maximum", value, low), high);
    return b.convert(inside, dtype);
  },
};

/**
 * Random numbers of the normal distribution, of which only those in [a, b] are taken.
 *
 * @throws ValueError unless a < b and std is above 0.
 * @example
 * ```ts
 * import { truncNormal } from "gradus";
 * console.log(truncNormal([2, 3], { std: 0.02 }).shape); // → [ 2, 3 ]
 * ```
 */
export function truncNormal(shape: Shape, options: TruncNormalOptions = {}): Tensor {
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  if (!(a < b && std > 0))
    throw new ValueError("truncNormal", `expected a < b and std > 0, got ${a}, ${b} and ${std}`);
  const dtype = floatDType("truncNormal", options.dtype);
  return draw(truncNormalSpec, options, { shape, dtype, mean, std, a, b });
}
