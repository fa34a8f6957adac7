/** Products: matmul with all of PyTorch's broadcasting, and the linear map of layers. Read conv.ts next. */
import { resultType } from "../core/dtype.js";
import { DTypeError, ShapeError } from "../core/errors.js";
import { broadcastShapes, formatShape, type Shape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, install, type SampleSet, sample, typed, unlike } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { promoteNodes } from "./pointwise.js";

function floatOperands(b: Builder, op: string, nodes: readonly Node[]): Node[] {
  const dtype = resultType(nodes);
  if (dtype !== "float32" && dtype !== "float64")
    throw new DTypeError(op, `needs float tensors, got ${nodes.map((x) => x.dtype).join(" and ")}`);
  return promoteNodes(b, nodes, dtype);
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Both operands have at least two dims here. */
function batchedProduct(b: Builder, x: Node, y: Node): Node {
  const [rows, inner] = x.shape.slice(-2) as [number, number];
  const columns = y.shape.at(-1)!;
  // A plain matrix on the right needs no copies for the batch: its rows are all the batch's rows.
  if (y.shape.length === 2)
    return b.make("dotGeneral", [x, y], {
      lhsBatch: [],
      rhsBatch: [],
      lhsContract: [x.shape.length - 1],
      rhsContract: [0],
    });
  const batch = broadcastShapes("matmul", x.shape.slice(0, -2), y.shape.slice(0, -2));
  const dims = range(batch.length);
  return b.make(
    "dotGeneral",
    [b.broadcastTo(x, [...batch, rows, inner]), b.broadcastTo(y, [...batch, inner, columns])],
    {
      lhsBatch: dims,
      rhsBatch: dims,
      lhsContract: [batch.length + 1],
      rhsContract: [batch.length],
    },
  );
}

const matmulSpec: OpSpec = {
  name: "matmul",
  lower(b, nodes) {
    const [x, y] = floatOperands(b, "matmul", nodes) as [Node, Node];
    const left = x.shape.length === 1 ? b.reshape(x, [1, ...x.shape]) : x;
    const right = y.shape.length === 1 ? b.reshape(y, [...y.shape, 1]) : y;
    const product = batchedProduct(b, left, right);
    const shape = [...product.shape];
    if (y.shape.length === 1) shape.pop();
    if (x.shape.length === 1) shape.splice(y.shape.length === 1 ? -1 : -2, 1);
    return b.reshape(product, shape);
  },
};

/**
 * Matrix product. Vectors count as a row on the left and a column on the right; dims before the last two are a
 * batch and broadcast: [2, 3] × [3, 4] → [2, 4]; [5, 2, 3] × [3, 4] → [5, 2, 4].
 *
 * @throws ShapeError if the inner sizes differ.
 */
export function matmul(x: Tensor, y: Tensor): Tensor {
  if (x.ndim === 0 || y.ndim === 0)
    throw new ShapeError(
      "matmul",
      `needs tensors with dims, got ${formatShape(x.shape)} × ${formatShape(y.shape)}; use mul()`,
    );
  const inner = y.ndim === 1 ? y.shape[0] : y.shape.at(-2);
  if (x.shape.at(-1) !== inner) {
    const isTransposed = y.ndim === 2 && x.shape.at(-1) === y.shape[1];
    throw new ShapeError(
      "matmul",
      `inner sizes differ: ${formatShape(x.shape)} × ${formatShape(y.shape)}` +
        (isTransposed ? "; transpose the second?" : ""),
    );
  }
  return applyOne(matmulSpec, [x, y], {});
}

const linearSpec: OpSpec = {
  name: "linear",
  lower(b, nodes) {
    const [x, weight, bias] = floatOperands(b, "linear", nodes) as [Node, Node, Node?];
    const product = b.make("dotGeneral", [x, weight], {
      lhsBatch: [],
      rhsBatch: [],
      lhsContract: [x.shape.length - 1],
      rhsContract: [1],
    });
    return bias ? b.add(product, bias) : product;
  },
};

/**
 * y = x·Wᵀ + b. x: [*, in], weight: [out, in], bias: [out] → [*, out].
 *
 * @throws ShapeError if the sizes do not fit.
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  if (weight.ndim !== 2 || x.ndim === 0 || x.shape.at(-1) !== weight.shape[1])
    throw new ShapeError(
      "linear",
      `input ${formatShape(x.shape)} does not fit weight ${formatShape(weight.shape)}: ` +
        `expected last size ${weight.shape[1]}`,
    );
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== weight.shape[0]))
    throw new ShapeError(
      "linear",
      `bias ${formatShape(bias.shape)} does not fit weight ${formatShape(weight.shape)}`,
    );
  return applyOne(linearSpec, bias ? [x, weight, bias] : [x, weight], {});
}

install({ matmul });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Matrix product, with PyTorch's broadcasting. */
    matmul(y: Tensor): Tensor;
  }
}

