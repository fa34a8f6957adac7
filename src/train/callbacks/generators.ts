/** Random generators of one's own in checkpoints. Read callback.ts for the mechanism. */
import { ValueError } from "../../core/errors.js";
import type { Generator } from "../../tensor/random.js";
import { Field } from "../fields.js";
import type { Callback } from "./callback.js";

/**
 * Keeps the states of generators in checkpoints, as of those that transforms draw from: the default generator's is always kept, and
 * without the others a run that draws from them goes on with other numbers.
 *
 * @throws ValueError where there are none.
 * @example
 * ```ts
 * import { Generator } from "gradus";
 * import { keepGenerators } from "gradus/train";
 * import { MixUp } from "gradus/vision";
 * const generator = new Generator(1);
 * const mixUp = new MixUp({ alpha: 0.2, numClasses: 10, generator });
 * const callbacks = [keepGenerators({ generator })];
 * console.log(callbacks[0]?.name, mixUp.constructor.name); // → generators MixUp
 * ```
 */
export function keepGenerators(generators: Readonly<Record<string, Generator>>): Callback {
  const entries = Object.entries(generators);
  if (entries.length === 0) throw new ValueError("keepGenerators", "got no generators");
  return {
    name: "generators",
    stateDict: () => ({
      values: Object.fromEntries(entries.map(([name, own]) => [name, own.getState()])),
    }),
    loadStateDict({ values }) {
      const state = Field.parse(JSON.stringify(values), "the states of the generators");
      const states = entries.map(([name]) =>
        state
          .get(name)
          .list(4)
          .map((word) => word.whole(-(2 ** 31), 2 ** 31 - 1)),
      );
      for (const [i, [, own]] of entries.entries()) own.setState(states[i]!);
    },
  };
}
