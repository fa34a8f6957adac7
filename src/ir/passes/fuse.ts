/**
 * Groups a materialized graph into kernels. Pointwise nodes over one index space share a kernel, with the reductions over the
 * values they make; everything else is a kernel of its own. Read plan.ts next.
 *
 * Each kernel has a depth, one more than the deepest kernel it reads. A node may join a kernel only if all else it reads is
 * less deep, so no join can make a cycle.
 */
import { formatShape, sameShape, sizeOf } from "../../core/shape.js";
import { type Graph, is, type Node, topologicalOrder } from "../graph.js";
import { classOf, type PrimitiveName } from "../primitives.js";
import { type Access, accessOf, hasMemory } from "./access.js";

export type ReduceNode = Node<"reduceSum" | "reduceProduct" | "reduceMax" | "reduceMin">;

/** A loop over an index space: pointwise members, some of them stored, and reductions of values seen. */
export interface FusedKernel {
  readonly kind: "fused";
  readonly shape: readonly number[];
  readonly members: Node[];
  readonly reductions: ReduceNode[];
  /** Members whose values are needed outside. */
  stored: Node[];
  depth: number;
}

/** One node that is a kernel by itself: a contraction, a window, an index, a move, random bits. */
export interface SingleKernel {
  readonly kind: "single";
  readonly node: Node;
  readonly depth: number;
}

export type Kernel = FusedKernel | SingleKernel;

const limits = { members: 96, reads: 40, reductions: 8 };

/** Small kernels of one op that read nothing in common are joined too, to save starting each by itself. */
const smallSize = 1024;

export const isReduce = (node: Node): node is ReduceNode =>
  classOf(node.primitive) === "reduce" && node.primitive.startsWith("reduce");

/** Whether a node runs inside a fused kernel. */
const isFusable = (node: Node): boolean =>
  classOf(node.primitive) === "pointwise" || isReduce(node);

const neverRuns = new Set<PrimitiveName>(["input", "constant", "iota"]);

class Fuser {
  readonly kernels: Kernel[] = [];
  private readonly kernelOf = new Map<Node, Kernel>();
  private readonly joinable = new Map<string, FusedKernel[]>();
  private readonly reads = new Map<FusedKernel, Set<Node>>();

  private depthOf = (node: Node): number => this.kernelOf.get(node)?.depth ?? 0;

  private needed(node: Node): Node[] {
    return node.inputs
      .map((x) => accessOf(x) as Access)
      .filter(hasMemory)
      .map((a) => a.base);
  }

  place(node: Node): void {
    if (isFusable(node)) this.placeFused(node);
    else this.placeSingle(node);
  }

  private placeSingle(node: Node): void {
    const depth = 1 + Math.max(0, ...this.needed(node).map(this.depthOf));
    const kernel: SingleKernel = { kind: "single", node, depth };
    this.kernels.push(kernel);
    this.kernelOf.set(node, kernel);
  }

  private placeFused(node: Node): void {
    const shape = isReduce(node) ? node.inputs[0]!.shape : node.shape;
    const kernel = this.findKernel(node, shape) ?? this.newKernel(node, shape);
    if (isReduce(node)) kernel.reductions.push(node);
    else kernel.members.push(node);
    const reads = this.reads.get(kernel)!;
    for (const base of this.needed(node)) if (this.kernelOf.get(base) !== kernel) reads.add(base);
    this.kernelOf.set(node, kernel);
  }

  private newKernel(node: Node, shape: readonly number[]): FusedKernel {
    const depth = 1 + Math.max(0, ...this.needed(node).map(this.depthOf));
    const kernel: FusedKernel = {
      kind: "fused",
      shape,
      members: [],
      reductions: [],
      stored: [],
      depth,
    };
    this.kernels.push(kernel);
    this.reads.set(kernel, new Set());
    const key = formatShape(shape);
    const others = this.joinable.get(key);
    if (others) others.push(kernel);
    else this.joinable.set(key, [kernel]);
    return kernel;
  }

  /** The deepest kernel over the same index space that the node may join. */
  private findKernel(node: Node, shape: readonly number[]): FusedKernel | undefined {
    const candidates = this.joinable.get(formatShape(shape)) ?? [];
    const producers = new Set(node.inputs.map((x) => this.kernelOf.get(x)));
    const needed = this.needed(node);
    let best: FusedKernel | undefined;
    for (const kernel of candidates) {
      const produces = producers.has(kernel);
      const isSibling = sizeOf(shape) <= smallSize && kernel.members[0]?.origin === node.origin;
      const wanted = produces || isSibling || this.sharesReads(kernel, needed);
      if (!wanted || (best && best.depth >= kernel.depth)) continue;
      if (this.mayJoin(kernel, node, needed)) best = kernel;
    }
    return best;
  }

  private sharesReads(kernel: FusedKernel, needed: readonly Node[]): boolean {
    const reads = this.reads.get(kernel)!;
    return needed.some((base) => reads.has(base));
  }

