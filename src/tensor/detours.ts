/**
 * What differs from the primitives' rules where gradients flow through a trace: tensor hooks, functions with their own
 * gradient, and checkpoints, whose values are computed again. ../ir/vjp.ts asks it on its way.
 */
import { sizeOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import { is, type Node } from "../ir/graph.js";
import type { GradientCall } from "../ir/vjp.js";
import type { Pull, TraceDetours } from "./context.js";

type NodeHook = (g: Node) => Node;

/** The values with ids from `start` up to `end`, which gradients compute again instead of reading them. */
class Region {
  private readonly start: number;
  private readonly end: number;
  private readonly isExempt: (node: Node) => boolean;
  private readonly twins = new Map<Node, Node>();
  /** A bool that is known only when the first gradient has arrived. */
  private flag: Node | null = null;

  constructor(start: number, end: number, isExempt: (node: Node) => boolean) {
    this.start = start;
    this.end = end;
    this.isExempt = isExempt;
  }

  has({ id }: Node): boolean {
    return id >= this.start && id < this.end;
  }

  /** The value computed again, not before `g` is there. */
  twin(b: Builder, node: Node, g: Node, isFixed: (node: Node) => boolean): Node {
    if (sizeOf(g.shape) === 0) return node;
    this.flag ??= arrivalOf(b, g);
    const { origin } = b;
    const stack = [node];
    while (stack.length > 0) {
      const next = stack.at(-1)!;
      const isInside = this.has(next) && !is(next, "input") && !isFixed(next);
      const missing = isInside ? next.inputs.filter((x) => !this.twins.has(x)) : [];
      stack.push(...missing);
      if (missing.length > 0) continue;
      stack.pop();
      if (this.twins.has(next)) continue;
      b.origin = next.origin;
      const inputs = next.inputs.map((x) => this.twins.get(x)!);
      const twin = isInside
        ? b.make(next.primitive, inputs, next.attributes as never)
        : this.behind(b, next);
      this.twins.set(next, twin);
    }
    b.origin = origin;
    return this.twins.get(node)!;
  }

  /**
   * A value from before the region, as one that is there only with the gradient. Else what is computed again from it would be
   * the same as what was computed before, and would be merged with it, or run beside it. No pass drops a choice between equals.
   */
  private behind(b: Builder, x: Node): Node {
    if (is(x, "constant") || is(x, "iota") || this.isExempt(x)) return x;
    return b.select(this.flag!, x, x);
  }
}

/** A bool that depends on a value. */
function arrivalOf(b: Builder, g: Node): Node {
  const corner = b.slice(
    g,
    g.shape.map(() => 0),
    g.shape.map(() => 1),
  );
  return b.pointwise("less", b.reshape(corner, []), 0);
}

export class TraceGradients implements TraceDetours {
  private readonly builder: Builder;
  private readonly hooks = new Map<Node, Set<NodeHook>>();
  private readonly lastHooks = new Map<Node, Set<NodeHook>>();
  private readonly calls = new Map<Node, GradientCall>();
  private readonly regions: Region[] = [];

  constructor(builder: Builder) {
    this.builder = builder;
  }

  addHook(node: Node, hook: NodeHook, isLast: boolean): () => void {
    const table = isLast ? this.lastHooks : this.hooks;
    const hooks = table.get(node) ?? new Set();
    table.set(node, hooks.add(hook));
    return () => hooks.delete(hook);
  }

  addCall(outputs: readonly Node[], inputs: readonly Node[], pull: Pull): void {
    const call = { outputs, inputs, pull };
    for (const node of outputs) this.calls.set(node, call);
  }

  addRegion(start: number, end: number, isExempt: (node: Node) => boolean): void {
    this.regions.push(new Region(start, end, isExempt));
  }

  get hasCalls(): boolean {
    return this.calls.size > 0;
  }

  callOf = (node: Node): GradientCall | undefined => this.calls.get(node);

  arrived = (node: Node, g: Node): Node =>
    [...(this.hooks.get(node) ?? []), ...(this.lastHooks.get(node) ?? [])].reduce(
      (now, hook) => hook(now),
      g,
    );

  /** Of checkpoints inside each other the outermost counts: it computes all of it again. */
  twin = (node: Node, g: Node): Node => {
    const region = this.regions.findLast((one) => one.has(node));
    return region?.twin(this.builder, node, g, (x) => this.calls.has(x)) ?? node;
  };
}
