/**
 * Where the elements of a value are: views are not computed, they are walks over the memory of the value behind
 * them, an offset and a stride a dimension. An iota is a walk over a memory whose content is its own address.
 */
import { type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import { is, type Node } from "../graph.js";
import { classOf } from "../primitives.js";

/** Element (i₀, i₁, …) is at offset + Σ iₖ·strides[k] of `base`, which is no view. */
export interface Access {
  readonly base: Node;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** The strides of the same elements under another shape, or null where no strides give them. */
export function reshapeStrides(
  from: Shape,
  strides: readonly number[],
  to: Shape,
): number[] | null {
  if (sizeOf(from) === 0) return stridesOf(to);
  const dims = from.map((n, i) => [n, strides[i]!] as const).filter(([n]) => n !== 1);
  const result = new Array<number>(to.length).fill(0);
  let at = to.length - 1;
  // From the innermost out: each run of source dims that one stride walks must be split evenly by target dims.
  for (let i = dims.length - 1; i >= 0; ) {
    let [run, step] = dims[i]!;
    const inner = step;
    i--;
    while (i >= 0 && dims[i]![1] === step * dims[i + 1]![0]) {
      run *= dims[i]![0];
      step = dims[i]![1];
      i--;
    }
    let walked = 1;
    while (walked < run) {
      const n = to[at]!;
      result[at] = inner * walked;
      walked *= n;
      at--;
      if (run % walked !== 0) return null;
    }
  }
  return result;
}

function accessView(node: Node): Access | null {
  const source = accessOf(node.inputs[0]!);
  if (!source) return null;
  const { base, offset, strides } = source;
  if (is(node, "reshape")) {
    const walked = reshapeStrides(node.inputs[0]!.shape, strides, node.shape);
    return walked && { base, offset, strides: walked };
  }
  if (is(node, "transpose"))
    return { base, offset, strides: node.attributes.permutation.map((d) => strides[d]!) };
  if (is(node, "broadcastInDim")) {
    const { dims } = node.attributes;
    const steps = node.shape.map((_, i) => {
      const at = dims.indexOf(i);
      return at < 0 || node.inputs[0]!.shape[at] === 1 ? 0 : strides[at]!;
    });
    return { base, offset, strides: steps };
  }
  if (is(node, "slice")) {
    const { start, strides: by } = node.attributes;
    return {
      base,
      offset: offset + start.reduce((sum, n, i) => sum + n * strides[i]!, 0),
      strides: strides.map((s, i) => s * by[i]!),
    };
  }
  const { dims } = (node as Node<"reverse">).attributes;
  return {
    base,
    offset: offset + dims.reduce((sum, d) => sum + (node.shape[d]! - 1) * strides[d]!, 0),
    strides: strides.map((s, i) => (dims.includes(i) ? -s : s)),
  };
}

/** The walk that gives a value; null for a view that no strides can express. */
export function accessOf(node: Node): Access | null {
  if (is(node, "constant")) return { base: node, offset: 0, strides: node.shape.map(() => 0) };
  if (is(node, "iota"))
    return {
      base: node,
      offset: 0,
      strides: node.shape.map((_, i) => Number(i === node.attributes.dim)),
    };
  if (classOf(node.primitive) === "view") return accessView(node);
  return { base: node, offset: 0, strides: stridesOf(node.shape) };
}

export const hasMemory = ({ base }: Access): boolean =>
  base.primitive !== "constant" && base.primitive !== "iota";

/** Whether a walk visits consecutive elements in row-major order. */
export function isContiguous(shape: Shape, { strides }: Access): boolean {
  const packed = stridesOf(shape);
  return sizeOf(shape) === 0 || shape.every((n, i) => n === 1 || strides[i] === packed[i]);
}

/** The one stride that walks several dims of an access as one, in the given order; null if there is none. */
export function joinedStride(
  shape: Shape,
  strides: readonly number[],
  dims: readonly number[],
): number | null {
  const used = dims.filter((d) => shape[d] !== 1);
  if (used.length === 0) return 1;
  for (let i = 0; i + 1 < used.length; i++) {
    const [outer, inner] = [used[i]!, used[i + 1]!];
    if (strides[outer] !== strides[inner]! * shape[inner]!) return null;
  }
  return strides[used.at(-1)!]!;
}

/** A conversion to the dtype that the value has: how the passes spell a copy. */
export const isCopy = (node: Node): boolean =>
  node.primitive === "convert" && node.inputs[0]!.dtype === node.dtype;
