/** Ops that read where indices say. Read linalg.ts next. */
import { DTypeError, ShapeError } from "../core/errors.js";
import { formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";

/** Indices may be of any integer dtype; primitives take int32. */
export function indexNodes(b: Builder, op: string, indices: Node): Node {
  if (indices.dtype !== "int32" && indices.dtype !== "uint8")
    throw new DTypeError(op, `indices must be int32 or uint8, got ${indices.dtype}`);
  return b.convert(indices, "int32");
}

const gatherSpec: OpSpec<{ readonly dim: number }> = {
  name: "gather",
  lower(b, [x, indices], { dim }) {
    const limit = x!.shape.map((n, i) => (i === dim ? n : indices!.shape[i]!));
    const part = b.slice(
      x!,
      limit.map(() => 0),
      limit,
    );
    return b.make("gather", [part, indexNodes(b, "gather", indices!)], { dim });
  },
};

/**
 * out[i][j] = x[index[i][j]][j] for dim 0, and so on: one element of x along `dim` for each index.
 *
 * @throws ValueError if an index is out of range; ShapeError unless the indices fit x in every other dim.
 */
export function gather(x: Tensor, dim: number, indices: Tensor): Tensor {
  const place = normalizeDim("gather", dim, x.ndim);
  const fits =
    x.ndim === indices.ndim && indices.shape.every((n, i) => i === place || n <= x.shape[i]!);
  if (!fits)
    throw new ShapeError(
      "gather",
      `indices ${formatShape(indices.shape)} do not fit ${formatShape(x.shape)} at dim ${dim}`,
    );
  return applyOne(gatherSpec, [x, indices], { dim: place });
}

install({ gather });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** One element along `dim` for each index. */
    gather(dim: number, indices: Tensor): Tensor;
  }
}
