/**
 * Local simplifications: identities, constants, views of views. No rule changes a result by more than the sign of a zero.
 */
import { type Shape, sameShape, sizeOf, stridesOf } from "../../core/shape.js";
import type { Builder } from "../builder.js";
import { type Graph, is, type Node } from "../graph.js";
import { convertTo } from "../interpret/pointwise.js";
import { wrap } from "../interpret/strided.js";
import { type PointwiseName, type PointwisePrimitive, primitives } from "../primitives.js";
import { accessOf, hasMemory } from "./access.js";
import { rewrite } from "./rewrite.js";

const valueOf = (node: Node | undefined): number | undefined =>
  node && is(node, "constant") ? node.attributes.value : undefined;

/** A pointwise primitive on constants only is a constant, rounded as its dtype rounds. */
function foldConstants(b: Builder, node: Node<PointwiseName>): Node | null {
  const values = node.inputs.map(valueOf);
  if (values.some((v) => v === undefined)) return null;
  const row: PointwisePrimitive = primitives[node.primitive];
  const operand = node.inputs[0]!.dtype;
  const isInteger = operand === "int32" || operand === "uint8";
  const [x, y, z] = values as [number, number, number];
  const constant = (value: number) =>
    b.constant(node.dtype === "float32" ? Math.fround(value) : value, node.dtype, node.shape);
  if (node.primitive === "convert") {
    const held = operand === "float32" ? Math.fround(x) : x;
    return constant(convertTo(node.dtype, operand, held));
  }
  const raw =
    isInteger && row.evaluateInteger ? row.evaluateInteger(x, y) : row.evaluate(x, y ?? 0, z ?? 0);
  return constant(wrap(node.dtype, raw));
}

/** The value whose parts lie side by side in memory already, as one view of it: what is put together was cut before. */
function wholeOf(b: Builder, parts: readonly Node[], dim: number, shape: Shape): Node | null {
  const strides = stridesOf(shape);
  let base: Node | null = null;
  let from = 0;
  for (const part of parts) {
    const access = accessOf(part);
    if (!access || !hasMemory(access) || (base && access.base !== base)) return null;
    const inStep = part.shape.every((n, d) => n === 1 || access.strides[d] === strides[d]);
    if (!inStep || access.offset !== from * strides[dim]!) return null;
    base = access.base;
    from += part.shape[dim]!;
  }
  return base && sizeOf(base.shape) === sizeOf(shape) ? b.reshape(base, shape) : null;
}

function identities(b: Builder, node: Node): Node | null {
  const [x, y] = node.inputs as [Node, Node];
  switch (node.primitive) {
    case "stopGradient":
      return x;
    case "convert":
      return x.dtype === node.dtype ? x : null;
    case "add":
      return valueOf(y) === 0 ? x : valueOf(x) === 0 ? y : null;
    case "subtract":
      return valueOf(y) === 0 ? x : null;
    case "multiply":
      return valueOf(y) === 1 ? x : valueOf(x) === 1 ? y : null;
    case "divide":
      return valueOf(y) === 1 ? x : null;
    case "power":
      if (valueOf(y) === 1) return x;
      if (valueOf(y) === 2) return b.multiply(x, x);
      return null;
    case "negate":
      return is(x, "negate") ? x.inputs[0]! : null;
    case "select": {
      const condition = valueOf(x);
      return condition === undefined ? null : node.inputs[condition ? 1 : 2]!;
    }
    default:
      return null;
  }
}

function simplifyReshape(b: Builder, node: Node<"reshape">): Node {
  let x = node.inputs[0]!;
  while (is(x, "reshape")) x = x.inputs[0]!;
  if (sameShape(x.shape, node.shape)) return x;
  return x === node.inputs[0] ? node : b.reshape(x, node.shape);
}

/** A transpose that moves only dims of size 1 renames elements as a reshape does. */
function simplifyTranspose(b: Builder, node: Node<"transpose">): Node {
  const [x] = node.inputs as [Node];
  const { permutation } = node.attributes;
  const moving = permutation.filter((d) => x.shape[d] !== 1);
  if (moving.every((d, i) => i === 0 || d > moving[i - 1]!)) return b.reshape(x, node.shape);
  if (!is(x, "transpose")) return node;
  const first = x.attributes.permutation;
  return b.transpose(
    x.inputs[0]!,
    permutation.map((d) => first[d]!),
  );
}

function simplifyBroadcast(b: Builder, node: Node<"broadcastInDim">): Node {
  const [x] = node.inputs as [Node];
  if (sizeOf(x.shape) === sizeOf(node.shape)) return b.reshape(x, node.shape);
  if (!is(x, "broadcastInDim")) return node;
  const dims = x.attributes.dims.map((d) => node.attributes.dims[d]!);
  return b.make("broadcastInDim", x.inputs, { shape: node.shape, dims });
}

function views(b: Builder, node: Node): Node | null {
  const constant = valueOf(node.inputs[0]);
  if (constant !== undefined) return b.constant(constant, node.dtype, node.shape);
  if (is(node, "reshape")) return simplifyReshape(b, node);
  if (is(node, "transpose")) return simplifyTranspose(b, node);
  if (is(node, "broadcastInDim")) return simplifyBroadcast(b, node);
  return null;
}

function simplifyNode(b: Builder, node: Node): Node {
  const { class: kind } = primitives[node.primitive];
  if (kind === "view") return views(b, node) ?? node;
  if (kind === "pointwise")
    return identities(b, node) ?? foldConstants(b, node as Node<PointwiseName>) ?? node;
  if (is(node, "reduceSum") && node.attributes.dims.every((d) => node.inputs[0]!.shape[d] === 1))
    return b.reshape(node.inputs[0]!, node.shape);
  if (is(node, "concatenate"))
    return wholeOf(b, node.inputs, node.attributes.dim, node.shape) ?? node;
  return node;
}

export const simplify = (graph: Graph): Graph => rewrite(graph, simplifyNode);
