/**
 * `backward()` and what belongs to it: a tensor's gradient is added up in the leaves that it was computed from. Read walk.ts
 * for how, grad.ts for gradients that are given back instead.
 */
import { allocate, isFloat } from "../core/dtype.js";
import { DTypeError, GradusError, ShapeError, TraceError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { fromArray } from "./apply.js";
import { activeTrace } from "./context.js";
import { runAccumulateHooks } from "./hooks.js";
import { Tensor } from "./tensor.js";
import { copyOf, sum, walkTape } from "./walk.js";

export interface BackwardOptions {
  /** The cotangent to start from; needed unless the tensor has one element. */
  readonly gradient?: Tensor;
  /** Keeps what the gradient needs, so that backward() can be called again. */
  readonly retainGraph?: boolean;
  /** Records the gradients' own computation, so that they can be differentiated. */
  readonly createGraph?: boolean;
}

/** Checks what backward() starts from. Exported for the trace, which starts from the same. */
export function checkRoot(root: Tensor, gradient: Tensor | null, op = "backward"): void {
  if (!root.requiresGrad)
    throw new GradusError(
      op,
      "this tensor does not require grad: nothing that it was computed from does, " +
        "or it was computed under noGrad()",
    );
  if (gradient && !sameShape(gradient.shape, root.shape))
    throw new ShapeError(
      op,
      `gradient has shape ${formatShape(gradient.shape)}, the tensor ${formatShape(root.shape)}`,
    );
  if (!gradient && root.size !== 1)
    throw new ShapeError(
      op,
      `needs a tensor with one element, got ${formatShape(root.shape)}; ` +
        "reduce it with sum() or mean(), or pass " +
        `{ ${op === "grad" ? "gradOutputs" : "gradient"} }`,
    );
}

export const onesLike = (x: Tensor): Tensor =>
  fromArray(allocate(x.dtype, x.size).fill(1), x.shape, x.dtype);

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
    /** The same values, cut off from the gradient (elsewhere called stop-gradient). */
    detach(): Tensor;
    /**
     * Cuts this very tensor off from what it was computed from: it becomes a leaf that requires no grad.
     *
     * @throws TraceError for a value of a compiled function, where only `detach()` makes sense.
     */
    detach_(): this;
    /**
     * Says whether this leaf's gradient is wanted, and gives the tensor.
     *
     * @throws DTypeError if it is no float; GradusError for false on a tensor that was computed: detach() it.
     * @example
     * ```ts
     * import { tensor } from "gradus";
     * const x = tensor([1, 2, 3]).requiresGrad_();
     * x.square().sum().backward();
     * console.log(x.grad?.toArray()); // → [ 2, 4, 6 ]
     * ```
     */
    requiresGrad_(requiresGrad?: boolean): this;
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
  const walk = { createGraph, keep: options.retainGraph ?? createGraph };
  const touched: Tensor[] = [];
  walkTape([[this, gradient ?? onesLike(this)]], walk, (tensor, total) => {
    const before = tensor.concreteGrad;
    const after = before ? sum(before, total) : total;
    // The caller's own `gradient` must not change when more is added to this one later.
    tensor.concreteGrad = after === gradient ? copyOf(after) : after;
    touched.push(tensor);
  });
  for (const tensor of touched) runAccumulateHooks(tensor);
};

Tensor.prototype.detach = function (): Tensor {
  if (this.source.kind === "concrete" && !activeTrace())
    return new Tensor(this.shape, this.dtype, this.source);
  const trace = activeTrace()!;
  return trace.wrap(trace.builder.stopGradient(trace.nodeOf(this)), false);
};

Tensor.prototype.detach_ = function () {
  if (this.source.kind === "traced")
    throw new TraceError(
      "detach_",
      "a value of a compiled function cannot be cut off; use detach()",
    );
  this.tape = null;
  this.requiresGrad = false;
  return this;
};

Tensor.prototype.requiresGrad_ = function (requiresGrad = true) {
  if (requiresGrad && !isFloat(this.dtype))
    throw new DTypeError(
      "requiresGrad_",
      `only floats have gradients, this tensor is ${this.dtype}`,
    );
  const isComputed = this.requiresGrad && !this.isLeaf;
  if (!requiresGrad && isComputed)
    throw new GradusError(
      "requiresGrad_",
      "only a leaf's flag can be cleared; detach() gives this tensor's values without a gradient",
    );
  if (this.source.kind === "traced" && !this.requiresGrad && requiresGrad)
    this.source.trace.makeLeaf(this);
  this.requiresGrad = requiresGrad;
  return this;
};
