/** Checks of hyper-parameters that optimizers share. */
import { ValueError } from "../core/errors.js";

interface Bounds {
  readonly least?: number;
  /** The value must be below this. */
  readonly below?: number;
}

/** A finite number within bounds, or an error that names optimizer and option. */
export function checkNumber(
  op: string,
  name: string,
  value: unknown,
  { least = 0, below = Number.POSITIVE_INFINITY }: Bounds = {},
): number {
  if (typeof value !== "number" || !(value >= least && value < below)) {
    const range = below === Number.POSITIVE_INFINITY ? `≥ ${least}` : `in [${least}, ${below})`;
    throw new ValueError(op, `${name} must be a number ${range}, got ${String(value)}`);
  }
  return value;
}

/** Throws for an option that the optimizer does not have: a misspelt one must not be passed over. */
export function checkNames(op: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new ValueError(op, `unknown option "${name}", expected ${known.join(", ")}`);
}
