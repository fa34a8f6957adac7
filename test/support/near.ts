/** Single numbers that must be about as expected. Read compare.ts for lists; it runs in a browser too. */
import assert from "node:assert/strict";
import { isClose } from "./compare.js";

/** Fails unless a number is as expected but for `bound`, relative where it is large. */
export function assertNear(actual: number | undefined, expected: number, bound = 1e-12): void {
  const isNear = isClose(actual!, expected, { relative: bound, absolute: bound });
  assert.ok(isNear, `${actual}, expected ${expected}`);
}
