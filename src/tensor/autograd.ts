/**
 * Eager reverse-mode differentiation: walks the tape from a result back to the leaves, calling each recorded routine's
 * gradient, itself a routine, so that with `createGraph` gradients have gradients.
 */
import { allocate } from "../core/dtype.js";
import { GradusError, ShapeError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { applyOne, callRoutine, fromArray, type OpSpec } from "./apply.js";
import { activeTrace, enableGrad, noGrad } from "./context.js";
import type { TapeLink, TapeNode } from "./tape.js";
import { Tensor } from "./tensor.js";

export interface BackwardOptions {
  /** The cotangent to start from; needed unless the tensor has one element. */
  readonly gradient?: Tensor;
  /** Keeps what the gradient needs, so that backward() can be called again. */
  readonly retainGraph?: boolean;
  /** Records the gradients' own computation, so that they can be differentiated. */
  readonly createGraph?: boolean;
}

const addSpec: OpSpec = { name: "add", lower: (b, [x, y]) => b.add(x!, y!) };
const identitySpec: OpSpec = { name: "identity", lower: (_, [x]) => x! };

/** a + b, of one type. */
export const sum = (a: Tensor, b: Tensor): Tensor => applyOne(addSpec, [a, b], {});

/** Checks what backward() starts from. Exported for the trace, which starts from the same. */
export function checkRoot(root: Tensor, gradient: Tensor | null): void {
  if (!root.requiresGrad)
    throw new GradusError(
      "backward",
      "this tensor does not require grad: nothing that it was computed from does, " +
        "or it was computed under noGrad()",
    );
  if (gradient && !sameShape(gradient.shape, root.shape))
    throw new ShapeError(
      "backward",
      `gradient has shape ${formatShape(gradient.shape)}, the tensor ${formatShape(root.shape)}`,
    );
  if (!gradient && root.size !== 1)
    throw new ShapeError(
      "backward",
      `needs a tensor with one element, got ${formatShape(root.shape)}; ` +
        "reduce it with sum() or mean(), or pass { gradient }",
    );
}

function ones(like: Tensor): Tensor {
  return fromArray(allocate(like.dtype, like.size).fill(1), like.shape, like.dtype);
}

/** All recorded calls behind a link, consumers first. */
function consumersFirst(start: TapeLink): TapeNode[] {
  const seen = new Set<TapeNode>();
  const stack = [start.node];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const edge of node.edges) if (edge && "link" in edge) stack.push(edge.link.node);
  }
  return [...seen].sort((a, b) => b.sequence - a.sequence);
}

interface Walk {
  readonly keep: boolean;
  readonly createGraph: boolean;
  /** Takes the whole gradient of a leaf. */
  leaf(tensor: Tensor, gradient: Tensor): void;
  /** Whether the walk ends at a call: then it takes the gradients of its outputs. */
  stop?(node: TapeNode, gradients: readonly (Tensor | null)[]): boolean;
}

/** The gradients of a recorded call's inputs, given those of its outputs. */
function differentiate(
  node: TapeNode,
  cotangents: readonly (Tensor | null)[],
): (readonly [input: number, gradient: Tensor])[] {
  const { routine, sources, targets } = node.variant.backward(cotangents.map((c) => c !== null));
  const inputs = sources.map((source) =>
    source.kind === "cotangent" ? cotangents[source.index]! : node.recall(source),
  );
  const gradients = callRoutine(routine, inputs);
  return targets.map((input, i) => [input, gradients[i]!] as const);
}

function walkTape(root: Tensor, gradient: Tensor, walk: Walk): void {
  if (!root.tape) {
    walk.leaf(root, gradient);
    return;
  }
  const leaves = new Map<Tensor, Tensor>();
  const pending = new Map<TapeNode, (Tensor | null)[]>();
  const add = (before: Tensor | null | undefined, more: Tensor) =>
    before ? sum(before, more) : more;
  const receive = ({ node, index }: TapeLink, more: Tensor) => {
    const slots = pending.get(node) ?? node.variant.graph.outputs.map(() => null);
    slots[index] = add(slots[index], more);
    pending.set(node, slots);
  };
  const run = () => {
    receive(root.tape!, gradient);
    for (const node of consumersFirst(root.tape!)) {
      const cotangents = pending.get(node);
      pending.delete(node);
      if (!cotangents || walk.stop?.(node, cotangents)) continue;
      for (const [input, more] of differentiate(node, cotangents)) {
        const edge = node.edges[input]!;
        if ("link" in edge) receive(edge.link, more);
        else leaves.set(edge.leaf, add(leaves.get(edge.leaf), more));
      }
      if (!walk.keep) node.release();
    }
    for (const [leaf, total] of leaves) walk.leaf(leaf, total);
  };
  if (walk.createGraph) enableGrad(run);
  else noGrad(run);
}

