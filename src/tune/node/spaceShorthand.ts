/** Spaces as people write them in files, `{ logUniform: [1e-5, 1e-1] }`, turned into distributions. Read sweepFile.ts next. */
import { type Distribution, parseDistribution } from "../space/distribution.js";
import type { SpaceTree } from "../space/space.js";

/** What is wrong at a path below the space. */
export class ShorthandError extends Error {
  readonly path: readonly string[];
  constructor(path: readonly string[], message: string) {
    super(message);
    this.path = path;
  }
}

type Json = Readonly<Record<string, unknown>>;
type Expand = (values: readonly unknown[]) => unknown;

const numbers =
  (kind: string, ...names: readonly string[]): Expand =>
  (values) => ({ kind, ...Object.fromEntries(values.map((value, i) => [names[i] ?? i, value])) });

/** The numbers of each kind in their order. */
const kinds: Readonly<Record<Distribution["kind"], Expand>> = {
  uniform: numbers("uniform", "low", "high"),
  logUniform: numbers("logUniform", "low", "high"),
  integer: numbers("integer", "low", "high", "step"),
  logInteger: numbers("logInteger", "low", "high"),
  linearGrid: numbers("linearGrid", "low", "high", "count"),
  logGrid: numbers("logGrid", "low", "high", "count"),
  choice: (values) => ({ kind: "choice", values }),
};

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const kindOf = (node: Json): keyof typeof kinds | undefined => {
  const keys = Object.keys(node).filter((key) => key !== "when");
  return keys.length === 1 && Object.hasOwn(kinds, keys[0]!)
    ? (keys[0] as keyof typeof kinds)
    : undefined;
};

/**
 * Writes a space out.
 *
 * @throws ShorthandError with the place of what cannot be.
 */
export function expandSpace(node: unknown, path: readonly string[] = []): SpaceTree {
  if (!isObject(node))
    throw new ShorthandError(path, "expected distributions by the paths of settings");
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, expandNode(value, [...path, key])]),
  );
}

function expandNode(node: unknown, path: readonly string[]): SpaceTree[string] {
  if (Array.isArray(node)) return checked({ kind: "choice", values: node }, path);
  if (!isObject(node))
    throw new ShorthandError(
      path,
      `expected a distribution, such as { logUniform: [1e-5, 1e-1] } or a list of values; one value for all trials belongs under set`,
    );
  const kind = kindOf(node);
  const isWritten = typeof node.kind === "string";
  if (!kind && !isWritten) return expandSpace(node, path);
  const { when, ...rest } = node;
  const values = kind && node[kind];
  if (kind && !Array.isArray(values))
    throw new ShorthandError([...path, kind], "expected a list: the least value, the greatest …");
  const distribution = checked(kind ? kinds[kind](values as unknown[]) : rest, path);
  return when === undefined ? distribution : { ...distribution, when: conditions(when, path) };
}

function checked(value: unknown, path: readonly string[]): Distribution {
  try {
    return parseDistribution("", value);
  } catch (error) {
    throw new ShorthandError(path, (error as Error).message);
  }
}

/** `{ optim.name: sgd }`, or conditions as they are kept. */
function conditions(when: unknown, path: readonly string[]) {
  if (Array.isArray(when)) return when as { parameter: string; is: string[] }[];
  if (!isObject(when))
    throw new ShorthandError([...path, "when"], "expected another parameter and its value");
  return Object.entries(when).map(([parameter, is]) => ({
    parameter,
    is: (Array.isArray(is) ? is : [is]) as string[],
  }));
}
