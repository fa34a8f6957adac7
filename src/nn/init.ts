/**
 * Initial values of parameters: each function makes a tensor of a shape, or fills a tensor that it is given, as PyTorch's `init.*_`.
 * Read lsuv.ts for the one that looks at data.
 */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import "../ops/index.js";
import { qr } from "../ops/decomposition.js";
import { noGrad } from "../tensor/context.js";
import { full, eye as identity, tensor } from "../tensor/create.js";
import {
  normal as drawNormal,
  truncNormal as drawTruncNormal,
  type NormalOptions,
  type TruncNormalOptions,
} from "../tensor/distributions.js";
import { generatorOf, type RandomOptions, rand } from "../tensor/random.js";
import { Tensor } from "../tensor/tensor.js";

/** A shape to make a tensor of, or a tensor to fill, which is given back. */
export type Target = Shape | Tensor;

const shapeOf = (target: Target): Shape => (target instanceof Tensor ? target.shape : target);

/** Makes the values and puts them where they shall be. */
function fill<O extends { readonly dtype?: unknown }>(
  target: Target,
  options: O,
  make: (shape: Shape, options: O) => Tensor,
): Tensor {
  if (!(target instanceof Tensor)) return make(target, options);
  const { dtype } = target;
  noGrad(() => target.assign(make(target.shape, { ...options, dtype, requiresGrad: false })));
  return target;
}

/**
 * How many inputs and outputs one unit of a weight has: for [out, in, …kernel], in · kernel size and out · kernel size.
 *
 * @throws ShapeError for fewer than two dims.
 */
export function fans(target: Target): { readonly fanIn: number; readonly fanOut: number } {
  const shape = shapeOf(target);
  if (shape.length < 2)
    throw new ShapeError("fans", `a weight needs at least two dims, got ${formatShape(shape)}`);
  const places = sizeOf(shape.slice(2));
  return { fanIn: shape[1]! * places, fanOut: shape[0]! * places };
}

/** What stands between a layer and the next. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * The factor by which weights make up for what a nonlinearity takes away: 1 for linear and sigmoid, 5/3 for tanh, √2 for relu,
 * √(2 / (1 + slope²)) for leakyRelu, 3/4 for selu.
 *
 * @throws ValueError for another nonlinearity.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * console.log(nn.init.calculateGain("leakyRelu", 1)); // → 1
 * ```
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  const gains: Readonly<Record<Nonlinearity, number>> = {
    ...{ linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, selu: 3 / 4 },
    leakyRelu: Math.sqrt(2 / (1 + slope * slope)),
  };
  if (!Object.hasOwn(gains, nonlinearity))
    throw new ValueError(
      "calculateGain",
      `nonlinearity must be one of ${Object.keys(gains).join(", ")}, got ${String(nonlinearity)}`,
    );
  return gains[nonlinearity];
}

/** Uniform random numbers in [low, high). */
export const uniform = (target: Target, low = 0, high = 1, options: RandomOptions = {}): Tensor =>
  fill(target, options, (shape, o) =>
    rand(shape, o)
      .mul(high - low)
      .add(low),
  );

/** Normal random numbers. */
export const normal = (
  target: Target,
  mean = 0,
  std = 1,
  options: Omit<NormalOptions, "shape"> = {},
): Tensor => fill(target, options, (shape, o) => drawNormal(mean, std, { ...o, shape }));

/** Normal random numbers, of which only those in [a, b] are taken (−2 to 2 by default). */
export const truncNormal = (target: Target, options: TruncNormalOptions = {}): Tensor =>
  fill(target, options, drawTruncNormal);

/** One value everywhere. */
export const constant = (target: Target, value: number): Tensor =>
  fill(target, {}, (shape, options) => full(shape, value, options));

export const zeros = (target: Target): Tensor => constant(target, 0);

export const ones = (target: Target): Tensor => constant(target, 1);

export interface GainOptions extends RandomOptions {
  /** Factor for the activation that follows, see {@link calculateGain}; default 1. */
  readonly gain?: number;
}