declare module "./tensor.js" {
  interface Tensor {
    /**
     * Adds to the `grad` of every leaf that requires grad the gradient of this tensor with regard to it.
     *
     * @throws ShapeError unless the tensor has one element or `gradient` is given; GradusError if it does not require grad.
     * @example
     * ```ts
     * import { tensor } from "gradus";
     * const w = tensor([2, 3], { requiresGrad: true });
     * w.mul(w).sum().backward();
     * console.log(w.grad?.toArray()); // → [ 4, 6 ]
     * ```
     */
    backward(options?: BackwardOptions): void;
    /** The same values, cut off from the gradient. */
    detach(): Tensor;
  }
}

Tensor.prototype.backward = function (options: BackwardOptions = {}): void {
  const gradient = options.gradient ?? null;
  checkRoot(this, gradient);
  const trace = activeTrace();
  if (trace) {
    trace.backward(this, gradient);
    return;
  }
  const createGraph = options.createGraph ?? false;
  walkTape(this, gradient ?? ones(this), {
    createGraph,
    keep: options.retainGraph ?? createGraph,
    leaf(tensor, total) {
      const before = tensor.concreteGrad;
      const after = before ? sum(before, total) : total;
      // The caller's own `gradient` must not change when more is added to this one later.
      tensor.concreteGrad = after === gradient ? copyOf(after) : after;
    },
  });
};

const copyOf = (x: Tensor): Tensor =>
  fromArray(x.storageFor("backward").data.slice(), x.shape, x.dtype);

Tensor.prototype.detach = function (): Tensor {
  if (this.source.kind === "concrete" && !activeTrace())
    return new Tensor(this.shape, this.dtype, this.source);
  const trace = activeTrace()!;
  return trace.wrap(trace.builder.stopGradient(trace.nodeOf(this)), false);
};

/** A stand-in for an argument of a differentiated function: a leaf, or a link to what the argument depends on. */
function standIn(x: Tensor): Tensor {
  const trace = activeTrace();
  if (trace) return trace.wrap(trace.nodeOf(x), true);
  if (x.requiresGrad) return enableGrad(() => applyOne(identitySpec, [x], {}));
  return new Tensor(x.shape, x.dtype, x.source, true);
}

function eagerGradients(root: Tensor, wrt: readonly Tensor[]): (Tensor | null)[] {
  const found = wrt.map((): Tensor | null => null);
  walkTape(root, ones(root), {
    createGraph: true,
    keep: true,
    leaf(tensor, total) {
      const at = wrt.indexOf(tensor);
      if (at >= 0) found[at] = total;
    },
    stop(node, gradients) {
      const at = wrt.findIndex((x) => x.tape?.node === node);
      if (at >= 0) found[at] = gradients[0] ?? null;
      return at >= 0;
    },
  });
  return found.map((gradient) => gradient && dropPrivateTape(gradient, wrt));
}

/** A gradient that depends on no leaf but the function's own arguments needs no tape any more. */
function dropPrivateTape(gradient: Tensor, own: readonly Tensor[]): Tensor {
  if (!gradient.tape) return own.includes(gradient) ? gradient.detach() : gradient;
  const isPrivate = consumersFirst(gradient.tape).every(({ edges }) =>
    edges.every((edge) => !edge || "link" in edge || own.includes(edge.leaf)),
  );
  return isPrivate ? gradient.detach() : gradient;
}

/**
 * Turns a function of tensors with a scalar result into the function of its gradient with regard to the first
 * argument; with `argnums`, to those listed. Nest it for higher derivatives.
 *
 * @example
 * ```ts
 * import { grad, type Tensor, tensor } from "gradus";
 * const cube = (x: Tensor) => x.mul(x).mul(x);
 * console.log(grad(cube)(tensor(2)).item()); // → 12
 * console.log(grad(grad(cube))(tensor(2)).item()); // → 12
 * ```
 */
export function grad<A extends Tensor[]>(fn: (...args: A) => Tensor): (...args: A) => Tensor;
export function grad<A extends Tensor[]>(
  fn: (...args: A) => Tensor,
  options: { readonly argnums: readonly number[] },
): (...args: A) => Tensor[];
export function grad<A extends Tensor[]>(
  fn: (...args: A) => Tensor,
  options?: { readonly argnums: readonly number[] },
): (...args: A) => Tensor | Tensor[] {
  const argnums = options?.argnums ?? [0];
  return (...args: A) => {
    const standIns = args.map((x, i) => (argnums.includes(i) ? standIn(x) : x)) as A;
    const wrt = argnums.map((i) => standIns[i]!);
    const root = enableGrad(() => fn(...standIns));
    if (root.requiresGrad) checkRoot(root, null);
    const trace = activeTrace();
    const found = !root.requiresGrad
      ? wrt.map(() => null)
      : trace
        ? trace.gradients(root, null, wrt)
        : eagerGradients(root, wrt);
    const gradients = found.map((gradient, i) => gradient ?? zerosLike(wrt[i]!));
    return options ? gradients : gradients[0]!;
  };
}

function zerosLike(x: Tensor): Tensor {
  const trace = activeTrace();
  if (trace) return trace.wrap(trace.builder.constant(0, x.dtype, x.shape), false);
  return fromArray(allocate(x.dtype, x.size), x.shape, x.dtype);
}
