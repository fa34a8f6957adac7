/** The memory of concrete tensors: an ordinary typed array, owned by the garbage collector. */
import type { TypedArray } from "../core/dtype.js";
import { BackendError } from "../core/errors.js";
import { activeFrame } from "./context.js";

/** Several tensors may share one (a reshape does). `version` counts changes in place. */
export class Storage {
  version = 0;
  /** Compiled runs under way that will write here. */
  writers = 0;
  private readonly array: TypedArray;

  constructor(array: TypedArray) {
    this.array = array;
  }

  /** The array, for reading or for a run; throws while a compiled step is about to change it. */
  get data(): TypedArray {
    if (this.writers > 0)
      throw new BackendError(
        "tensor",
        "a compiled function that updates this tensor is still running; await its result first",
      );
    return this.array;
  }

  /** To be called before a change in place, so that a checkpoint that is running can undo it. */
  beforeWrite(): void {
    activeFrame()?.noteWrite(this);
  }
}
