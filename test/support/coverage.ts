/** Which gradients of a sample the table compares. scripts/opsTable.ts tells of it in docs/ops.md. */
import { allFinite } from "./compare.js";
import { isNarrow } from "./differRun.js";
import type { Result } from "./runCase.js";
import type { Case } from "./samples.js";

/** Whether differences tell a gradient: no kink, no tie, no value that is not finite. */
export const isSmooth = ({ sample }: Case, { outputs }: Result): boolean =>
  sample.smooth !== false && outputs.every(allFinite);

const hasFloats = ({ inputs }: Case): boolean =>
  inputs.some(({ dtype }) => dtype.startsWith("float"));

export const hasFirst = (one: Case): boolean => one.op.noGradient === undefined && hasFloats(one);

export const hasSecond = (one: Case, precise: Result): boolean =>
  hasFirst(one) &&
  one.op.noSecondGradient === undefined &&
  isSmooth(one, precise) &&
  !isNarrow(precise);
