/** Weights divided by their largest singular value. Read foldBatchNorm.ts next. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { noGrad } from "../../tensor/context.js";
import { randn } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "../conv.js";
import { Buffer, type Module } from "../module.js";
import {
  compute,
  type Fields,
  ownParameter,
  Parametrization,
  registerParametrization,
  uncompute,
} from "./parametrize.js";

export interface SpectralNormOptions {
  /** The parameter; default `weight`. */
  readonly name?: string;
  /** Steps of the power method each time the weight is read while training; default 1. */
  readonly nPowerIterations?: number;
  /** Added to lengths before they are divided by; default 1e-12. */
  readonly eps?: number;
  /** The dim of the outputs; default 1 for transposed convolutions, else 0. */
  readonly dim?: number;
}

interface Settings {
  readonly name: string;
  readonly iterations: number;
  readonly eps: number;
  readonly dim: number;
  readonly leftFirst: boolean;
}

/** Iterations with which the singular vectors begin. */
const firstIterations = 15;

function settle(
  module: Module,
  weight: Tensor,
  options: SpectralNormOptions,
  leftFirst: boolean,
): Settings {
  const op = "spectralNorm";
  const isTransposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some(
    (kind) => module instanceof kind,
  );
  const { name = "weight", nPowerIterations: iterations = 1, eps = 1e-12 } = options;
  const { dim = isTransposed ? 1 : 0 } = options;
  if (weight.ndim < 2)
    throw new ShapeError(op, `${name} needs at least two dims, got ${formatShape(weight.shape)}`);
  if (!Number.isInteger(iterations) || iterations < 1)
    throw new ValueError(op, `nPowerIterations must be a whole number ≥ 1, got ${iterations}`);
  if (!Number.isInteger(dim) || dim < 0 || dim >= weight.ndim)
    throw new ValueError(op, `dim ${dim} is out of range for ${weight.ndim} dims`);
  return { name, iterations, eps, dim, leftFirst };
}

/** [outputs, everything else]. */
function asMatrix(weight: Tensor, dim: number): Tensor {
  const order = [dim, ...weight.shape.map((_, i) => i).filter((i) => i !== dim)];
  return (dim === 0 ? weight : weight.permute(order)).reshape([weight.shape[dim]!, -1]);
}

const unit = (x: Tensor, eps: number): Tensor => x.div(x.square().sum().sqrt().clamp(eps));

/** The singular vectors after some steps of the power method; PyTorch's parametrization moves u first, its older hook v. */
function iterate(
  matrix: Tensor,
  [u, v]: readonly [Tensor, Tensor],
  count: number,
  { eps, leftFirst }: Settings,
) {
  let [left, right] = [u, v];
  const moveLeft = () => {
    left = unit(matrix.matmul(right), eps);
  };
  for (let i = 0; i < count; i++) {
    if (leftFirst) moveLeft();
    right = unit(matrix.t().matmul(left), eps);
    if (!leftFirst) moveLeft();
  }
  return [left, right] as const;
}

/** weight / σ with σ = uᵀWv; while training the vectors take a step first. */
function normalized(
  weight: Tensor,
  buffers: readonly [Buffer, Buffer],
  settings: Settings,
  training: boolean,
): Tensor {
  const { dim, iterations } = settings;
  const matrix = asMatrix(weight, dim);
  let [u, v]: readonly [Tensor, Tensor] = buffers;
  if (training)
    noGrad(() => {
      [u, v] = iterate(matrix.detach(), buffers, iterations, settings);
      buffers[0].assign(u);
      buffers[1].assign(v);
    });
  const sigma = u.detach().mul(matrix.matmul(v.detach())).sum();
  return weight.div(sigma);
}

function firstVectors(weight: Tensor, settings: Settings): readonly [Buffer, Buffer] {
  return noGrad(() => {
    const matrix = asMatrix(weight, settings.dim);
    const [rows, columns] = matrix.shape as [number, number];
    const { dtype } = weight;
    const start = [randn([rows], { dtype }), randn([columns], { dtype })] as const;
    const [u, v] = iterate(matrix, start, firstIterations, settings);
    return [new Buffer(u), new Buffer(v)];
  });
}

const fieldsOf = (name: string) => [`${name}Orig`, `${name}U`, `${name}V`] as const;

/**
 * Divides a module's weight by its largest singular value, found by the power method (Miyato et al., 2018). The state has
 * `weight_orig`, `weight_u` and `weight_v`, as after PyTorch's `nn.utils.spectral_norm`. Changes the module and gives it back.
 *
 * @throws ValueError for what is no parameter or options out of range; ShapeError for fewer than two dims.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * const layer = nn.utils.spectralNorm(new nn.Linear(3, 2));
 * console.log([...layer.stateDict().keys()]); // → [ 'bias', 'weight_orig', 'weight_u', 'weight_v' ]
 * ```
 */
export function spectralNorm<M extends Module>(module: M, options: SpectralNormOptions = {}): M {
  const { name = "weight" } = options;
  const weight = ownParameter("spectralNorm", module, name);
  const settings = settle(module, weight, options, false);
  const [orig, uName, vName] = fieldsOf(name);
  const [u, v] = firstVectors(weight, settings);
  compute(module, name, function () {
    const own = this as unknown as Record<string, Buffer>;
    return normalized(own[orig]!, [own[uName]!, own[vName]!], settings, this.training);
  });
  const fields = module as unknown as Fields;
  [fields[orig], fields[uName], fields[vName]] = [weight, u, v];
  return module;
}

/** Undoes {@link spectralNorm}: the present weight is a parameter again. */
export function removeSpectralNorm<M extends Module>(module: M, name = "weight"): M {
  uncompute("removeSpectralNorm", module, name, fieldsOf(name));
  return module;
}

class SpectralNorm extends Parametrization {
  // PyTorch's names, `_u` and `_v`, are what these fields are called in a state.
  private readonly _u: Buffer;
  private readonly _v: Buffer;
  private readonly settings: Settings;

  constructor(weight: Tensor, settings: Settings) {
    super();
    [this._u, this._v] = firstVectors(weight, settings);
    this.settings = settings;
  }

  override forward(weight: Tensor): Tensor {
    return normalized(weight, [this._u, this._v], this.settings, this.training);
  }
}

/** {@link spectralNorm} as a parametrization: the state has `parametrizations.weight.original`, `.0._u` and `.0._v`. */
export function spectralNormParametrization<M extends Module>(
  module: M,
  options: SpectralNormOptions = {},
): M {
  const { name = "weight" } = options;
  const weight = ownParameter("spectralNorm", module, name);
  const settings = settle(module, weight, options, true);
  return registerParametrization(module, name, new SpectralNorm(weight, settings));
}
