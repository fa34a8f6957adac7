/**
 * Parts of a model by name: patterns as freezing, loading and learning rates take them. Read freeze.ts for their use.
 */
import { ValueError } from "../../core/errors.js";
import { type Module, Parameter } from "../../nn/module.js";

/**
 * Which names are meant: a text in which `*` stands for any characters and `?` for one, and that also means all below a
 * module of that name (`layer1` means `layer1.0.weight` too); or a RegExp that is searched for in the name.
 */
export type NamePattern = string | RegExp;

/** One pattern or several, of which any may fit. */
export type NamePatterns = NamePattern | readonly NamePattern[];

export const patternList = (patterns: NamePatterns): readonly NamePattern[] =>
  typeof patterns === "string" || patterns instanceof RegExp ? [patterns] : patterns;

const glob = (text: string): RegExp => {
  const source = text
    .replace(/[\\^$.+()[\]{}|/-]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${source}$`, "s");
};

/** The name, and those of the modules that it lies in. */
function* enclosing(name: string): Generator<string> {
  yield name;
  for (let at = name.lastIndexOf("."); at > 0; at = name.lastIndexOf(".", at - 1))
    yield name.slice(0, at);
}

/** Tells whether a name fits a pattern. */
export function matcherOf(op: string, pattern: NamePattern): (name: string) => boolean {
  // `search` leaves `lastIndex` alone, so that a RegExp with the flag "g" means the same each time.
  if (pattern instanceof RegExp) return (name) => name.search(pattern) >= 0;
  if (typeof pattern !== "string" || pattern === "")
    throw new ValueError(op, `a pattern is a text or a RegExp, got ${JSON.stringify(pattern)}`);
  const expression = glob(pattern);
  return (name) => {
    for (const part of enclosing(name)) if (expression.test(part)) return true;
    return false;
  };
}

/** Tells whether a name fits any of the patterns. */
export function anyMatcher(op: string, patterns: NamePatterns): (name: string) => boolean {
  const matchers = patternList(patterns).map((pattern) => matcherOf(op, pattern));
  return (name) => matchers.some((matches) => matches(name));
}

export const showPattern = (pattern: NamePattern): string =>
  typeof pattern === "string" ? `"${pattern}"` : String(pattern);

const shownNames = 8;

/** Names for an error: the first few. */
export function showNames(names: readonly string[], most = shownNames): string {
  if (names.length === 0) return "none";
  const rest = names.length - most;
  return names.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Throws unless each pattern fits one of the names at least: a misspelt one must not pass for done. */
export function checkPatterns(
  op: string,
  patterns: NamePatterns,
  names: readonly string[],
): (name: string) => boolean {
  for (const pattern of patternList(patterns)) {
    const matches = matcherOf(op, pattern);
    if (!names.some(matches))
      throw new ValueError(
        op,
        `${showPattern(pattern)} fits no name of the model; it has ${showNames(names)}`,
      );
  }
  return anyMatcher(op, patterns);
}

/** Every parameter under each of its names: a shared one has several. */
export function* allParameterNames(model: Module): Generator<[name: string, x: Parameter]> {
  for (const [name, x] of model.stateDict()) if (x instanceof Parameter) yield [name, x];
}
