/** Changing a tensor's values in place. */
import { ShapeError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { activeTrace } from "./context.js";
import { Tensor } from "./tensor.js";

declare module "./tensor.js" {
  interface Tensor {
    /**
     * Overwrites the values with those of `value` (PyTorch's `copy_`). Inside a compiled function this is how state outside
     * of it changes: when the run succeeds.
     *
     * @throws ShapeError unless shape and dtype are equal.
     * @example
     * ```ts
     * import { compile, tensor } from "gradus";
     * const count = tensor(0);
     * const tick = compile(() => count.assign(count.add(1)));
     * await tick();
     * await tick();
     * console.log(count.item()); // → 2
     * ```
     */
    assign(value: Tensor): void;
  }
}

Tensor.prototype.assign = function (value: Tensor): void {
  const trace = activeTrace();
  if (trace) {
    trace.assign(this, value);
    return;
  }
  if (!sameShape(this.shape, value.shape) || this.dtype !== value.dtype) {
    const [want, got] = [this, value].map((x) => x.dtype + formatShape(x.shape));
    throw new ShapeError("assign", `expected ${want}, got ${got}`);
  }
  const storage = this.storageFor("assign");
  storage.beforeWrite();
  storage.data.set(value.storageFor("assign").data);
  storage.version++;
};
