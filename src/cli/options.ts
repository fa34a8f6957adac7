/** Reads the values of options; each parser says what came and what was expected. */
import { InvalidArgumentError } from "commander";
import { suggestion } from "./terminal/format.js";

const fail = (expected: string): never => {
  throw new InvalidArgumentError(`Expected ${expected}${expected.endsWith("?") ? "" : "."}`);
};

/** A whole number in a range, written plainly. */
export const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    return fail(
      most === Number.MAX_SAFE_INTEGER
        ? `a whole number ≥ ${least}`
        : `a whole number from ${least} to ${most}`,
    );
  };

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) && value > 0
    ? value
    : fail("a number above 0, such as 0.001 or 1e-3");
}

/** A number from 0 to below 1. */
export function fraction(text: string): number {
  const value = Number(text);
  return text.trim() !== "" && value >= 0 && value < 1 ? value : fail("a number from 0 to below 1");
}

/** One of a few words. */
export const oneOf =
  <T extends string>(choices: readonly T[]) =>
  (text: string): T => {
    if ((choices as readonly string[]).includes(text)) return text as T;
    return fail(`${choices.join(", ")}${suggestion(text, choices)}`);
  };

/** Steps (`200`) or seconds (`30s`). */
export function interval(text: string): { steps: number } | { seconds: number } {
  const match = /^(\d+(?:\.\d+)?)(s?)$/.exec(text);
  const value = Number(match?.[1]);
  if (match?.[2] && value > 0) return { seconds: value };
  if (match && Number.isSafeInteger(value) && value >= 1) return { steps: value };
  return fail("steps, such as 200, or seconds, such as 30s");
}

/** A span of time in seconds: `90`, `90s`, `10m`, `1h`. */
export function timeSpan(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text);
  const unit = { s: 1, m: 60, h: 3600 }[match?.[2] || "s"]!;
  const seconds = Number(match?.[1]) * unit;
  return match && seconds > 0 ? seconds : fail("a time, such as 90s, 10m or 1h");
}

/** Names with commas between them. */
export function nameList(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  return names.length >= 2 && names.every((name) => name !== "")
    ? names
    : fail("at least two names with commas between them");
}
