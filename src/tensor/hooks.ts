/**
 * Hooks on tensors: functions that see, and may replace, a gradient on its way. Read walk.ts and trace.ts for where they are
 * called.
 */
import { GradusError, ShapeError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { activeTrace, enableGrad, type TraceContext } from "./context.js";
import type { Hook } from "./tape.js";
import { Tensor } from "./tensor.js";

/** Called with a leaf after backward() has added to its `grad`. */
export type AccumulateHook = (tensor: Tensor) => void;

let nextId = 0;

/** The hooks of one tensor. */
export class HookTable {
  readonly gradient = new Set<Hook>();
  readonly accumulated = new Set<AccumulateHook>();
  /** Takes the gradient last, as it goes on. */
  retain: ((gradient: Tensor) => void) | null = null;
  private readonly id = nextId++;
  private version = 0;

  /** Adds a hook; gives what takes it away again. */
  add<H>(hooks: Set<H>, hook: H): HookHandle {
    hooks.add(hook);
    this.version++;
    return {
      remove: () => {
        if (hooks.delete(hook)) this.version++;
      },
    };
  }

  /** Differs whenever the hooks do. */
  get key(): string {
    return this.gradient.size + this.accumulated.size === 0 ? "" : `${this.id}.${this.version}`;
  }
}

/** What registering a hook gives: `remove()` takes it away. */
export interface HookHandle {
  remove(): void;
}

function checkReplacement(gradient: Tensor, result: Tensor): void {
  if (!sameShape(result.shape, gradient.shape) || result.dtype !== gradient.dtype)
    throw new ShapeError(
      "registerHook",
      `a hook gave ${result.dtype}${formatShape(result.shape)} for a gradient of ` +
        `${gradient.dtype}${formatShape(gradient.shape)}`,
    );
}

function callHook(hook: Hook, gradient: Tensor): Tensor {
  const result = hook(gradient);
  if (!result) return gradient;
  checkReplacement(gradient, result);
  return result;
}

/** A complete gradient after the hooks of its tensor. */
export function runHooks(table: HookTable | null | undefined, gradient: Tensor): Tensor {
  if (!table) return gradient;
  let now = gradient;
  for (const hook of [...table.gradient]) now = callHook(hook, now);
  table.retain?.(now);
  return now;
}

export function runAccumulateHooks(tensor: Tensor): void {
  for (const hook of [...(tensor.hooks?.accumulated ?? [])]) hook(tensor);
}

function checkRequiresGrad(name: string, x: Tensor): void {
  if (!x.requiresGrad)
    throw new GradusError(
      name,
      "this tensor does not require grad, so no gradient will come; call requiresGrad_() on it first",
    );
}

/** The table of an eager tensor: a leaf's own, or that of its place on the tape. */
function tableOf(x: Tensor): HookTable {
  if (!x.tape) {
    x.hooks ??= new HookTable();
    return x.hooks;
  }
  const { node, index } = x.tape;
  node.hooks ??= new Map();
  let table = node.hooks.get(index);
  if (!table) {
    table = new HookTable();
    node.hooks.set(index, table);
  }
  return table;
}

/** Puts a hook into the graph of a trace. */
function hookTraced(trace: TraceContext, x: Tensor, hook: Hook, isLast: boolean): HookHandle {
  const onNode = (g: Parameters<typeof trace.wrap>[0]) =>
    trace.nodeOf(enableGrad(() => callHook(hook, trace.wrap(g, true))));
  return { remove: trace.detours.addHook(trace.nodeOf(x), onNode, isLast) };
}

declare module "./tensor.js" {
  interface Tensor {
    /**
     * Calls `hook` with this tensor's gradient whenever one has been computed, before it flows on or is added to `grad`. A tensor
     * that the hook returns takes the gradient's place. Inside compile() the hook is traced with the function.
     *
     * @throws GradusError if the tensor does not require grad; ShapeError if the hook gives another shape or dtype.
     * @example
     * ```ts
     * import { tensor } from "gradus";
     * const x = tensor([1, 2], { requiresGrad: true });
     * const hidden = x.mul(3);
     * const handle = hidden.registerHook((g) => g.mul(10));
     * hidden.sum().backward();
     * console.log(x.grad?.toArray()); // → [ 30, 30 ]
     * handle.remove();
     * ```
     */
    registerHook(hook: Hook): HookHandle;
    /**
     * Calls `hook` with this leaf each time that backward() has added to its `grad`: the place to update a parameter and drop
     * its gradient at once.
     *
     * @throws GradusError unless the tensor is a leaf that requires grad.
     * @example
     * ```ts
     * import { noGrad, tensor } from "gradus";
     * const w = tensor([1, 2], { requiresGrad: true });
     * w.registerPostAccumulateGradHook((p) => {
     *   noGrad(() => p.assign(p.sub(p.grad!.mul(0.5))));
     *   p.grad = null;
     * });
     * w.mul(w).sum().backward();
     * console.log(w.toArray(), w.grad); // → [ 0, 0 ] null
     * ```
     */
    registerPostAccumulateGradHook(hook: AccumulateHook): HookHandle;
    /**
     * Makes backward() keep the gradient of this tensor in `grad` though it is no leaf. Does nothing for a leaf.
     *
     * @throws GradusError if the tensor does not require grad.
     * @example
     * ```ts
     * import { tensor } from "gradus";
     * const hidden = tensor([1, 2], { requiresGrad: true }).mul(3);
     * hidden.retainGrad();
     * hidden.mul(hidden).sum().backward();
     * console.log(hidden.grad?.toArray()); // → [ 6, 12 ]
     * ```
     */
    retainGrad(): void;
  }
}

Tensor.prototype.registerHook = function (hook: Hook): HookHandle {
  checkRequiresGrad("registerHook", this);
  const trace = activeTrace();
  if (trace) return hookTraced(trace, this, hook, false);
  const table = tableOf(this);
  return table.add(table.gradient, hook);
};

Tensor.prototype.registerPostAccumulateGradHook = function (hook: AccumulateHook): HookHandle {
  checkRequiresGrad("registerPostAccumulateGradHook", this);
  if (!this.isLeaf)
    throw new GradusError(
      "registerPostAccumulateGradHook",
      "only a leaf's gradient is added up; use registerHook() for a tensor that was computed",
    );
  this.hooks ??= new HookTable();
  return this.hooks.add(this.hooks.accumulated, hook);
};

Tensor.prototype.retainGrad = function (): void {
  checkRequiresGrad("retainGrad", this);
  const trace = activeTrace();
  const take = (gradient: Tensor) => {
    this.grad = gradient;
  };
  if (trace) {
    if (this.source.kind === "traced" && !this.isLeaf) hookTraced(trace, this, take, true);
    return;
  }
  if (this.tape) tableOf(this).retain = take;
};
