/** For checks of values: a tensor's elements where they are known before the program runs. */
import type { TypedArray } from "../core/dtype.js";
import { activeTrace } from "../tensor/context.js";
import type { Tensor } from "../tensor/tensor.js";

/** The elements of a tensor, or null for a traced value and for what the trace has made an input of its program. */
export const knownValues = (x: Tensor): TypedArray | null =>
  x.source.kind === "traced" || activeTrace()?.hasCaptured(x) ? null : x.data;