const productShapes: readonly (readonly [Shape, Shape])[] = [
  ...([
    [
      [2, 3],
      [3, 4],
    ],
    [
      [1, 1],
      [1, 1],
    ],
    [
      [17, 5],
      [5, 9],
    ],
  ] as const),
  ...([
    [[3], [3]],
    [[3], [3, 2]],
    [[2, 3], [3]],
  ] as const),
  ...([
    [
      [5, 2, 3],
      [3, 4],
    ],
    [
      [2, 3],
      [5, 3, 4],
    ],
    [
      [5, 2, 3],
      [5, 3, 4],
    ],
  ] as const),
  ...([
    [
      [2, 1, 2, 3],
      [3, 3, 1],
    ],
    [[2, 2, 3], [3]],
    [[3], [2, 3, 2]],
  ] as const),
  ...([
    [
      [0, 3],
      [3, 2],
    ],
    [
      [2, 0],
      [0, 3],
    ],
    [
      [0, 2, 3],
      [3, 4],
    ],
  ] as const),
];

export const linalgSamples: SampleSet = () => [
  {
    op: "matmul",
    samples: [
      ...productShapes.map(([x, y]) => sample([input(x), input(y)], matmul, "a @ b")),
      sample([input([3, 2]), input([4, 3])], (a, b) => a.t().matmul(b.t()), "a.t() @ b.t()"),
      sample(
        [input([3, 2, 4]), input([3, 4, 2])],
        (a, b) => a.matmul(b.permute([0, 1, 2])),
        "a @ b",
      ),
      sample(
        [input([2, 3, 4]), input([2, 5, 4])],
        (a, b) => a.transpose(1, 2).transpose(1, 2).matmul(b.transpose(1, 2)),
        "a @ b.transpose(1, 2)",
      ),
      sample(
        [input([4, 2, 3]), input([3, 4, 2])],
        (a, b) => a.permute([1, 0, 2]).matmul(b.permute([2, 0, 1])),
        "a.permute(1, 0, 2) @ b.permute(2, 0, 1)",
      ),
      sample(
        [input([6, 4]), input([4, 3])],
        (a, b) => a.at("::2", "::2").matmul(b.at("::2")),
        "a[::2, ::2] @ b[::2]",
      ),
      sample(
        [input([2, 3]), input([3, 2])],
        (a, b) => a.flip(1).matmul(b.flip(0)),
        "a.flip(1) @ b.flip(0)",
      ),
      sample(
        [input([1, 3]), input([3, 2])],
        (a, b) => a.expand([4, 3]).matmul(b),
        "a.expand(4, 3) @ b",
      ),
      sample([input([3, 3])], (a) => a.matmul(a), "a @ a"),
      unlike(
        [input([2, 2]), typed("float64", [2, 2], -2, 2)],
        (a, b) => a.matmul(b),
        "PyTorch refuses to promote here",
      ),
    ],
    bad: [
      bad(
        () => matmul(zeros([2, 3]), zeros([4, 3])),
        /^matmul: inner sizes differ: \[2, 3\] × \[4, 3\]; transpose the second\?/,
      ),
      bad(() => matmul(zeros([2, 3]), zeros([2])), /^matmul: inner sizes differ: \[2, 3\] × \[2\]/),
      bad(
        () => matmul(zeros([]), zeros([2])),
        /^matmul: needs tensors with dims, got \[\] × \[2\]; use mul/,
      ),
      bad(
        () => matmul(zeros([2, 2], { dtype: "int32" }), zeros([2, 2], { dtype: "int32" })),
        /^matmul: needs float tensors, got int32 and int32/,
      ),
      bad(
        () => matmul(zeros([2, 1, 2]), zeros([3, 2, 1])),
        /^matmul: shapes \[2\] and \[3\] do not broadcast/,
      ),
    ],
  },
  {
    op: "linear",
    samples: [
      sample([input([2, 3]), input([4, 3]), input([4])], linear, "F.linear(a, b, c)"),
      sample([input([2, 3]), input([4, 3])], (a, b) => linear(a, b), "F.linear(a, b)"),
      sample([input([3]), input([4, 3]), input([4])], linear, "F.linear(a, b, c)"),
      sample([input([2, 2, 3]), input([4, 3]), input([4])], linear, "F.linear(a, b, c)"),
      sample(
        [input([3, 5]), input([3, 4])],
        (a, b) => linear(a.t(), b.t()),
        "F.linear(a.t(), b.t())",
      ),
      sample([input([0, 3]), input([4, 3]), input([4])], linear, "F.linear(a, b, c)"),
      sample([input([33, 20]), input([18, 20]), input([18])], linear, "F.linear(a, b, c)"),
    ],
    bad: [
      bad(
        () => linear(zeros([2, 3]), zeros([4, 2])),
        /^linear: input \[2, 3\] does not fit weight \[4, 2\]: expected last size 2/,
      ),
      bad(
        () => linear(zeros([2, 3]), zeros([4, 3]), zeros([3])),
        /^linear: bias \[3\] does not fit weight \[4, 3\]/,
      ),
    ],
  },
];
