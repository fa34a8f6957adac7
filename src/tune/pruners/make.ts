/** Pruners by name, as files and the command line name them. */
import { makeNamed } from "../options.js";
import { NoPruner, type Pruner } from "./pruner.js";

const makers = {
  none: () => new NoPruner(),
};

export const prunerNames = Object.keys(makers) as readonly (keyof typeof makers)[];

/**
 * A pruner from its settings, JSON that may come from a file.
 *
 * @throws ValueError naming what is wrong with them.
 * @example
 * ```ts
 * import { makePruner } from "gradus/tune";
 * console.log(makePruner({ kind: "none" }).settings); // → { kind: 'none' }
 * ```
 */
export const makePruner = (settings: unknown): Pruner =>
  makeNamed<Pruner>("pruner", makers, settings);
