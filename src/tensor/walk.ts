/**
 * Walks the tape from results back to leaves, consumers first, asking each recorded call for its gradients. Read autograd.ts
 * next.
 */
import { applyOne, fromArray, type OpSpec } from "./apply.js";
import { activeObserver, enableGrad, noGrad } from "./context.js";
import { runHooks } from "./hooks.js";
import type { TapeEdge, TapeLink, TapeNode } from "./tape.js";
import type { Tensor } from "./tensor.js";

const addSpec: OpSpec = { name: "add", lower: (b, [x, y]) => b.add(x!, y!) };

/** a + b, of one type. */
export const sum = (a: Tensor, b: Tensor): Tensor => applyOne(addSpec, [a, b], {});

/** All recorded calls behind links, consumers first. */
export function consumersFirst(starts: readonly TapeLink[]): TapeNode[] {
  const seen = new Set<TapeNode>();
  const stack = starts.map(({ node }) => node);
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const edge of node.edges) if (edge && "link" in edge) stack.push(edge.link.node);
  }
  return [...seen].sort((a, b) => b.sequence - a.sequence);
}

export interface WalkOptions {
  /** Keeps what gradients need for another walk. */
  readonly keep: boolean;
  /** Records the gradients' own computation. */
  readonly createGraph: boolean;
  /** The only tensors whose gradients are wanted; without it those of all leaves. */
  readonly only?: readonly Tensor[];
}

/** Where the wanted tensors are on the tape. */
class Targets {
  private readonly leaves: ReadonlySet<Tensor>;
  private readonly links = new Set<TapeLink>();
  private readonly leading = new Set<TapeNode>();

  constructor(only: readonly Tensor[], order: readonly TapeNode[]) {
    this.leaves = new Set(only.filter((x) => !x.tape));
    for (const x of only) if (x.tape) this.links.add(x.tape);
    for (const node of order.toReversed())
      if (node.edges.some((edge) => this.isNeeded(edge))) this.leading.add(node);
  }

  /** Whether an edge leads to something wanted. */
  isNeeded(edge: TapeEdge): boolean {
    if (!edge) return false;
    return "leaf" in edge
      ? this.leaves.has(edge.leaf)
      : this.links.has(edge.link) || this.leading.has(edge.link.node);
  }
}

/** One walk: the gradients on their way. */
class Walk {
  readonly leaves = new Map<Tensor, Tensor>();
  /** Gradients of tensors that were computed, by their place on the tape. */
  readonly inner = new Map<TapeLink, Tensor>();
  private readonly pending = new Map<TapeNode, (Tensor | null)[]>();

  receive(tensor: Tensor | null, link: TapeLink | null, more: Tensor): void {
    if (!link) {
      this.leaves.set(tensor!, this.add(this.leaves.get(tensor!), more));
      return;
    }
    const { node, index } = link;
    const slots = this.pending.get(node) ?? new Array<Tensor | null>(node.outputCount).fill(null);
    slots[index] = this.add(slots[index], more);
    this.pending.set(node, slots);
  }

  private add = (before: Tensor | null | undefined, more: Tensor): Tensor =>
    before ? sum(before, more) : more;

  /** The complete gradients of a call's outputs, after their hooks. */
  arrivals(node: TapeNode): readonly (Tensor | null)[] | null {
    const slots = this.pending.get(node);
    this.pending.delete(node);
    if (!slots || !node.hooks) return slots ?? null;
    return slots.map((g, index) => g && runHooks(node.hooks?.get(index), g));
  }
}

/** Gradients by tensor: asked for a leaf or for a tensor that was computed. */
export type Gradients = (x: Tensor) => Tensor | null;

/** Walks the tape from `roots` with their cotangents; `leaf` takes each leaf's complete gradient. */
export function walkTape(
  roots: readonly (readonly [root: Tensor, gradient: Tensor])[],
  options: WalkOptions,
  leaf?: (tensor: Tensor, gradient: Tensor) => void,
): Gradients {
  const walk = new Walk();
  const starts = roots.flatMap(([root]) => root.tape ?? []);
  const wanted = new Map<TapeNode, TapeLink[]>();
  for (const { tape } of options.only ?? [])
    if (tape) wanted.set(tape.node, [...(wanted.get(tape.node) ?? []), tape]);
  const run = () => {
    for (const [root, gradient] of roots) walk.receive(root, root.tape, gradient);
    const order = consumersFirst(starts);
    const targets = options.only && new Targets(options.only, order);
    for (const node of order) {
      const cotangents = walk.arrivals(node);
      if (!cotangents) continue;
      for (const link of wanted.get(node) ?? []) {
        const found = cotangents[link.index];
        if (found) walk.inner.set(link, found);
      }
      const needed = targets ? node.edges.map((edge) => targets.isNeeded(edge)) : null;
      if (!needed || needed.includes(true)) {
        const gradients = node.differentiate(cotangents, needed);
        activeObserver()?.differentiated?.(node, cotangents, gradients);
        for (const [input, more] of gradients) {
          const edge = node.edges[input]!;
          walk.receive("leaf" in edge ? edge.leaf : null, "link" in edge ? edge.link : null, more);
        }
      }
      if (!options.keep) node.release();
    }
    for (const [tensor, total] of walk.leaves) {
      const after = runHooks(tensor.hooks, total);
      walk.leaves.set(tensor, after);
      leaf?.(tensor, after);
    }
  };
  if (options.createGraph) enableGrad(run);
  else noGrad(run);
  return (x) => (x.tape ? walk.inner.get(x.tape) : walk.leaves.get(x)) ?? null;
}

export const copyOf = (x: Tensor): Tensor =>
  fromArray(x.storageFor("backward").data.slice(), x.shape, x.dtype);
