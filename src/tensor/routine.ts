/**
 * A routine is a graph that can be called: eager ops, their gradients and the gradients of those are all routines.
 * When gradients will be wanted, a routine also gives out the inner values that its gradient cannot cheaply recompute
 * (residuals). Everything is built once and kept. Read apply.ts next.
 */

import type { Backend, Executable } from "../backend/contract.js";
import { isFloat } from "../core/dtype.js";
import { Builder } from "../ir/builder.js";
import { type Graph, type Node, topologicalOrder } from "../ir/graph.js";
import { dedupe } from "../ir/passes/dedupe.js";
import type { Aliases } from "../ir/passes/plan.js";
import { simplify } from "../ir/passes/simplify.js";
import { classOf } from "../ir/primitives.js";
import { vjp } from "../ir/vjp.js";

/** Where an input of a backward routine comes from. */
export interface BackwardSource {
  readonly kind: "input" | "output" | "cotangent";
  readonly index: number;
}

export interface Backward {
  readonly routine: Routine;
  readonly sources: readonly BackwardSource[];
  /** Output i of the routine is the gradient of this input of the forward routine. */
  readonly targets: readonly number[];
}

/** One choice of inputs that gradients are wanted for. */
export class Variant {
  readonly name: string;
  /** The outputs of the routine, then the residuals. */
  readonly graph: Graph;
  readonly outputCount: number;
  private readonly wanted: readonly boolean[];
  private readonly aliases: Aliases;
  private readonly executables = new Map<Backend, Executable>();
  private readonly backwards = new Map<string, Backward>();

  constructor(name: string, graph: Graph, wanted: readonly boolean[], aliases: Aliases) {
    this.name = name;
    this.wanted = wanted;
    this.aliases = aliases;
    this.outputCount = graph.outputs.length;
    const hasGrad = wanted.some((w) => w);
    const residuals = hasGrad
      ? findResiduals(
          graph,
          this.differentiate(graph, () => true),
        )
      : [];
    this.graph = { inputs: graph.inputs, outputs: [...graph.outputs, ...residuals] };
  }

  executable(backend: Backend): Executable {
    let executable = this.executables.get(backend);
    if (!executable) {
      executable = backend.prepare(this.graph, { aliases: this.aliases });
      this.executables.set(backend, executable);
    }
    return executable;
  }

  /** The gradient routine for cotangents of the outputs that `given` marks, with regard to inputs that `needed` marks. */
  backward(given: readonly boolean[], needed: readonly boolean[] = this.wanted): Backward {
    const isAll = needed === this.wanted || this.wanted.every((w, i) => w === needed[i]);
    const key = given.map(Number).join("") + (isAll ? "" : ` ${needed.map(Number).join("")}`);
    let backward = this.backwards.get(key);
    if (!backward) {
      backward = this.buildBackward(given, needed);
      this.backwards.set(key, backward);
    }
    return backward;
  }

  /** Cotangents of the wanted inputs as nodes on top of the graph, and the input nodes of given cotangents. */
  private differentiate(graph: Graph, given: (output: number) => boolean) {
    const b = new Builder(this.name);
    const cotangents = graph.outputs.map((node, i) =>
      isFloat(node.dtype) && given(i) ? b.input(i, node.shape, node.dtype) : null,
    );
    const wrt = graph.inputs.filter((_, i) => this.wanted[i]);
    return { gradients: vjp(b, graph.outputs, cotangents, wrt), cotangents };
  }

