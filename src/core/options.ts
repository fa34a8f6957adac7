/** Options objects whose names are checked: JavaScript would pass over a misspelt one. */
import { ValueError } from "./errors.js";

/** Throws for an option that does not exist. */
export function checkNames(op: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new ValueError(op, `unknown option "${name}", expected ${known.join(", ")}`);
}
