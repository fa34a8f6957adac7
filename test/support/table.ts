/**
 * The table: every op × sample × backend × eager and compiled × float32 and float64, forward and gradient. All are compared with
 * the interpreter in float64, and that with PyTorch, with central differences and with those of the gradient. Read
 * runCase.ts for the ways of running. test/table.test.ts and its like run a part of the ops each.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { compile, type Tensor } from "../../src/index.js";
import type { OpSamples } from "../../src/tensor/defineOp.js";
import { backends, missing, type Place, places, use } from "./backends.js";
import { hasFirst, hasSecond, isSmooth } from "./coverage.js";
import {
  differFromDifferences,
  differTwice,
  nestedGradients,
  secondGradients,
} from "./differences.js";
import { differRun, isNarrow } from "./differRun.js";
import { differFromTorch } from "./fixtures.js";
import { makeInputs, type Precision, type Result, runEager, waysOf } from "./runCase.js";
import { allCases, allOps, type Case } from "./samples.js";

const interpreter = places[0]!;
const counts = { cases: 0, torch: 0, slopes: 0, second: 0 };
const holes = new Map<string, string[]>();

function hole(reason: string, name: string): void {
  const names = holes.get(reason);
  if (names) names.push(name);
  else holes.set(reason, [name]);
}

/** Runs a case in all ways on all backends; gives what differs from the oracle. */
async function differEverywhere(
  one: Case,
  precision: Precision,
  oracle: Result,
): Promise<string[]> {
  const found: string[] = [];
  const shared = waysOf(one, precision);
  const everywhere = async (place: Place) => {
    use(place);
    // A program that draws goes on where its last run stopped, so each place gets its own.
    const ways = one.sample.torch === null ? waysOf(one, precision) : shared;
    for (const [way, run] of Object.entries(ways)) {
      counts.cases++;
      try {
        const difference = differRun(await run(), oracle);
        if (difference) found.push(`${one.name} ${place.name} ${way} ${precision}: ${difference}`);
      } catch (error) {
        found.push(`${one.name} ${place.name} ${way} ${precision}: ${(error as Error).stack}`);
      }
    }
  };
  for (const place of places) await everywhere(place);
  use(interpreter);
  return found;
}

/** Compares the oracle itself with PyTorch and with differences. */
function checkOracle(one: Case, declared: Result, precise: Result): string[] {
  const found: string[] = [];
  if (one.sample.torch === null) hole(`no PyTorch: ${one.sample.reason}`, one.name);
  else {
    counts.torch++;
    found.push(...differFromTorch(one, declared, precise));
  }
  if (!hasFirst(one)) return found;
  if (!isSmooth(one, precise)) {
    hole("no central differences: a kink, a tie or a value that is not finite", one.name);
    return found;
  }
  if (isNarrow(precise)) {
    hole("no central differences: the result is float32 whatever the inputs", one.name);
    return found;
  }
  counts.slopes++;
  const difference = differFromDifferences(one, precise.gradients);
  if (difference) found.push(`${one.name} ${difference}`);
  return found;
}

/** Second gradients: against differences of the first, and by grad(grad()), eager and compiled, everywhere. */
async function checkSecond(one: Case, precise: Result): Promise<string[]> {
  if (!hasSecond(one, precise)) return [];
  counts.second++;
  const second = secondGradients(one);
  const difference = differTwice(one, second);
  const found = difference ? [`${one.name} ${difference}`] : [];
  const inputs = makeInputs(one, "float64");
  const isFloatInput = inputs.map((x) => x.dtype.startsWith("float"));
  const expected = second.filter((_, i) => isFloatInput[i]);
  const compiled = () => compile((...xs: Tensor[]) => nestedGradients(one, xs));
  const shared = compiled();
  for (const place of backends) {
    use(place);
    const step = one.sample.torch === null ? compiled() : shared;
    const eager = nestedGradients(one, inputs);
    const isTraceable = one.op.eagerOnly === undefined;
    const ways = { eager, ...(isTraceable && { compiled: await step(...inputs) }) };
    for (const [way, got] of Object.entries(ways)) {
      const unequal = differRun(
        { outputs: [], gradients: got },
        { outputs: [], gradients: expected },
      );
      if (unequal) found.push(`${one.name} ${place.name} grad of grad ${way}: ${unequal}`);
    }
  }
  use(interpreter);
  return found;
}

async function checkCase(one: Case): Promise<string[]> {
  use(interpreter);
  const declared = runEager(one, "float32");
  const precise = runEager(one, "float64");
  return [
    ...checkOracle(one, declared, precise),
    ...(await differEverywhere(one, "float32", declared)),
    ...(await differEverywhere(one, "float64", precise)),
    ...(await checkSecond(one, precise)),
  ];
}

const report = (found: readonly string[]): void => {
  assert.ok(found.length === 0, `${found.length} differences\n${found.slice(0, 12).join("\n")}`);
};

async function checkOp(op: string): Promise<void> {
  const found: string[] = [];
  for (const one of allCases.filter((x) => x.op.op === op)) {
    try {
      found.push(...(await checkCase(one)));
    } catch (error) {
      found.push(`${one.name}: ${(error as Error).stack}`);
    }
  }
  report(found);
}

function printCounts(ops: readonly OpSamples[]): void {
  console.log(
    `${counts.cases} cases of (op, sample, backend, mode, dtype) on ${places.map(({ name }) => name).join(", ")}; ` +
      `${counts.torch} samples against PyTorch, ${counts.slopes} gradients and ${counts.second} second gradients ` +
      "against central differences",
  );
  for (const { op, noGradient, noSecondGradient, eagerOnly } of ops) {
    if (eagerOnly !== undefined) hole(`eager only: ${eagerOnly}`, op);
    if (noGradient !== undefined) hole(`no gradient: ${noGradient}`, op);
    if (noSecondGradient !== undefined) hole(`no second gradient: ${noSecondGradient}`, op);
  }
  for (const [backend, reason] of missing) hole(`platform: ${reason}`, backend);
  for (const [reason, names] of holes) console.log(`hole (${reason}): ${names.join(", ")}`);
}

/** Defines a test for each op of one part of several, and prints at the end what was compared and what was not. */
export function defineTable(part: number, parts: number): void {
  const ops = allOps.filter((_, i) => i % parts === part);
  for (const { op } of ops) test(`table: ${op}`, () => checkOp(op));
  after(() => printCounts(ops));
}
