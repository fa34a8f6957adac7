/** Indexing by tensors, for `at`: lists of places, one or several dims at once. Read parts.ts next. */
import { ShapeError } from "../core/errors.js";
import { broadcastShapes, formatShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { fromEnd } from "./byIndex.js";
import { indexNodes } from "./indexing.js";
import { nonzeroLists } from "./masked.js";

/** Indices for one dim. */
export interface DimIndices {
  readonly dim: number;
  readonly indices: Tensor;
}

const product = (list: readonly number[]): number => list.reduce((n, m) => n * m, 1);

/** The indices as a list, of which each is looked up once, so that one that is out of range is found and named. */
function checkedList(b: Builder, given: Node, size: number, shape: readonly number[]): Node {
  const indices = fromEnd(b, indexNodes(b, "at", given), size);
  const list = b.reshape(b.broadcastTo(indices, shape), [product(shape)]);
  return b.make("gather", [b.iota(0, [size]), list], { dim: 0 });
}

const spec: OpSpec<{ readonly dims: readonly number[] }> = {
  name: "at",
  lower(b, [x, ...lists], { dims }) {
    const shape = broadcastShapes("at", ...lists.map((list) => list.shape));
    const others = x!.shape.map((_, i) => i).filter((i) => !dims.includes(i));
    const sizes = dims.map((d) => x!.shape[d]!);
    const rest = others.map((d) => x!.shape[d]!);
    const flat = b.reshape(b.transpose(x!, [...dims, ...others]), [product(sizes), ...rest]);
    const place = lists.reduce<Node | null>((sum, list, i) => {
      const one = checkedList(b, list, sizes[i]!, shape);
      return sum ? b.add(b.multiply(sum, sizes[i]!), one) : one;
    }, null)!;
    const found = b.reshape(b.make("indexSelect", [flat, place], { dim: 0 }), [...shape, ...rest]);
    // As in NumPy: at the place of the indexed dims where they are neighbours, else in front.
    const isJoined = dims.every((d, i) => d === dims[0]! + i);
    if (!isJoined) return found;
    const before = others.filter((d) => d < dims[0]!).length;
    const ownDims = shape.map((_, i) => i);
    const otherDims = rest.map((_, i) => shape.length + i);
    return b.transpose(found, [
      ...otherDims.slice(0, before),
      ...ownDims,
      ...otherDims.slice(before),
    ]);
  },
};

/** x at the places that lists of indices for some dims name together. */
export function atIndices(x: Tensor, lists: readonly DimIndices[]): Tensor {
  const dims = lists.map(({ dim }) => dim);
  return applyOne(spec, [x, ...lists.map(({ indices }) => indices)], { dims });
}

/** A mask as lists of the places where it holds, for the dims from `dim` on. */
export function maskIndices(x: Tensor, dim: number, mask: Tensor): DimIndices[] {
  const fits = mask.ndim > 0 && mask.shape.every((n, i) => n === x.shape[dim + i]);
  if (!fits)
    throw new ShapeError(
      "at",
      `the mask ${formatShape(mask.shape)} does not fit ${formatShape(x.shape)} from dim ${dim} on`,
    );
  return nonzeroLists("at", mask).map((indices, i) => ({ dim: dim + i, indices }));
}
