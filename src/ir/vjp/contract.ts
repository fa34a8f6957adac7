/** Gradient rules of the primitives that multiply and sum. Each is linear in either operand. */
import type { Builder } from "../builder.js";
import type { Node } from "../graph.js";
import { freeDims } from "../primitives/contract.js";
import type { Rules } from "../vjp.js";

interface Side {
  readonly batch: readonly number[];
  readonly contract: readonly number[];
  readonly free: readonly number[];
}

/**
 * The cotangent of one operand: g contracted with the other operand over the other's free dims, its dims
 * then put back in the operand's order.
 */
function dotSide(
  b: Builder,
  g: Node,
  other: Node,
  own: Side,
  others: Side,
  ownFirst: boolean,
): Node {
  const batches = own.batch.map((_, i) => i);
  const skip = batches.length + (ownFirst ? own.free.length : 0);
  const product = b.make("dotGeneral", [g, other], {
    lhsBatch: batches,
    rhsBatch: others.batch,
    lhsContract: others.free.map((_, i) => skip + i),
    rhsContract: others.free,
  });
  // product's dims: batch, own free, then the other's contracted dims in rising order.
  const contracted = [...others.contract].sort((x, y) => x - y);
  const places = [
    ...own.batch,
    ...own.free,
    ...contracted.map((d) => own.contract[others.contract.indexOf(d)]!),
  ];
  return b.transpose(
    product,
    places.map((_, d) => places.indexOf(d)),
  );
}

export const contractRules: Pick<
  Rules,
  "dotGeneral" | "convolution" | "convolutionInputGrad" | "convolutionWeightGrad"
> = {
  dotGeneral: (b, { inputs: [x, y], attributes: a }, g) => {
    const left: Side = {
      batch: a.lhsBatch,
      contract: a.lhsContract,
      free: freeDims(x!.shape, a.lhsBatch, a.lhsContract),
    };
    const right: Side = {
      batch: a.rhsBatch,
      contract: a.rhsContract,
      free: freeDims(y!.shape, a.rhsBatch, a.rhsContract),
    };
    return [dotSide(b, g, y!, left, right, true), dotSide(b, g, x!, right, left, false)];
  },
  convolution: (b, { inputs: [x, w], attributes }, g) => [
    b.make("convolutionInputGrad", [g, w!], { ...attributes, inputSizes: x!.shape.slice(2) }),
    b.make("convolutionWeightGrad", [x!, g], { ...attributes, kernelSizes: w!.shape.slice(2) }),
  ],
  convolutionInputGrad: (b, { inputs: [y, w], attributes }, g) => {
    const { inputSizes: _, ...window } = attributes;
    return [
      b.make("convolution", [g, w!], window),
      b.make("convolutionWeightGrad", [g, y!], { ...window, kernelSizes: w!.shape.slice(2) }),
    ];
  },
  convolutionWeightGrad: (b, { inputs: [x, y], attributes }, g) => {
    const { kernelSizes: _, ...window } = attributes;
    return [
      b.make("convolutionInputGrad", [y!, g], { ...window, inputSizes: x!.shape.slice(2) }),
      b.make("convolution", [x!, g], window),
    ];
  },
};

/** Summing windows is linear, and its two directions are each other's transposes. */
export const windowRules: Pick<Rules, "windowArgMax" | "windowSum" | "windowSumGrad"> = {
  windowArgMax: null,
  windowSum: (b, { inputs: [x], attributes }, g) => [
    b.make("windowSumGrad", [g], { ...attributes, inputSizes: x!.shape.slice(1) }),
  ],
  windowSumGrad: (b, { attributes: { inputSizes: _, ...window } }, g) => [
    b.make("windowSum", [g], window),
  ],
};
