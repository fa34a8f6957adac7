/** Products: matmul with all of PyTorch's broadcasting, and the linear map of layers. Read conv.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError } from "../core/errors.js";
import { broadcastShapes, formatShape, type Shape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, install, type SampleSet, sample, typed } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { needFloat } from "./reduce.js";

function checkSameDType(op: string, nodes: readonly Node[]): void {
  const dtype = nodes[0]!.dtype;
  if (dtype === "bool" || nodes.some((x) => x.dtype !== dtype))
    throw new DTypeError(
      op,
      `needs tensors of one dtype other than bool, got ${nodes.map((x) => x.dtype).join(" and ")}; ` +
        "convert with to()",
    );
}

/** Whole numbers are multiplied and summed in their own dtype, so that they wrap and do not round. */
function wholeProduct(b: Builder, x: Node, y: Node): Node {
  const [rows, inner] = x.shape.slice(-2) as [number, number];
  const columns = y.shape.at(-1)!;
  const batch = broadcastShapes("matmul", x.shape.slice(0, -2), y.shape.slice(0, -2));
  const left = b.reshape(x, [...x.shape, 1]);
  const right = b.reshape(y, [...y.shape.slice(0, -2), 1, inner, columns]);
  const full = [...batch, rows, inner, columns];
  const products = b.multiply(b.broadcastTo(left, full), b.broadcastTo(right, full));
  return b.reduce("reduceSum", products, [batch.length + 1]);
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Both operands have at least two dims here. */
function batchedProduct(b: Builder, x: Node, y: Node): Node {
  const [rows, inner] = x.shape.slice(-2) as [number, number];
  const columns = y.shape.at(-1)!;
  if (!isFloat(x.dtype)) return wholeProduct(b, x, y);
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
    checkSameDType("matmul", nodes);
    const [x, y] = nodes as [Node, Node];
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
 * @throws ShapeError if the inner sizes differ; DTypeError unless both have one dtype, not bool.
 */
export function matmul(x: Tensor, y: Tensor): Tensor {
  checkTensors("matmul", [x, y]);
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
    checkSameDType("linear", nodes);
    needFloat("linear", nodes[0]!);
    const [x, weight, bias] = nodes as [Node, Node, Node?];
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
  checkTensors("linear", bias ? [x, weight, bias] : [x, weight]);
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
      ...(
        [
          [[3], [3]],
          [
            [2, 3],
            [3, 4],
          ],
          [
            [2, 1, 2, 3],
            [3, 3, 1],
          ],
          [
            [2, 0],
            [0, 2],
          ],
        ] as const
      ).map(([x, y]) =>
        sample([typed("int32", x, -9, 9), typed("int32", y, -9, 9)], matmul, "a @ b"),
      ),
      sample([typed("uint8", [3, 5], 0, 255), typed("uint8", [5, 2], 0, 255)], matmul, "a @ b"),
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
        () => matmul(zeros([2, 2]), zeros([2, 2], { dtype: "int32" })),
        /^matmul: needs tensors of one dtype other than bool, got float32 and int32; convert/,
      ),
      bad(
        () => matmul(zeros([2, 2], { dtype: "bool" }), zeros([2, 2], { dtype: "bool" })),
        /^matmul: needs tensors of one dtype other than bool, got bool and bool/,
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
