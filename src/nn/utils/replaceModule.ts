/** Another module in the place of one that a model holds, as a new head or a folded layer. */
import { ValueError } from "../../core/errors.js";
import { Module } from "../module.js";

/** Puts `by` where a field, an array or a map holds `old`; gives how often. */
function replaceIn(part: Module, old: Module, by: Module): number {
  const fields = part as unknown as Record<string, unknown>;
  let count = 0;
  for (const [key, value] of Object.entries(fields)) {
    if (value === old) {
      fields[key] = by;
      count++;
    } else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) {
        if (item !== old) continue;
        value[i] = by;
        count++;
      }
    } else if (value instanceof Map)
      for (const [name, item] of value) {
        if (item !== old) continue;
        value.set(name, by);
        count++;
      }
  }
  return count;
}

/**
 * Puts a module in another's place wherever a model holds it: in fields, arrays and containers, under the same name. Functions
 * that were compiled before go on with the old one.
 *
 * @throws ValueError where the model does not hold it.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU());
 * nn.utils.replaceModule(net, net.getSubmodule("1"), new nn.GELU());
 * console.log(net.getSubmodule("1") instanceof nn.GELU); // → true
 * ```
 */
export function replaceModule(model: Module, old: Module, by: Module): void {
  if (!(by instanceof Module)) throw new ValueError("replaceModule", "expected a module");
  let count = 0;
  for (const part of model.modules()) count += replaceIn(part, old, by);
  if (count === 0)
    throw new ValueError(
      "replaceModule",
      `${model.constructor.name} holds no such ${old.constructor.name} below it`,
    );
}
