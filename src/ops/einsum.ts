/** Sums of products over labelled dims: one mechanism for einsum, tensordot and the named products. Read products.ts next. */
import { isFloat, resultType } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { checkList, formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, byName, checkTensors, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { promoteNodes } from "./pointwise.js";

/** A value whose dims have names. */
interface Labelled {
  readonly node: Node;
  readonly labels: readonly string[];
}

/** The places where two dims agree; they become one dim, the last. */
export function diagonalNodes(b: Builder, x: Node, first: number, second: number): Node {
  const n = Math.min(x.shape[first]!, x.shape[second]!);
  const others = x.shape.map((_, i) => i).filter((i) => i !== first && i !== second);
  const last = b.transpose(x, [...others, first, second]);
  const lead = last.shape.slice(0, -2);
  const none = last.shape.map(() => 0);
  const square = b.slice(last, none, [...lead, n, n]);
  const flat = b.reshape(square, [...lead, n * n]);
  if (n < 2) return flat;
  return b.slice(flat, none.slice(1), flat.shape, [...lead.map(() => 1), n + 1]);
}

function takeDiagonals(b: Builder, x: Labelled): Labelled {
  const second = x.labels.findIndex((label, i) => x.labels.indexOf(label) < i);
  if (second < 0) return x;
  const first = x.labels.indexOf(x.labels[second]!);
  const labels = x.labels.filter((_, i) => i !== first && i !== second);
  const node = diagonalNodes(b, x.node, first, second);
  return takeDiagonals(b, { node, labels: [...labels, x.labels[first]!] });
}

/** Drops the dims in which the value is stretched, and sums those that nobody needs. */
function reduceTo(
  b: Builder,
  x: Labelled,
  sizes: ReadonlyMap<string, number>,
  needed: ReadonlySet<string>,
) {
  const stretched = x.labels.map((l, i) => x.node.shape[i] === 1 && sizes.get(l) !== 1);
  const labels = x.labels.filter((_, i) => !stretched[i]);
  const node = b.reshape(
    x.node,
    x.node.shape.filter((_, i) => !stretched[i]),
  );
  const summed = labels.flatMap((label, i) => (needed.has(label) ? [] : [i]));
  return {
    node: b.reduce("reduceSum", node, summed),
    labels: labels.filter((label) => needed.has(label)),
  };
}

/** The value with its dims in the order of `labels`, size 1 where it has no such dim. */
function align(b: Builder, x: Labelled, labels: readonly string[]): Node {
  const own = labels.filter((label) => x.labels.includes(label));
  const ordered = b.transpose(
    x.node,
    own.map((label) => x.labels.indexOf(label)),
  );
  let next = 0;
  return b.reshape(
    ordered,
    labels.map((l) => (x.labels.includes(l) ? ordered.shape[next++]! : 1)),
  );
}

function multiplyPair(b: Builder, x: Labelled, y: Labelled, needed: ReadonlySet<string>): Labelled {
  const shared = x.labels.filter((label) => y.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const contracted = shared.filter((label) => !needed.has(label));
  const free = (z: Labelled) => z.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...free(x), ...free(y)];
  if (!isFloat(x.node.dtype) || contracted.length === 0) {
    const all = [...labels, ...contracted];
    const product = b.multiply(align(b, x, all), align(b, y, all));
    return {
      node: b.reduce(
        "reduceSum",
        product,
        contracted.map((_, i) => labels.length + i),
      ),
      labels,
    };
  }
  const dimsOf = (z: Labelled, list: readonly string[]) =>
    list.map((label) => z.labels.indexOf(label));
  const node = b.make("dotGeneral", [x.node, y.node], {
    lhsBatch: dimsOf(x, batch),
    rhsBatch: dimsOf(y, batch),
    lhsContract: dimsOf(x, contracted),
    rhsContract: dimsOf(y, contracted),
  });
  return { node, labels };
}

function sizesOf(op: string, operands: readonly Labelled[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { node, labels } of operands)
    labels.forEach((label, i) => {
      const [known, n] = [sizes.get(label) ?? 1, node.shape[i]!];
      if (n !== 1 && known !== 1 && n !== known)
        throw new ShapeError(
          op,
          `sizes differ: ${operands.map((x) => formatShape(x.node.shape)).join(" × ")} ` +
            `have ${known} and ${n} for one sum or batch`,
        );
      sizes.set(label, n === 1 ? known : n);
    });
  return sizes;
}

/** Σ of the product of all operands over the labels that are not in `output`. */
export function contractNodes(
  b: Builder,
  nodes: readonly Node[],
  labels: readonly (readonly string[])[],
  output: readonly string[],
): Node {
  const dtype = resultType(nodes);
  if (dtype === "bool") throw new DTypeError(b.origin, "needs numbers, got bool");
  const given = promoteNodes(b, nodes, dtype).map((node, i) => ({ node, labels: labels[i]! }));
  const sizes = sizesOf(b.origin, given);
  const operands = given.map((x) => takeDiagonals(b, x));
  const neededAfter = (i: number) =>
    new Set([...output, ...operands.slice(i + 1).flatMap((x) => x.labels)]);
  const needed = (i: number) =>
    new Set([...output, ...operands.flatMap((x, j) => (j === i ? [] : x.labels))]);
  const parts = operands.map((x, i) => reduceTo(b, x, sizes, needed(i)));
  const total = parts.slice(1).reduce<Labelled>(
    (product, x, i) => {
      return multiplyPair(b, product, x, neededAfter(i + 1));
    },
    reduceTo(b, parts[0]!, sizes, needed(0)),
  );
  const rest = reduceTo(b, total, sizes, new Set(output));
  return b.broadcastTo(
    align(b, rest, output),
    output.map((label) => sizes.get(label)!),
  );
}

type Contraction = {
  readonly labels: readonly (readonly string[])[];
  readonly output: readonly string[];
};

const contractionSpec = byName(
  (name): OpSpec<Contraction> => ({
    name,
    lower: (b, nodes, { labels, output }) => contractNodes(b, nodes, labels, output),
  }),
);

/** Runs a contraction under the name of an op; `equation` has one letter a dim, as "ij,jk->ik". */
export function contract(op: string, equation: string, tensors: readonly Tensor[]): Tensor {
  const [left, right] = equation.split("->") as [string, string];
  const labels = left.split(",").map((part) => [...part]);
  return applyOne(contractionSpec(op), tensors, { labels, output: [...right] });
}

/** The labels of one operand; an ellipsis stands for as many dims as are left, named "…1" for the last, "…2" before it. */
function operandLabels(equation: string, part: string, x: Tensor): string[] {
  const pieces = part.split("...");
  const named = pieces.join("");
  const rest = x.ndim - named.length;
  const fits = pieces.length === 1 ? rest === 0 : pieces.length === 2 && rest >= 0;
  if (!fits || !/^[a-zA-Z]*$/.test(named))
    throw new ValueError(
      "einsum",
      `"${part}" in "${equation}" does not name the dims of ${formatShape(x.shape)}`,
    );
  if (pieces.length === 1) return [...named];
  const dots = Array.from({ length: rest }, (_, i) => `…${rest - i}`);
  return [...pieces[0]!, ...dots, ...pieces[1]!];
}

function outputLabels(
  equation: string,
  right: string | undefined,
  labels: readonly string[][],
): string[] {
  const all = labels.flat();
  const dots = [...new Set(all.filter((label) => label.startsWith("…")))].sort(
    (a, b) => Number(b.slice(1)) - Number(a.slice(1)),
  );
  if (right === undefined) {
    const once = all.filter((label) => all.indexOf(label) === all.lastIndexOf(label));
    return [...dots, ...once.filter((label) => !label.startsWith("…")).sort()];
  }
  const pieces = right.split("...");
  const output = pieces.length === 1 ? [...right] : [...pieces[0]!, ...dots, ...pieces[1]!];
  const known = output.every((label) => all.includes(label));
  if (pieces.length > 2 || !known || new Set(output).size !== output.length)
    throw new ValueError(
      "einsum",
      `"${right}" in "${equation}" must name dims of the operands, each once`,
    );
  return output;
}

/**
 * Einstein's sum: a letter for each dim; dims with one letter are multiplied together, and those that are not in the result
 * summed. "..." stands for all other dims, which broadcast. Without "->" the result has the letters that occur once,
 * in alphabetical order.
 *
 * @throws ValueError if the equation does not fit the operands; ShapeError if sizes differ.
 * @example
 * ```ts
 * import { einsum, tensor } from "gradus";
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(einsum("ij,kj->ik", x, x).toArray()); // → [ [ 5, 11 ], [ 11, 25 ] ]
 * console.log(einsum("ii", x).item()); // → 5
 * ```
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  if (typeof equation !== "string")
    throw new ValueError("einsum", 'the equation must be a string, such as "ij,jk->ik"');
  checkTensors("einsum", operands);
  const [left, right, ...more] = equation.replaceAll(" ", "").split("->");
  const parts = left!.split(",");
  if (operands.length === 0 || parts.length !== operands.length || more.length > 0)
    throw new ValueError(
      "einsum",
      `"${equation}" is for ${parts.length} operand(s), got ${operands.length}`,
    );
  const labels = operands.map((x, i) => operandLabels(equation, parts[i]!, x));
  const output = outputLabels(equation, right, labels);
  return applyOne(contractionSpec("einsum"), operands, { labels, output });
}

/** How many last dims of x and first dims of y to sum over, or which of x and which of y. */
export type TensordotDims = number | readonly [readonly number[], readonly number[]];

/**
 * Σ over pairs of dims of the product of two tensors; the other dims of x, then of y, are the result's.
 *
 * @throws ShapeError if the sizes of a pair differ; ValueError if the dims are not in the tensors.
 * @example
 * ```ts
 * import { ones, tensordot } from "gradus";
 * console.log(tensordot(ones([2, 3, 4]), ones([3, 4, 5])).shape); // → [ 2, 5 ]
 * ```
 */
export function tensordot(x: Tensor, y: Tensor, dims: TensordotDims = 2): Tensor {
  checkTensors("tensordot", [x, y]);
  const isCount = typeof dims === "number";
  if (isCount && !(Number.isInteger(dims) && dims >= 0 && dims <= Math.min(x.ndim, y.ndim)))
    throw new ValueError(
      "tensordot",
      `dims must be from 0 to ${Math.min(x.ndim, y.ndim)} or two lists, got ${dims}`,
    );
  if (!isCount) for (const list of [dims, dims[0], dims[1]]) checkList("tensordot", "dims", list);
  const count = isCount ? dims : dims[0].length;
  const own = isCount ? Array.from({ length: count }, (_, i) => x.ndim - count + i) : dims[0];
  const others = isCount ? Array.from({ length: count }, (_, i) => i) : dims[1];
  const [left, right] = [
    own.map((d) => normalizeDim("tensordot", d, x.ndim)),
    others.map((d) => normalizeDim("tensordot", d, y.ndim)),
  ];
  const isPaired =
    left.length === right.length && left.every((d, i) => x.shape[d] === y.shape[right[i]!]);
  if (!isPaired || new Set(left).size !== count || new Set(right).size !== count)
    throw new ShapeError(
      "tensordot",
      `${formatShape(x.shape)} and ${formatShape(y.shape)} do not pair at ` +
        `${formatShape(own)} and ${formatShape(others)}`,
    );
  const nameX = (d: number) => `x${d}`;
  const labels = [
    x.shape.map((_, d) => nameX(d)),
    y.shape.map((_, d) => (right.includes(d) ? nameX(left[right.indexOf(d)]!) : `y${d}`)),
  ] as const;
  const output = [
    ...labels[0].filter((_, d) => !left.includes(d)),
    ...labels[1].filter((_, d) => !right.includes(d)),
  ];
  return applyOne(contractionSpec("tensordot"), [x, y], { labels, output });
}
