/** For ops whose result's shape depends on values: they run now or not at all. */
import type { TypedArray } from "../core/dtype.js";
import { TraceError } from "../core/errors.js";
import { checkTensors } from "../tensor/apply.js";
import { activeTrace } from "../tensor/context.js";
import type { Tensor } from "../tensor/tensor.js";

/** A tensor's values, for an op that cannot be part of a compiled program. */
export function valuesOf(op: string, x: Tensor): TypedArray {
  checkTensors(op, [x]);
  if (activeTrace() !== null)
    throw new TraceError(
      op,
      "the shape of its result depends on values, which a function has only when it runs; call it outside of " +
        "compile(), or keep the shape fixed with where() or a mask",
    );
  return x.storageFor(op).data;
}
