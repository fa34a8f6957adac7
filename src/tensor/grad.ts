/**
 * Gradients that are given back instead of being added up in leaves: of values that were computed (`grad(outputs, inputs)`), and
 * of functions (`grad(fn)`). Read functional.ts next.
 */
import { allocate } from "../core/dtype.js";
import { GradusError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { applyOne, fromArray, type OpSpec } from "./apply.js";
import { checkRoot, onesLike } from "./autograd.js";
import { activeTrace, enableGrad } from "./context.js";
import { Tensor } from "./tensor.js";
import { consumersFirst, walkTape } from "./walk.js";

const identitySpec: OpSpec = { name: "identity", lower: (_, [x]) => x! };

/** The same value as one that has a place of its own on the tape or in the graph. */
export function alias(x: Tensor): Tensor {
  const trace = activeTrace();
  if (trace) return trace.wrap(trace.builder.alias(trace.nodeOf(x)), true);
  return enableGrad(() => applyOne(identitySpec, [x], {}));
}

/** A stand-in for an argument of a differentiated function: a leaf, or a link to what the argument depends on. */
export function standIn(x: Tensor): Tensor {
  if (activeTrace() || x.requiresGrad) return alias(x);
  return new Tensor(x.shape, x.dtype, x.source, true);
}

/** A gradient that depends on no leaf but the function's own arguments needs no tape any more. */
export function dropPrivateTape(gradient: Tensor, own: readonly Tensor[]): Tensor {
  if (activeTrace()) return gradient;
  if (!gradient.tape) return own.includes(gradient) ? gradient.detach() : gradient;
  const isPrivate = consumersFirst([gradient.tape]).every(({ edges }) =>
    edges.every((edge) => !edge || "link" in edge || own.includes(edge.leaf)),
  );
  return isPrivate ? gradient.detach() : gradient;
}

export function zerosLike(x: Tensor): Tensor {
  const trace = activeTrace();
  if (trace) return trace.wrap(trace.builder.constant(0, x.dtype, x.shape), false);
  return fromArray(allocate(x.dtype, x.size), x.shape, x.dtype);
}

/**
 * The gradients of Σ roots·cotangents with regard to tensors that they were computed from; null where nothing flows.
 * They can be differentiated if `createGraph`.
 */
export function pull(
  roots: readonly Tensor[],
  cotangents: readonly (Tensor | null)[],
  wrt: readonly Tensor[],
  { keep = true, createGraph = true } = {},
): (Tensor | null)[] {
  const flowing = roots.flatMap((root, i) =>
    root.requiresGrad ? [[root, cotangents[i] ?? null] as const] : [],
  );
  const trace = activeTrace();
  if (!trace) {
    const starts = flowing.map(([root, g]) => [root, g ?? onesLike(root)] as const);
    const found = walkTape(starts, { keep, createGraph, only: wrt });
    return wrt.map(found);
  }
  const tensors = flowing.map(([root]) => root);
  const given = flowing.map(([, g]) => g);
  const gradients = enableGrad(() => trace.gradients(tensors, given, wrt));
  return createGraph ? gradients : gradients.map((g) => g?.detach() ?? null);
}

export interface GradOptions {
  /** The cotangents of the outputs; needed for those that have more than one element. */
  readonly gradOutputs?: Tensor | readonly (Tensor | null)[];
  /** Keeps what gradients need, so that the outputs can be differentiated again. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Makes gradients that can be differentiated. Default false. */
  readonly createGraph?: boolean;
  /** Gives null for an input that the outputs do not depend on, instead of an error. Default false. */
  readonly allowUnused?: boolean;
}

const asList = <T>(x: T | readonly T[]): readonly T[] =>
  Array.isArray(x) ? (x as readonly T[]) : [x as T];

/** The inputs' gradients as PyTorch's torch.autograd.grad gives them. */
function gradOf(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions,
): (Tensor | null)[] {
  const [roots, wrt] = [asList(outputs), asList(inputs)];
  const { createGraph = false, retainGraph = createGraph, allowUnused = false } = options;
  const given = options.gradOutputs ? asList<Tensor | null>(options.gradOutputs) : [];
  if (given.length > 0 && given.length !== roots.length)
    throw new ValueError("grad", `${roots.length} output(s), but ${given.length} gradOutputs`);
  roots.forEach((root, i) => checkRoot(root, given[i] ?? null, "grad"));
  wrt.forEach((x, i) => {
    if (!x.requiresGrad)
      throw new GradusError("grad", `input ${i} does not require grad; call requiresGrad_() on it`);
  });
  const found = pull(roots, given, wrt, { keep: retainGraph, createGraph });
  const unused = found.indexOf(null);
  if (unused >= 0 && !allowUnused)
    throw new GradusError(
      "grad",
      `the outputs do not depend on input ${unused}; pass { allowUnused: true } to get null for it`,
    );
  return found;
}

/** The function of a function's gradient with regard to some of its arguments. */
function gradFunction(fn: (...args: Tensor[]) => Tensor, argnums: readonly number[]) {
  return (...args: Tensor[]): Tensor[] => {
    const standIns = args.map((x, i) => (argnums.includes(i) ? standIn(x) : x));
    const wrt = argnums.map((i) => standIns[i]!);
    const root = enableGrad(() => fn(...standIns));
    if (root.requiresGrad) checkRoot(root, null, "grad");
    return pull([root], [null], wrt).map((g, i) =>
      g ? dropPrivateTape(g, wrt) : zerosLike(wrt[i]!),
    );
  };
}

/**
 * The gradients of `outputs` with regard to `inputs` (any tensors that the outputs were computed from), as
 * torch.autograd.grad: given back, and not added to `grad`.
 *
 * Of a function instead: its gradient function, with regard to the first argument, or to those that `argnums` lists. It
 * nests for higher derivatives.
 *
 * @throws GradusError if an output or input does not require grad, or an input is not used; ShapeError for an output with more
 * than one element and no `gradOutputs`.
 * @example
 * ```ts
 * import { grad, type Tensor, tensor } from "gradus";
 * const x = tensor([1, 2, 3], { requiresGrad: true });
 * const [first] = grad(x.pow(3).sum(), x, { createGraph: true });
 * const [second] = grad(first!.sum(), x);
 * console.log(second!.toArray()); // → [ 6, 12, 18 ]
 * const cube = (t: Tensor) => t.mul(t).mul(t);
 * console.log(grad(cube)(tensor(2)).item()); // → 12
 * console.log(grad(grad(cube))(tensor(2)).item()); // → 12
 * ```
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions & { readonly allowUnused: true },
): (Tensor | null)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions,
): Tensor[];
export function grad<A extends Tensor[]>(fn: (...args: A) => Tensor): (...args: A) => Tensor;
export function grad<A extends Tensor[]>(
  fn: (...args: A) => Tensor,
  options: { readonly argnums: readonly number[] },
): (...args: A) => Tensor[];
export function grad(
  first: Tensor | readonly Tensor[] | ((...args: never[]) => Tensor),
  second?: Tensor | readonly Tensor[] | { readonly argnums: readonly number[] },
  options: GradOptions = {},
): unknown {
  if (typeof first !== "function")
    return gradOf(first, second as Tensor | readonly Tensor[], options);
  const argnums = (second as { readonly argnums: readonly number[] } | undefined)?.argnums;
  const gradients = gradFunction(first as (...args: Tensor[]) => Tensor, argnums ?? [0]);
  return argnums ? gradients : (...args: Tensor[]) => gradients(...args)[0]!;
}

/** Checks tensors that take the place of others. */
export function checkLike(op: string, what: string, got: Tensor, like: Tensor): void {
  if (!sameShape(got.shape, like.shape) || got.dtype !== like.dtype)
    throw new ShapeError(
      op,
      `${what} is ${got.dtype}${formatShape(got.shape)}, expected ${like.dtype}${formatShape(like.shape)}`,
    );
}
