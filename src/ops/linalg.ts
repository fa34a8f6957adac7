/** Products: matmul with all of PyTorch's broadcasting, and the linear map of layers. Read conv.ts next. */
import { resultType } from "../core/dtype.js";
import { DTypeError, ShapeError } from "../core/errors.js";
import { broadcastShapes, formatShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
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
