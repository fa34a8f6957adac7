/**
 * Finds the ```ts blocks in docstrings and Markdown, and says what each should print. A block is a whole program; one marked
 * "```ts ignore" is left alone. `console.log(x); // → text` says what that call prints (the last time, if it
 * runs often), `// ≈ text` the same with numbers rounded as shown; an ending "…" leaves the rest open.
 * runExamples.ts runs the programs, test/examples.test.ts holds both against each other.
 */

export interface Expectation {
  /** The line of the `console.log(`, counted in the source file. */
  readonly line: number;
  readonly text: string;
  readonly approximate: boolean;
}

export interface Example {
  readonly file: string;
  /** The first line of the code in the source file, counted from 1. */
  readonly line: number;
  /** The code below so many empty lines that its line numbers are those of the source file. */
  readonly code: string;
  readonly expectations: readonly Expectation[];
  /** What is wrong with the block itself. */
  readonly problems: readonly string[];
}

const opening = /^\s*(?:\* ?)?```ts(?<ignore>\s+ignore)?\s*$/;
const closing = /^\s*(?:\* ?)?```\s*$/;
const expectationPattern = /\/\/ (?<sign>[→≈]) ?(?<text>.+)$/;

function readExpectations(lines: readonly string[], first: number) {
  const expectations: Expectation[] = [];
  const problems: string[] = [];
  let call = -1;
  lines.forEach((code, i) => {
    if (code.includes("console.log(")) call = i;
    const match = expectationPattern.exec(code);
    if (!match?.groups) return;
    if (call < 0) {
      problems.push(`line ${first + i}: "// ${match.groups.sign}" belongs to no console.log`);
      return;
    }
    const approximate = match.groups.sign === "≈";
    expectations.push({ line: first + call, text: match.groups.text!.trim(), approximate });
    call = -1;
  });
  return { expectations, problems };
}

/** The examples of one file; `file` decides whether docstrings or Markdown are read. */
export function extractExamples(file: string, text: string): Example[] {
  const source = text.split("\n");
  const examples: Example[] = [];
  const strip = (line: string) => (file.endsWith(".md") ? line : line.replace(/^\s*\* ?/, ""));
  for (let i = 0; i < source.length; i++) {
    const open = opening.exec(source[i]!);
    if (!open) continue;
    const start = i + 1;
    const length = source.slice(start).findIndex((line) => closing.test(line));
    const end = length < 0 ? source.length : start + length;
    i = end;
    if (open.groups?.ignore) continue;
    const lines = source.slice(start, end).map(strip);
    const { expectations, problems } = readExpectations(lines, start + 1);
    if (length < 0) problems.push("the ```ts block does not end");
    const code = `${"\n".repeat(start)}${lines.join("\n")}\nexport {};\n`;
    examples.push({ file, line: start + 1, code, expectations, problems });
  }
  return examples;
}

const squeeze = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/([[({]) /g, "$1")
    .replace(/ ([\])}])/g, "$1")
    .trim();

const number = /-?\d+(?:\.(?<decimals>\d+))?(?:e[+-]?\d+)?/gi;

/** Rewrites the numbers of `text` with the decimals that `pattern`'s numbers have at the same place. */
function roundLike(text: string, pattern: string): string {
  const decimals = [...pattern.matchAll(number)].map(
    (match) => match.groups?.decimals?.length ?? 0,
  );
  let at = 0;
  return text.replace(number, (digits) => {
    const places = decimals[at++];
    return places === undefined ? digits : Number(digits).toFixed(places);
  });
}

/** Whether `printed` is what the expectation says. */
export function meets(expectation: Expectation, printed: string): boolean {
  const open = expectation.text.endsWith("…");
  const expected = squeeze(open ? expectation.text.slice(0, -1) : expectation.text);
  let actual = squeeze(printed);
  if (expectation.approximate) actual = roundLike(actual, expected);
  const wanted = expectation.approximate ? roundLike(expected, expected) : expected;
  return open ? actual.startsWith(wanted) : actual === wanted;
}
