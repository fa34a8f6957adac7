/**
 * The header of a safetensors file: a JSON object from tensor names to element type, shape and
 * place. Read by a parser of exactly this grammar, because a general JSON parser keeps the last of
 * two equal keys, takes fractions and builds whatever a hostile header describes before anything
 * can be checked. Read safetensors.ts next.
 */
import { FormatError } from "../core/errors.js";
import { formatShape, maxElements } from "../core/shape.js";

/**
 * One tensor as the header describes it; `begin` and `end` count bytes from the end of the header.
 */
export interface HeaderEntry {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Throws the error of one file: `fail("what came; what was expected")`. */
export type Fail = (message: string) => never;

export const failWith =
  (op: string, source: string | undefined): Fail =>
  (message) => {
    throw new FormatError(op, source ? `${source}: ${message}` : message);
  };

const shown = 60;
/** Text from a file, shortened and made printable for a message. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > shown ? `${text.slice(0, shown)}…` : text);

class HeaderParser {
  readonly #text: string;
  readonly #fail: Fail;
  #at = 0;

  constructor(text: string, fail: Fail) {
    this.#text = text;
    this.#fail = fail;
  }

  parse(): Header {
    const entries: HeaderEntry[] = [];
    let metadata: ReadonlyMap<string, string> | undefined;
    this.#object("the header", (name) => {
      if (name === "__metadata__") metadata = this.#metadata();
      else entries.push(this.#entry(name));
    });
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#unexpected("nothing but spaces after the header's }");
    return { entries, metadata: metadata ?? new Map() };
  }

  #entry(name: string): HeaderEntry {
    const where = `tensor ${quote(name)}`;
    let type: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    this.#object(where, (key) => {
      if (key === "dtype") type = this.#string();
      else if (key === "shape") shape = this.#wholeNumbers();
      else if (key === "data_offsets") offsets = this.#wholeNumbers();
      else this.#fail(`${where} has the key ${quote(key)}; expected dtype, shape, data_offsets`);
    });
    if (type === undefined || !shape || !offsets) {
      const missing = type === undefined ? "dtype" : shape ? "data_offsets" : "shape";
      return this.#fail(`${where} has no ${missing}`);
    }
    const [begin, end] = offsets;
    if (begin === undefined || end === undefined || offsets.length !== 2)
      return this.#fail(`${where} has ${offsets.length} data_offsets; expected 2`);
    checkElementCount(where, shape, this.#fail);
    return { name, type, shape, begin, end };
  }

  #metadata(): Map<string, string> {
    const result = new Map<string, string>();
    this.#object("__metadata__", (key) => {
      result.set(key, this.#string());
    });
    return result;
  }

  #object(where: string, readValue: (key: string) => void): void {
    this.#expect("{");
    const seen = new Set<string>();
    if (this.#accept("}")) return;
    do {
      const key = this.#string();
      if (seen.has(key)) this.#fail(`${where} has the key ${quote(key)} twice`);
      seen.add(key);
      this.#expect(":");
      readValue(key);
    } while (this.#accept(","));
    this.#expect("}");
  }

  #wholeNumbers(): number[] {
    const result: number[] = [];
    this.#expect("[");
    if (this.#accept("]")) return result;
    do result.push(this.#wholeNumber());
    while (this.#accept(","));
    this.#expect("]");
    return result;
  }

  #wholeNumber(): number {
    this.#skipSpace();
    const start = this.#at;
    while (/[0-9.eE+-]/.test(this.#text[this.#at] ?? "")) this.#at++;
    const digits = this.#text.slice(start, this.#at);
    if (digits === "") this.#unexpected("a whole number");
    const value = Number(digits);
    if (!/^(0|[1-9][0-9]*)$/.test(digits) || !Number.isSafeInteger(value))
      this.#fail(`${quote(digits)} at byte ${start}; expected a whole number from 0 to 2^53 - 1`);
    return value;
  }

  #string(): string {
    this.#expect('"');
    const start = this.#at - 1;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) this.#unexpected('a closing "');
      this.#at++;
      if (character === '"') break;
      if (character === "\\") this.#at++;
    }
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      return this.#fail(`the string at character ${start} of the header is not valid JSON`);
    }
  }

  #skipSpace(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #accept(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#accept(character)) this.#unexpected(character);
  }

  #unexpected(expected: string): never {
    const came = this.#text[this.#at];
    const place = came === undefined ? "its end" : `${quote(came)} at character ${this.#at}`;
    return this.#fail(`the header is not valid: ${place}; expected ${expected}`);
  }
}

/** Refuses shapes over 2³¹ − 1 elements, also when a size of 0 hides the others. */
function checkElementCount(where: string, shape: readonly number[], fail: Fail): void {
  const size = shape.reduce((product, n) => product * Math.max(n, 1), 1);
  if (size > maxElements) fail(`${where} has shape ${formatShape(shape)}, over 2^31 - 1 elements`);
}

/** Parses the header's text and checks all of it that does not depend on the file's length. */
export const parseHeader = (text: string, fail: Fail): Header =>
  new HeaderParser(text, fail).parse();
