/** Keeping gradients small: by their norm and by their values. Works inside compiled steps. */
import { GradusError, ValueError } from "../../core/errors.js";
import { activeTrace, noGrad } from "../../tensor/context.js";
import { zeros } from "../../tensor/create.js";
import type { Tensor } from "../../tensor/tensor.js";

type Parameters = Tensor | Iterable<Tensor>;

const isTensor = (x: Parameters): x is Tensor => !(Symbol.iterator in x);

const withGradients = (parameters: Parameters): (readonly [Tensor, Tensor])[] =>
  (isTensor(parameters) ? [parameters] : [...new Set(parameters)])
    .map((parameter) => [parameter, parameter.grad] as const)
    .filter((pair): pair is [Tensor, Tensor] => pair[1] !== null);

const join = (parts: readonly Tensor[], fn: (a: Tensor, b: Tensor) => Tensor): Tensor =>
  parts.reduce(fn);

function totalNorm(gradients: readonly Tensor[], normType: number): Tensor {
  const dtype = gradients.some((g) => g.dtype === "float64") ? "float64" : "float32";
  if (gradients.length === 0) return zeros([]);
  if (normType === Number.POSITIVE_INFINITY)
    return join(
      gradients.map((g) => g.abs().max().to(dtype)),
      (a, b) => a.maximum(b),
    );
  const powers = gradients.map((g) =>
    (normType === 2 ? g.square() : g.abs().pow(normType)).sum().to(dtype),
  );
  const sum = join(powers, (a, b) => a.add(b));
  return normType === 2 ? sum.sqrt() : sum.pow(1 / normType);
}

export interface ClipGradNormOptions {
  /** The p of the p-norm, or Infinity for the largest size; default 2. */
  readonly normType?: number;
  /** Whether a norm that is not finite is an error; not inside compiled functions, which do not know values. */
  readonly errorIfNonfinite?: boolean;
}

/**
 * Scales all gradients together so that their norm as one vector is at most maxNorm: g ← g · min(1, maxNorm / (norm + 1e-6)).
 * Gives the norm from before, without dims.
 *
 * @throws ValueError for a maxNorm or normType that is not above 0; GradusError for a norm that is not finite, if asked.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const p = tensor([1, 1], { requiresGrad: true });
 * p.grad = tensor([30, 40]);
 * console.log(nn.utils.clipGradNorm([p], 1).item()); // → 50
 * console.log(p.grad?.toArray()); // ≈ [ 0.6, 0.8 ]
 * ```
 */
export function clipGradNorm(
  parameters: Parameters,
  maxNorm: number,
  { normType = 2, errorIfNonfinite = false }: ClipGradNormOptions = {},
): Tensor {
  const op = "clipGradNorm";
  for (const [name, value] of Object.entries({ maxNorm, normType }))
    if (!(value > 0)) throw new ValueError(op, `${name} must be a number above 0, got ${value}`);
  const trace = activeTrace();
  if (errorIfNonfinite && trace)
    throw new GradusError(
      op,
      "errorIfNonfinite needs the norm's value, which a compiled function does not know; return " +
        "the norm from the function and look at it there",
    );
  return noGrad(() => {
    const pairs = withGradients(parameters);
    const norm = totalNorm(
      pairs.map(([, grad]) => grad),
      normType,
    );
    if (errorIfNonfinite && !Number.isFinite(norm.item()))
      throw new GradusError(op, `the norm of the gradients is ${norm.item()}`);
    const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp(null, 1);
    for (const [parameter, grad] of pairs) parameter.grad = grad.mul(factor.to(grad.dtype));
    return norm;
  });
}

/**
 * Moves every element of every gradient into [−clipValue, clipValue].
 *
 * @throws ValueError for a clipValue that is not above 0.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const p = tensor([1, 1], { requiresGrad: true });
 * p.grad = tensor([30, -0.5]);
 * nn.utils.clipGradValue([p], 1);
 * console.log(p.grad?.toArray()); // → [ 1, -0.5 ]
 * ```
 */
export function clipGradValue(parameters: Parameters, clipValue: number): void {
  if (!(clipValue > 0))
    throw new ValueError("clipGradValue", `clipValue must be a number above 0, got ${clipValue}`);
  noGrad(() => {
    for (const [parameter, grad] of withGradients(parameters))
      parameter.grad = grad.clamp(-clipValue, clipValue);
  });
}