  private mayJoin(kernel: FusedKernel, node: Node, needed: readonly Node[]): boolean {
    // A value of this kernel can be used here only as it is, not by a view of it nor if it is a reduction.
    const isInside = (x: Node) => this.kernelOf.get(x) === kernel && !isReduce(x);
    const external = node.inputs
      .filter((x) => !isInside(x))
      .map((x) => accessOf(x) as Access)
      .filter(hasMemory);
    if (external.some(({ base }) => this.depthOf(base) >= kernel.depth)) return false;
    const reads = new Set(this.reads.get(kernel)!);
    for (const base of needed) if (!isInside(base)) reads.add(base);
    if (kernel.members.length >= limits.members || reads.size > limits.reads) return false;
    return !isReduce(node) || this.mayReduce(kernel, node);
  }

  private mayReduce(kernel: FusedKernel, node: ReduceNode): boolean {
    const [first] = kernel.reductions;
    if (kernel.reductions.length >= limits.reductions) return false;
    return !first || sameShape(first.attributes.dims, node.attributes.dims);
  }
}

/** The nodes that a kernel computes. */
export const nodesOf = (kernel: Kernel): readonly Node[] =>
  kernel.kind === "single" ? [kernel.node] : [...kernel.members, ...kernel.reductions];

/**
 * Moves kernels that feed one other kernel over the same space into that one: half of an update that was placed early because
 * all it reads was there early, say. What moves is read nowhere else, so it may run later.
 */
function sink(kernels: readonly Kernel[]): Kernel[] {
  const home = new Map<Node, Kernel>();
  for (const kernel of kernels) for (const node of nodesOf(kernel)) home.set(node, kernel);
  /** The kernels that read each kernel; null among them for a use by a view. */
  const readers = new Map<Kernel, Set<Kernel | null>>(kernels.map((kernel) => [kernel, new Set()]));
  for (const kernel of kernels)
    for (const x of nodesOf(kernel).flatMap((node) => node.inputs)) {
      const { base } = accessOf(x) as Access;
      const source = home.get(base);
      if (source && source !== kernel) readers.get(source)!.add(base === x ? kernel : null);
    }
  const gone = new Set<Kernel>();
  const deepestFirst = [...kernels].sort((a, b) => b.depth - a.depth);
  for (const kernel of deepestFirst) {
    const [reader, ...others] = readers.get(kernel)!;
    if (kernel.kind !== "fused" || kernel.reductions.length > 0 || others.length > 0) continue;
    if (reader?.kind !== "fused" || !sameShape(reader.shape, kernel.shape)) continue;
    if (reader.members.length + kernel.members.length > limits.members) continue;
    reader.members.unshift(...kernel.members);
    reader.members.sort((a, b) => a.id - b.id);
    for (const set of readers.values()) if (set.delete(kernel)) set.add(reader);
    gone.add(kernel);
  }
  return kernels.filter((kernel) => !gone.has(kernel));
}

/** Members that outputs or other kernels read, by a view or as they are. */
function findStored(kernels: readonly Kernel[], graph: Graph): void {
  const home = new Map<Node, Kernel>();
  for (const kernel of kernels) for (const node of nodesOf(kernel)) home.set(node, kernel);
  const outside = new Set<Node>(graph.outputs);
  for (const kernel of kernels)
    for (const x of nodesOf(kernel).flatMap((node) => node.inputs)) {
      const { base } = accessOf(x) as Access;
      if (home.get(base) !== kernel || base !== x) outside.add(base);
    }
  for (const kernel of kernels)
    if (kernel.kind === "fused") kernel.stored = kernel.members.filter((node) => outside.has(node));
}

/** Kernels in an order in which each comes after all that it reads, near the order of the graph. */
export function fuse(graph: Graph): Kernel[] {
  const fuser = new Fuser();
  for (const node of topologicalOrder(graph.outputs)) {
    if (neverRuns.has(node.primitive) || classOf(node.primitive) === "view") continue;
    fuser.place(node);
  }
  const kernels = sink(fuser.kernels);
  findStored(kernels, graph);
  return kernels.filter(isUseful);
}

/** A kernel over nothing computes nothing, unless it reduces to something: then it writes the empty sum. */
function isUseful(kernel: Kernel): boolean {
  if (kernel.kind === "fused")
    return sizeOf(kernel.shape) > 0 || kernel.reductions.some((node) => sizeOf(node.shape) > 0);
  return sizeOf(kernel.node.shape) > 0 || is(kernel.node, "scatterAdd");
}

/** The nodes that a kernel writes to memory. */
export const written = (kernel: Kernel): readonly Node[] =>
  kernel.kind === "single" ? [kernel.node] : [...kernel.stored, ...kernel.reductions];

/** The accesses that a kernel makes to memory that others wrote, and to index ramps. */
export function readAccesses(kernel: Kernel): Access[] {
  const nodes = nodesOf(kernel);
  const own = new Set(nodes);
  return nodes
    .flatMap((node) => node.inputs)
    .filter((x) => !own.has(x))
    .map((x) => accessOf(x) as Access)
    .filter(hasMemory);
}