  private buildBackward(given: readonly boolean[], needed: readonly boolean[]): Backward {
    const { gradients, cotangents } = this.differentiate(this.graph, (i) => given[i]!);
    const wantedInputs = this.graph.inputs.flatMap((_, i) => (this.wanted[i] ? [i] : []));
    const isTarget = (input: number, i: number) => gradients[i] && needed[input];
    const targets = wantedInputs.filter(isTarget);
    const roots = gradients.filter((g, i): g is Node => !!g && needed[wantedInputs[i]!]!);
    const sourceOf = new Map<Node, BackwardSource>();
    const offer = (kind: BackwardSource["kind"], nodes: readonly (Node | null)[]) =>
      nodes.forEach((node, index) => {
        if (node && !sourceOf.has(node)) sourceOf.set(node, { kind, index });
      });
    offer("input", this.graph.inputs);
    offer("output", this.graph.outputs);
    offer("cotangent", cotangents);
    const { graph, used } = cut(roots, (node) => sourceOf.has(node), `${this.name}.backward`);
    return {
      routine: new Routine(`${this.name}.backward`, graph),
      sources: used.map((node) => sourceOf.get(node)!),
      targets,
    };
  }
}

/** A callable graph, with a variant for each choice of inputs that gradients are wanted for. */
export class Routine {
  readonly name: string;
  readonly graph: Graph;
  private readonly aliases: Aliases;
  private readonly variants = new Map<string, Variant>();

  constructor(name: string, graph: Graph, aliases: Aliases = []) {
    this.name = name;
    this.graph = dedupe(simplifyKeepingGradients(graph));
    this.aliases = aliases;
  }

  variant(wanted: readonly boolean[]): Variant {
    const key = wanted.includes(true) ? wanted.map(Number).join("") : "";
    let variant = this.variants.get(key);
    if (!variant) {
      variant = new Variant(this.name, this.graph, wanted, this.aliases);
      this.variants.set(key, variant);
    }
    return variant;
  }
}

/** Simplification drops stopGradient, which a graph that is still to be differentiated needs. */
const simplifyKeepingGradients = (graph: Graph): Graph =>
  topologicalOrder(graph.outputs).some((node) => node.primitive === "stopGradient")
    ? graph
    : simplify(graph);

/** Rebuilds what `roots` need on top of `isAvailable` nodes, each of which becomes an input. */
function cut(
  roots: readonly Node[],
  isAvailable: (node: Node) => boolean,
  origin: string,
): { graph: Graph; used: Node[] } {
  const b = new Builder(origin);
  const used: Node[] = [];
  const inputs: Node[] = [];
  const rebuilt = new Map<Node, Node>();
  for (const node of reachable(roots, isAvailable)) {
    if (isAvailable(node)) {
      const input = b.input(used.push(node) - 1, node.shape, node.dtype);
      inputs.push(input);
      rebuilt.set(node, input);
      continue;
    }
    b.origin = node.origin;
    const operands = node.inputs.map((x) => rebuilt.get(x)!);
    rebuilt.set(node, b.make(node.primitive, operands, node.attributes as never));
  }
  return { graph: { inputs, outputs: roots.map((node) => rebuilt.get(node)!) }, used };
}

/** What `roots` need, producers first, not looking behind nodes where `stop` holds. */
function reachable(roots: readonly Node[], stop: (node: Node) => boolean): Node[] {
  const seen = new Set<Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    if (!stop(node)) stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** Cheap to compute again from values at hand: no loops but pointwise ones. */
function isCheap(node: Node): boolean {
  const kind = classOf(node.primitive);
  return kind === "pointwise" || kind === "view" || kind === "source";
}

/**
 * Forward values that the gradient needs and that are neither inputs or outputs nor cheap to make again from
 * such: reductions, contractions, chosen indices, random bits.
 */
function findResiduals(
  graph: Graph,
  { gradients }: { gradients: readonly (Node | null)[] },
): Node[] {
  const forward = new Set(topologicalOrder(graph.outputs));
  const atHand = new Set<Node>([...graph.inputs, ...graph.outputs]);
  const roots = gradients.filter((g): g is Node => g !== null);
  const isResidual = (node: Node) => forward.has(node) && !atHand.has(node) && !isCheap(node);
  return reachable(roots, (node) => atHand.has(node) || isResidual(node)).filter(isResidual);
}