/**
 * Uniform in ±gain·√(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010).
 *
 * @throws ShapeError for fewer than two dims.
 */
export function xavierUniform(target: Target, { gain = 1, ...options }: GainOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(target);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(target, -bound, bound, options);
}

/**
 * Normal with standard deviation gain·√(2 / (fanIn + fanOut)) (Glorot and Bengio, 2010).
 *
 * @throws ShapeError for fewer than two dims.
 */
export function xavierNormal(target: Target, { gain = 1, ...options }: GainOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(target);
  return normal(target, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), options);
}

export interface KaimingOptions extends RandomOptions {
  /** The slope of leakyRelu below 0; default 0, which is relu. */
  readonly a?: number;
  /** Keeps the variance forward (`fanIn`, the default) or backward. */
  readonly mode?: "fanIn" | "fanOut";
  /** What follows the layer; default leakyRelu with slope `a`. */
  readonly nonlinearity?: Nonlinearity;
}

/** gain and fan of Kaiming's rule. */
function kaiming(target: Target, options: KaimingOptions) {
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu", ...rest } = options;
  if (mode !== "fanIn" && mode !== "fanOut")
    throw new ValueError("kaiming", `mode must be fanIn or fanOut, got ${String(mode)}`);
  return { gain: calculateGain(nonlinearity, a), fan: fans(target)[mode], rest };
}

/**
 * Normal with variance gain² / fan, for relu 2 / fanIn (He et al., 2015).
 *
 * @throws ShapeError for fewer than two dims; ValueError for another mode or nonlinearity.
 */
export function kaimingNormal(target: Target, options: KaimingOptions = {}): Tensor {
  const { gain, fan, rest } = kaiming(target, options);
  return normal(target, 0, gain / Math.sqrt(fan), rest);
}

/**
 * Uniform in ±gain·√(3 / fan) (He et al., 2015). PyTorch's layers use a = √5, which makes the bound 1 / √fanIn.
 *
 * @throws ShapeError for fewer than two dims; ValueError for another mode or nonlinearity.
 */
export function kaimingUniform(target: Target, options: KaimingOptions = {}): Tensor {
  const { gain, fan, rest } = kaiming(target, options);
  const bound = gain * Math.sqrt(3 / fan);
  return uniform(target, -bound, bound, rest);
}

/** Normal with variance 1 / fanIn (LeCun et al., 1998): for selu, and where no nonlinearity follows. */
export const lecunNormal = (target: Target, options: RandomOptions = {}): Tensor =>
  normal(target, 0, 1 / Math.sqrt(fans(target).fanIn), options);

/** Uniform in ±√(3 / fanIn) (LeCun et al., 1998). */
export function lecunUniform(target: Target, options: RandomOptions = {}): Tensor {
  const bound = Math.sqrt(3 / fans(target).fanIn);
  return uniform(target, -bound, bound, options);
}

/**
 * Rows, or columns where there are fewer of them, that are orthogonal and of length gain (Saxe et al., 2014). Dims after the
 * first count as one.
 *
 * @throws ShapeError for fewer than two dims.
 * @example
 * ```ts
 * import { eye, nn } from "gradus";
 * const w = nn.init.orthogonal([3, 5]);
 * console.log(w.matmul(w.t()).allclose(eye(3), { atol: 1e-5 })); // → true
 * ```
 */
export function orthogonal(target: Target, { gain = 1, ...options }: GainOptions = {}): Tensor {
  const whole = shapeOf(target);
  if (whole.length < 2)
    throw new ShapeError("orthogonal", `needs at least two dims, got ${formatShape(whole)}`);
  return fill(target, options, (shape, { dtype = "float32", generator, requiresGrad = false }) => {
    const [rows, columns] = [shape[0]!, sizeOf(shape.slice(1))];
    const tall = [Math.max(rows, columns), Math.min(rows, columns)];
    const random = {
      ...{ dtype: "float64" as const, shape: tall },
      generator: generatorOf("orthogonal", generator),
    };
    const { Q: q, R: r } = qr(drawNormal(0, 1, random));
    // So that every orthogonal matrix is as likely as any other.
    const even = q.mul(r.diagonal().sign());
    const values = (rows < columns ? even.t() : even)
      .mul(gain)
      .reshape([...shape])
      .to(dtype);
    values.requiresGrad = requiresGrad;
    return values;
  });
}

