/** Ops that read where indices say. Read linalg.ts next. */
import { DTypeError, ShapeError } from "../core/errors.js";
import { formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, given, input, install, type SampleSet, sample, typed } from "../tensor/defineOp.js";
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
  checkTensors("gather", [x, indices]);
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

export const indexingSamples: SampleSet = () => [
  {
    op: "gather",
    samples: [
      sample(
        [input([3, 4]), typed("int32", [2, 4], 0, 2)],
        (a, i) => a.gather(0, i),
        "a.gather(0, b)",
      ),
      sample(
        [input([3, 4]), typed("int32", [3, 6], 0, 3)],
        (a, i) => a.gather(-1, i),
        "a.gather(-1, b)",
      ),
      sample(
        [input([3, 4]), typed("int32", [2, 2], 0, 3)],
        (a, i) => a.gather(1, i),
        "a.gather(1, b)",
      ),
      sample(
        [input([4, 3]), typed("int32", [2, 3], 0, 3)],
        (a, i) => a.t().gather(1, i.t()),
        "a.t().gather(1, b.t())",
      ),
      sample(
        [input([5]), given([4], [1, 1, 1, 4], "int32")],
        (a, i) => a.gather(0, i),
        "a.gather(0, b)",
      ),
      sample([input([5]), typed("int32", [0])], (a, i) => a.gather(0, i), "a.gather(0, b)"),
      sample(
        [input([5]), typed("uint8", [3], 0, 4)],
        (a, i) => a.gather(0, i),
        "a.gather(0, b.long())",
      ),
      sample(
        [typed("int32", [5]), typed("int32", [3], 0, 4)],
        (a, i) => a.gather(0, i),
        "a.gather(0, b)",
      ),
      sample(
        [input([2, 3, 4]), typed("int32", [2, 2, 4], 0, 2)],
        (a, i) => a.gather(1, i),
        "a.gather(1, b)",
      ),
      sample([input([1]), given([1], [0], "int32")], (a, i) => a.gather(0, i), "a.gather(0, b)"),
    ],
    bad: [
      bad(
        () => zeros([3]).gather(0, zeros([2])),
        /^gather: indices must be int32 or uint8, got float32/,
      ),
      bad(
        () => zeros([2, 3]).gather(0, zeros([1, 4], { dtype: "int32" })),
        /^gather: indices \[1, 4\] do not fit \[2, 3\] at dim 0/,
      ),
      bad(
        () => zeros([2]).gather(1, zeros([1], { dtype: "int32" })),
        /^gather: dim 1 is out of range/,
      ),
    ],
  },
];
