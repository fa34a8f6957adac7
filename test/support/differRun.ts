/** Compares a run of a sample with the oracle's run of it. */
import type { Tensor } from "../../src/index.js";
import { differTensors } from "./compare.js";
import type { Result } from "./runCase.js";

/** Whether some result is float32, also where the inputs are float64. */
export const isNarrow = ({ outputs }: Result): boolean =>
  outputs.some(({ dtype }) => dtype === "float32");

const nonZero = (x: Tensor | null): string | null =>
  x?.data.some((v: number) => v !== 0) ? "is there on one side only" : null;

/** What differs, or null; no gradient and a gradient of zeros are the same. */
export function differRun(got: Result, oracle: Result): string | null {
  const narrow = isNarrow(oracle);
  for (const [i, expected] of oracle.outputs.entries()) {
    const difference = differTensors(got.outputs[i]!, expected, narrow);
    if (difference) return `output ${i} ${difference}`;
  }
  for (const [i, expected] of oracle.gradients.entries()) {
    const [a, b] = [got.gradients[i] ?? null, expected];
    const difference = a && b ? differTensors(a, b, narrow) : nonZero(a ?? b);
    if (difference) return `gradient ${i} ${difference}`;
  }
  return null;
}