export interface SparseOptions extends RandomOptions {
  /** Share of each column that is 0. */
  readonly sparsity: number;
  /** Standard deviation of the others; default 0.01. */
  readonly std?: number;
}

/**
 * Normal numbers, and in each column the given share of zeros (Martens, 2010). [out, in]
 *
 * @throws ShapeError unless there are two dims; ValueError unless the sparsity is from 0 to 1.
 */
export function sparse(
  target: Target,
  { sparsity, std = 0.01, ...options }: SparseOptions,
): Tensor {
  const whole = shapeOf(target);
  if (whole.length !== 2)
    throw new ShapeError("sparse", `needs two dims, got ${formatShape(whole)}`);
  if (!(sparsity >= 0 && sparsity <= 1))
    throw new ValueError("sparse", `sparsity must be from 0 to 1, got ${sparsity}`);
  return fill(target, options, (shape, o) => {
    const [rows, columns] = shape as [number, number];
    const count = Math.ceil(sparsity * rows);
    const values = drawNormal(0, std, { ...o, shape });
    const generator = generatorOf("sparse", o.generator);
    const keys = rand([columns, rows], { generator }).argsort(1).data;
    const data = values.data;
    for (let j = 0; j < columns; j++)
      for (let i = 0; i < count; i++) data[Number(keys[j * rows + i]) * columns + j] = 0;
    return values;
  });
}

/** 1 on the diagonal, else 0: what comes in goes out. [out, in] */
export function eye(target: Target): Tensor {
  const whole = shapeOf(target);
  if (whole.length !== 2) throw new ShapeError("eye", `needs two dims, got ${formatShape(whole)}`);
  return fill(target, {}, ([rows, columns], options) => identity(rows!, columns!, options));
}

/**
 * The kernels with which a convolution hands on its channels as they are: 1 in the middle, for each group. [out, in / groups, …]
 *
 * @throws ShapeError unless there are three to five dims; ValueError unless the groups divide the outputs.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const conv = new nn.Conv1d(1, 1, 3, { padding: 1, bias: false });
 * nn.init.dirac(conv.weight);
 * console.log(conv.forward(tensor([[[5, 6, 7]]])).toArray()); // → [ [ [ 5, 6, 7 ] ] ]
 * ```
 */
export function dirac(target: Target, { groups = 1 }: { readonly groups?: number } = {}): Tensor {
  const whole = shapeOf(target);
  if (whole.length < 3 || whole.length > 5)
    throw new ShapeError("dirac", `needs three to five dims, got ${formatShape(whole)}`);
  if (!Number.isInteger(groups) || groups < 1 || whole[0]! % groups !== 0)
    throw new ValueError("dirac", `${groups} groups do not divide ${whole[0]} outputs`);
  return fill(target, {}, (shape, options) => {
    const [out, into, ...kernel] = shape as [number, number, ...number[]];
    const places = sizeOf(kernel);
    const middle = kernel.reduce((at, n) => at * n + Math.floor(n / 2), 0);
    const values = new Float32Array(sizeOf(shape));
    const own = out / groups;
    for (let group = 0; group < groups; group++)
      for (let d = 0; d < Math.min(own, into); d++)
        values[((group * own + d) * into + d) * places + middle] = 1;
    return tensor([...values], { ...options, shape: [...shape] });
  });
}

/** PyTorch's default for the weight and bias of linear and convolutional layers: ±1 / √fanIn. */
export function defaultWeight(shape: Shape): Tensor {
  return kaimingUniform(shape, { a: Math.sqrt(5) });
}

export function defaultBias(weightShape: Shape): Tensor {
  const bound = 1 / Math.sqrt(fans(weightShape).fanIn);
  return uniform([weightShape[0]!], -bound, bound);
}
