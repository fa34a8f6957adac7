/**
 * Orders kernels and gives every value its place: an external array for inputs and outputs, or a stretch of one
 * arena shared by lifetime. Read ../../backend/cpu/encode.ts next.
 */
import { bytesPerElement } from "../../core/dtype.js";
import { sizeOf } from "../../core/shape.js";
import type { Graph, Node } from "../graph.js";
import { classOf } from "../primitives.js";
import { type Access, accessOf, isContiguous, isCopy } from "./access.js";
import { type FusedKernel, fuse, type Kernel, readAccesses, written } from "./fuse.js";

export type Place =
  | { readonly kind: "external"; readonly slot: number }
  /** `offset` is in units of 64 bytes. */
  | { readonly kind: "arena"; readonly offset: number; readonly units: number };

export interface Plan {
  readonly kernels: readonly Kernel[];
  readonly places: ReadonlyMap<Node, Place>;
  /** The values behind the external slots: inputs, then outputs. */
  readonly externals: readonly Node[];
  readonly arenaUnits: number;
  /** Values to copy to external slots once everything else is done. */
  readonly copies: readonly (readonly [from: Node, slot: number])[];
}

export type Aliases = readonly (readonly [output: number, input: number])[];

const unit = 64;

/** A run can stop at these: at an index out of range, at a singular matrix. */
const mayFail = (kernel: Kernel): boolean =>
  kernel.kind === "single" && ["index", "linalg"].includes(classOf(kernel.node.primitive));

/** Whether a kernel folds or stores elements of `source` unchanged: they must outlive the first store. */
function keepsAsItIs(kernel: FusedKernel, source: Node): boolean {
  const members = new Set<Node>(kernel.members);
  const origin = (x: Node): Node => {
    if (!members.has(x)) return (accessOf(x) as Access).base;
    return isCopy(x) ? origin(x.inputs[0]!) : x;
  };
  const folded = kernel.reductions.map(({ inputs }) => inputs[0]!);
  return [...folded, ...kernel.stored.filter(isCopy)].some((x) => origin(x) === source);
}

