/** Ops of a user's own, by their lowering to primitives. The library's own ops are declared in ../ops, with samples. */
import { ValueError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, type OpAttributes, type OpSpec } from "./apply.js";
import { Tensor } from "./tensor.js";

/** What {@link defineOp} is given: a name for messages, and how inputs become primitives. */
export interface UserOp<A extends OpAttributes, R extends Node | readonly Node[]> {
  readonly name: string;
  /** Builds the results from the inputs; depends on nothing but their shapes and dtypes and the attributes. */
  lower(b: Builder, inputs: readonly Node[], attributes: A): R;
}

/** A tensor where an op lowers to one value, a list where it lowers to several. */
export type OpResult<R extends Node | readonly Node[]> = R extends Node ? Tensor : Tensor[];

/**
 * Makes an op from its lowering to primitives. Eager and compiled execution, gradients of any order and all backends follow from
 * it, and neighbouring pointwise primitives run as one kernel. For a gradient other than that of the primitives see
 * {@link customFunction}.
 *
 * `(inputs, attributes) → Tensor`, or a list if the lowering gives several values. Programs are kept by attributes and input
 * types, so attributes are plain values.
 *
 * @throws ValueError if it is called with something else than tensors; what the lowering's primitives throw, under the op's name.
 * @example
 * ```ts
 * import { defineOp, tensor } from "gradus";
 * const bump = defineOp({
 *   name: "bump",
 *   lower: (b, [x]) => b.pointwise("exponential", b.negate(b.multiply(x!, x!))),
 * });
 * const x = tensor([0, 1], { requiresGrad: true });
 * bump([x]).sum().backward();
 * console.log(x.grad?.toArray()); // ≈ [ 0, -0.7358 ]
 * ```
 */
export function defineOp<
  A extends OpAttributes = OpAttributes,
  R extends Node | readonly Node[] = Node,
>(op: UserOp<A, R>): (inputs: readonly Tensor[], attributes?: A) => OpResult<R> {
  let givesList = false;
  const spec: OpSpec<A> = {
    name: op.name,
    lower(b, inputs, attributes) {
      const results = op.lower(b, inputs, attributes);
      givesList = Array.isArray(results);
      return results;
    },
  };
  return (inputs, attributes = {} as A) => {
    inputs.forEach((x, i) => {
      if (!(x instanceof Tensor))
        throw new ValueError(op.name, `input ${i} must be a tensor, got ${typeof x}`);
    });
    const outputs = apply(spec, inputs, attributes);
    return (givesList ? outputs : outputs[0]!) as OpResult<R>;
  };
}
