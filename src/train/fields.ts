/**
 * Reads JSON that may be anything: each field is asked for with the type it must have, and the error says where the value
 * stands and what came. Read trainingState.ts for its use.
 */
import { FormatError } from "../core/errors.js";
import type { lrScheduler } from "../optim/index.js";

/** A value in a JSON text and the path to it. */
export class Field {
  readonly #value: unknown;
  readonly #source: string;
  readonly #path: string;

  private constructor(value: unknown, source: string, path: string) {
    this.#value = value;
    this.#source = source;
    this.#path = path;
  }

  /** Parses a JSON text; `source` names it in errors. */
  static parse(text: string, source: string): Field {
    try {
      return new Field(JSON.parse(text) as unknown, source, "");
    } catch {
      throw new FormatError("read", `${source}: is not valid JSON`);
    }
  }

  #fail(expected: string): never {
    const came = JSON.stringify(this.#value) ?? "nothing";
    const shown = came.length > 60 ? `${came.slice(0, 60)}…` : came;
    const where = this.#path || "the text";
    throw new FormatError("read", `${this.#source}: ${where} is ${shown}; expected ${expected}`);
  }

  #child(key: string, value: unknown): Field {
    return new Field(value, this.#source, this.#path ? `${this.#path}.${key}` : key);
  }

  get isMissing(): boolean {
    return this.#value === undefined;
  }

  get isNull(): boolean {
    return this.#value === null;
  }

  #record(): Readonly<Record<string, unknown>> {
    const value = this.#value;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.#fail("an object");
    return value as Record<string, unknown>;
  }

  get(key: string): Field {
    const record = this.#record();
    return this.#child(key, Object.hasOwn(record, key) ? record[key] : undefined);
  }

  /** The fields of an object, in order. */
  entries(): [key: string, field: Field][] {
    return Object.entries(this.#record()).map(([key, value]) => [key, this.#child(key, value)]);
  }

  get isList(): boolean {
    return Array.isArray(this.#value);
  }

  list(most: number): Field[] {
    const value = this.#value;
    if (!Array.isArray(value) || value.length > most)
      return this.#fail(`a list of at most ${most} values`);
    return value.map((item, i) => this.#child(String(i), item));
  }

  text(): string {
    return typeof this.#value === "string" ? this.#value : this.#fail("a text");
  }

  oneOf<T extends string>(choices: readonly T[]): T {
    const value = this.#value as T;
    return choices.includes(value) ? value : this.#fail(choices.join(" or "));
  }

  number(least = Number.NEGATIVE_INFINITY): number {
    const value = this.#value;
    if (typeof value === "number" && Number.isFinite(value) && value >= least) return value;
    return this.#fail(least > Number.NEGATIVE_INFINITY ? `a number ≥ ${least}` : "a number");
  }

  whole(least = 0, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value;
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
      return value as number;
    return this.#fail(`a whole number from ${least} to ${most}`);
  }

  /** An object of measures: numbers, among them NaN and the infinities by their names. */
  measures(): Record<string, number> {
    const read = (field: Field): number => {
      const named = ["NaN", "Infinity", "-Infinity"].includes(field.#value as string);
      return named ? Number(field.#value) : field.number();
    };
    return Object.fromEntries(this.entries().map(([key, field]) => [key, read(field)]));
  }

  /** An object of anything that JSON has, for those who check it themselves. */
  plain(): Readonly<Record<string, lrScheduler.Plain>> {
    return this.#record() as Readonly<Record<string, lrScheduler.Plain>>;
  }

  /** An object of numbers, booleans and lists of numbers. */
  settings(): Record<string, number | boolean | number[]> {
    const read = (field: Field): number | boolean | number[] => {
      if (typeof field.#value === "boolean") return field.#value;
      if (!Array.isArray(field.#value)) return field.number();
      return field.list(1_000_000).map((item) => item.number());
    };
    return Object.fromEntries(this.entries().map(([key, field]) => [key, read(field)]));
  }

  /** An object of texts. */
  texts(): Record<string, string> {
    return Object.fromEntries(this.entries().map(([key, field]) => [key, field.text()]));
  }
}
