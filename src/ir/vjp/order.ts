/** Gradient rules of primitives that read and write by index, and of scans. */
import type { Builder } from "../builder.js";
import type { Node } from "../graph.js";
import type { Rules } from "../vjp.js";
import { cumulativeProduct } from "./product.js";

/** Σ over all later elements of the line, this one included (the other way round for a reversed scan). */
const suffixSum = (b: Builder, x: Node, { dim, reverse }: { dim: number; reverse: boolean }) =>
  b.make("cumulativeSum", [x], { dim, reverse: !reverse });

export const scanRules: Pick<
  Rules,
  "cumulativeSum" | "cumulativeProduct" | "cumulativeArgMax" | "cumulativeArgMin" | "argSort"
> = {
  cumulativeSum: (b, { attributes }, g) => [suffixSum(b, g, attributes)],
  cumulativeProduct,
  cumulativeArgMax: null,
  cumulativeArgMin: null,
  argSort: null,
};

export const indexRules: Pick<
  Rules,
  "gather" | "scatterAdd" | "indexSelect" | "indexAdd" | "scatter" | "randomBits"
> = {
  randomBits: null,
  gather: (b, { inputs: [x, indices], attributes: { dim } }, g) => [
    b.make("scatterAdd", [g, indices!], { dim, size: x!.shape[dim]! }),
    null,
  ],
  scatterAdd: (b, { inputs: [, indices], attributes: { dim } }, g) => [
    b.make("gather", [g, indices!], { dim }),
    null,
  ],
  indexSelect: (b, { inputs: [x, indices], attributes: { dim } }, g) => [
    b.make("indexAdd", [g, indices!], { dim, size: x!.shape[dim]! }),
    null,
  ],
  indexAdd: (b, { inputs: [, indices], attributes: { dim } }, g) => [
    b.make("indexSelect", [g, indices!], { dim }),
    null,
  ],
  scatter: (b, { inputs: [, indices, updates], attributes }, g) => {
    // An update that a later one overwrote gets nothing: it is not the one found at its place.
    const { dim } = attributes;
    const order = b.iota(dim, updates!.shape);
    const nobody = b.constant(-1, "int32", g.shape);
    const owner = b.make("scatter", [nobody, indices!, order], attributes);
    const isOwner = b.equal(b.make("gather", [owner, indices!], { dim }), order);
    const taken = b.make("gather", [g, indices!], { dim });
    return [b.select(b.equal(owner, -1), g, 0), null, b.select(isOwner, taken, 0)];
  },
};