/** Producers first; among kernels that are ready, the one whose last node is oldest. */
function order(kernels: readonly Kernel[]): Kernel[] {
  const home = new Map<Node, Kernel>();
  for (const kernel of kernels) for (const node of written(kernel)) home.set(node, kernel);
  const waits = new Map<Kernel, number>();
  const wakes = new Map<Kernel, Kernel[]>(kernels.map((kernel) => [kernel, []]));
  for (const kernel of kernels) {
    const sources = new Set(readAccesses(kernel).map(({ base }) => home.get(base)));
    sources.delete(undefined);
    sources.delete(kernel);
    waits.set(kernel, sources.size);
    for (const source of sources) wakes.get(source!)!.push(kernel);
  }
  const age = new Map(
    kernels.map((kernel) => [kernel, Math.max(...written(kernel).map(({ id }) => id))]),
  );
  const ready = kernels.filter((kernel) => waits.get(kernel) === 0);
  const result: Kernel[] = [];
  while (ready.length > 0) {
    let oldest = 0;
    for (let i = 1; i < ready.length; i++)
      if (age.get(ready[i]!)! < age.get(ready[oldest]!)!) oldest = i;
    const [kernel] = ready.splice(oldest, 1) as [Kernel];
    result.push(kernel);
    for (const next of wakes.get(kernel)!) {
      const left = waits.get(next)! - 1;
      waits.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return result;
}

/** First-fit memory in units, with free stretches kept sorted and joined. */
class Arena {
  size = 0;
  private free: { offset: number; units: number }[] = [];

  take(units: number): number {
    let best = -1;
    this.free.forEach((hole, i) => {
      if (hole.units >= units && (best < 0 || hole.units < this.free[best]!.units)) best = i;
    });
    if (best >= 0) {
      const hole = this.free[best]!;
      const { offset } = hole;
      hole.offset += units;
      hole.units -= units;
      if (hole.units === 0) this.free.splice(best, 1);
      return offset;
    }
    const last = this.free.at(-1);
    const offset = last && last.offset + last.units === this.size ? last.offset : this.size;
    if (offset !== this.size) this.free.pop();
    this.size = offset + units;
    return offset;
  }

  give(offset: number, units: number): void {
    if (units === 0) return;
    const at = this.free.findIndex((hole) => hole.offset > offset);
    this.free.splice(at < 0 ? this.free.length : at, 0, { offset, units });
    this.free = this.free.reduce<typeof this.free>((joined, hole) => {
      const last = joined.at(-1);
      if (last && last.offset + last.units === hole.offset) last.units += hole.units;
      else joined.push(hole);
      return joined;
    }, []);
  }
}

class Planner {
  readonly kernels: Kernel[];
  readonly places = new Map<Node, Place>();
  readonly copies: (readonly [Node, number])[] = [];
  readonly arena = new Arena();
  private readonly lastRead = new Map<Node, number>();
  private readonly madeAt = new Map<Node, number>();
  private readonly graph: Graph;

  constructor(graph: Graph, aliases: Aliases) {
    this.graph = graph;
    this.kernels = order(fuse(graph));
    this.kernels.forEach((kernel, i) => {
      for (const { base } of readAccesses(kernel)) this.lastRead.set(base, i);
      for (const node of written(kernel)) this.madeAt.set(node, i);
    });
    this.placeExternals(aliases);
    this.placeEmpty();
    this.kernels.forEach((kernel, i) => {
      this.placeWritten(kernel, i);
      this.release(kernel, i);
    });
  }

  private placeExternals(aliases: Aliases): void {
    const { inputs, outputs } = this.graph;
    inputs.forEach((node, slot) => this.places.set(node, { kind: "external", slot }));
    const sources = new Map(aliases.map(([output, input]) => [output, inputs[input] ?? null]));
    const lastFailure = this.kernels.findLastIndex(mayFail);
    outputs.forEach((node, i) => {
      const slot = inputs.length + i;
      const source = sources.get(i);
      if (source === undefined || this.mayOverwrite(node, source, lastFailure)) {
        this.places.set(node, { kind: "external", slot });
        return;
      }
      this.copies.push([node, slot]);
      this.lastRead.set(node, this.kernels.length);
    });
  }

  /** Values without elements that are read: the kernels that would make them were dropped. */
  private placeEmpty(): void {
    for (const kernel of this.kernels)
      for (const { base } of readAccesses(kernel))
        if (!this.places.has(base) && sizeOf(base.shape) === 0)
          this.places.set(base, { kind: "arena", offset: 0, units: 0 });
  }

  private mayOverwrite(node: Node, source: Node | null, lastFailure: number): boolean {
    const at = this.madeAt.get(node);
    if (at === undefined || at <= lastFailure) return false;
    if (!source) return true;
    const read = this.lastRead.get(source) ?? -1;
    if (read !== at) return read < at;
    return this.walksInStep(this.kernels[at]!, source, node);
  }

  /**
   * Whether a kernel reads `source` and writes `node` element by element at the same places, and nothing but its
   * pointwise operations reads `source`: a register that is stored or folded as it came in may lie in that very memory.
   */
  private walksInStep(kernel: Kernel, source: Node, node: Node): boolean {
    if (kernel.kind !== "fused" || !kernel.stored.includes(node)) return false;
    if (keepsAsItIs(kernel, source)) return false;
    return readAccesses(kernel)
      .filter(({ base }) => base === source)
      .every(
        (a) =>
          a.offset === 0 &&
          a.strides.length === kernel.shape.length &&
          isContiguous(kernel.shape, a),
      );
  }

  private unitsOf = (node: Node): number =>
    Math.ceil((sizeOf(node.shape) * bytesPerElement(node.dtype)) / unit);

  private placeWritten(kernel: Kernel, at: number): void {
    for (const node of written(kernel)) {
      if (this.places.has(node)) continue;
      const units = this.unitsOf(node);
      const inherited = this.inherit(kernel, node, at);
      const offset = inherited ?? this.arena.take(units);
      this.places.set(node, { kind: "arena", offset, units });
    }
  }

  private readonly inherited = new Set<Node>();

  /** The memory of an input that is read here for the last time, in step with the output. */
  private inherit(kernel: Kernel, node: Node, at: number): number | null {
    if (kernel.kind !== "fused") return null;
    for (const { base } of readAccesses(kernel)) {
      const place = this.places.get(base);
      const isFree =
        place?.kind === "arena" &&
        this.lastRead.get(base) === at &&
        !this.inherited.has(base) &&
        place.units === this.unitsOf(node) &&
        bytesPerElement(base.dtype) === bytesPerElement(node.dtype);
      if (!isFree || !this.walksInStep(kernel, base, node)) continue;
      this.inherited.add(base);
      return place.offset;
    }
    return null;
  }

  private release(kernel: Kernel, at: number): void {
    const dead = new Set(readAccesses(kernel).map(({ base }) => base));
    for (const node of written(kernel)) dead.add(node);
    for (const node of dead) {
      const place = this.places.get(node);
      const isLast = (this.lastRead.get(node) ?? -1) <= at;
      if (place?.kind === "arena" && isLast && !this.inherited.has(node))
        this.arena.give(place.offset, place.units);
    }
  }
}

/** Plans a materialized graph. `aliases` are outputs that overwrite inputs (see the backend contract). */
export function plan(graph: Graph, aliases: Aliases = []): Plan {
  const { kernels, places, copies, arena } = new Planner(graph, aliases);
  const externals = [...graph.inputs, ...graph.outputs];
  return { kernels, places, copies, externals, arenaUnits: arena.size };
}
