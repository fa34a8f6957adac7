/** Pruners end the trials that Optuna's end; patience and brackets; importances against Optuna's and against arithmetic. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  choice,
  createStudy,
  type Direction,
  HyperbandPruner,
  MedianPruner,
  makePruner,
  PatientPruner,
  PercentilePruner,
  PrunedError,
  type Pruner,
  parameterImportances,
  RandomSampler,
  Space,
  SuccessiveHalvingPruner,
  type TrialRecord,
  uniform,
} from "../src/tune/index.js";
import { readSearchFixture, searchFunctions } from "./support/searchFunctions.js";

const { pruning, importances } = readSearchFixture();

/** The step at which each trial ends early, one after the other; 0 for one that is complete. */
async function endsOf(pruner: Pruner, direction: Direction): Promise<number[]> {
  const space = { x: uniform(0, 1) };
  const study = await createStudy({ space, pruner, direction, sampler: new RandomSampler() });
  const ends: number[] = [];
  await study.optimize(
    async (trial) => {
      const curve = pruning.curves[trial.number]!;
      for (const [i, value] of curve.entries()) {
        await trial.report(i + 1, value);
        if (!(await trial.shouldPrune())) continue;
        ends.push(i + 1);
        throw new PrunedError();
      }
      ends.push(0);
      return curve.at(-1)!;
    },
    { trials: pruning.curves.length },
  );
  return ends;
}

// Optuna's steps begin at 0, so that its two steps of warm-up are one here.
const pruners: Readonly<Record<string, Pruner>> = {
  median: new MedianPruner({ startupTrials: 4, warmupSteps: 1 }),
  percentile: new PercentilePruner({ percentile: 30, startupTrials: 3, minTrials: 2 }),
  halving: new SuccessiveHalvingPruner({ minResource: 2, reductionFactor: 2 }),
  halvingLate: new SuccessiveHalvingPruner({ reductionFactor: 3, earliestRung: 1 }),
};

for (const [name, pruner] of Object.entries(pruners))
  for (const direction of ["minimize", "maximize"] as const)
    test(`${name} ends the trials that Optuna's does, ${direction}`, async () => {
      const expected = pruning.ends[`${name} ${direction}`]!;
      assert.deepEqual(await endsOf(pruner, direction), expected);
      assert.deepEqual(await endsOf(makePruner(pruner.settings), direction), expected);
    });

const trialWith = (values: readonly number[]): TrialRecord => ({
  ...{ number: 0, state: "running", attempt: 1, parameters: {}, attributes: {} },
  reports: values.map((value, i) => ({ step: i + 1, value })),
});

test("a patient pruner waits for so many reports without a better one", () => {
  const asks = (values: readonly number[], patience: number, minDelta = 0, pruner?: Pruner) => {
    const trial = trialWith(values);
    const context = { direction: "minimize", trial, trials: [trial] } as const;
    return new PatientPruner(pruner, { patience, minDelta }).prune(context);
  };
  assert.equal(asks([3, 2, 2, 2], 2), true);
  assert.equal(asks([3, 2, 2], 2), false);
  assert.equal(asks([3, 2, 2.5, 1.9], 2), false);
  assert.equal(asks([3, 2, 2.5, 1.9], 2, 0.2), true);
  assert.equal(asks([3, 2, 2, 2], 2, 0, makePruner({ kind: "none" })), false);
  const patient = new PatientPruner(new MedianPruner(), { patience: 3 });
  assert.deepEqual(makePruner(patient.settings).settings, patient.settings);
});

test("Hyperband's brackets get their shares of trials, and each prunes in its own way", async () => {
  const pruner = new HyperbandPruner({ maxResource: 9 });
  assert.equal(pruner.brackets, 3);
  const counts = [0, 0, 0];
  for (let number = 0; number < 3000; number++) counts[pruner.bracketOf(number)]!++;
  // 9, 5 and 3 of 17, as in the paper's table for R = 9, η = 3.
  for (const [bracket, share] of [9, 5, 3].entries())
    assert.ok(Math.abs(counts[bracket]! / 3000 - share / 17) < 0.03);
  const ends = await endsOf(pruner, "minimize");
  const inBracket = (bracket: number) => ends.filter((_, i) => pruner.bracketOf(i) === bracket);
  assert.ok(inBracket(0).includes(1));
  assert.ok(inBracket(1).every((step) => [0, 3, 9].includes(step)));
  assert.ok(inBracket(2).every((step) => [0, 9].includes(step)));
  assert.equal(new HyperbandPruner({ maxResource: 243 }).brackets, 6);
});

test("an earlier attempt's reports from further on do not count", async () => {
  const pruner = new PatientPruner(undefined, { patience: 1 });
  const study = await createStudy({ space: { x: uniform(0, 1) }, pruner });
  const first = (await study.ask())!;
  for (const [i, value] of [3, 1, 2, 4].entries()) await first.report(i + 1, value);
  assert.equal(await first.shouldPrune(), true);
  await study.storage.release(first);
  const again = (await study.ask())!;
  await again.report(1, 3);
  assert.equal(await again.shouldPrune(), false);
  await again.report(2, 1);
  assert.equal(await again.shouldPrune(), false);
});

test("what is no pruner is refused", () => {
  const refused: [unknown, RegExp][] = [
    ["median", /pruner: /],
    [{ kind: "mean" }, /no kind "mean"; there are hyperband, median/],
    [{ kind: "hyperband" }, /HyperbandPruner: maxResource/],
    [{ kind: "hyperband", maxResource: 1 }, /minResource 1 is not below maxResource 1/],
    [{ kind: "successiveHalving", reductionFactor: 1 }, /SuccessiveHalvingPruner: reductionFactor/],
    [{ kind: "percentile", percentile: 101 }, /PercentilePruner: percentile/],
    [
      { kind: "patient", patience: 1, pruner: { kind: "patient" } },
      /a patient pruner in a patient/,
    ],
  ];
  for (const [settings, message] of refused) assert.throws(() => makePruner(settings), message);
});

const names = importances.names;
const space = new Space(
  Object.fromEntries(
    names.map((name) => [name, name === "kind" ? choice(["a", "b", "c"]) : uniform(0, 1)]),
  ),
);
const trials = importances.rows.map((row, number): TrialRecord => {
  const parameters = Object.fromEntries(names.map((name, i) => [name, row[i]!]));
  const told = { state: "complete", value: row.at(-1) as number } as const;
  return { ...trialWith([]), ...told, number, parameters };
});

/** Of 3a + 4(b − ½)² + 0.3c + 0.8·[kind = b], each uniform: variances 9/12, 16/180, 0.09/12 and 0.64 · 2/9. */
const variances: Readonly<Record<string, number>> = {
  ...{ strong: 0.75, curved: 16 / 180, weak: 0.0075, kind: 0.64 * (2 / 9), idle: 0 },
};
const whole = Object.values(variances).reduce((a, b) => a + b);

test("importances are the shares of variance that arithmetic gives, and in Optuna's order", () => {
  const found = parameterImportances(space, trials);
  for (const { parameter, importance } of found) {
    const expected = variances[parameter]! / whole;
    assert.ok(Math.abs(importance - expected) < 0.06, `${parameter}: ${importance}, ${expected}`);
    assert.ok(Math.abs(importance - importances.fanova[parameter]!) < 0.08);
  }
  const order = (of: readonly string[]) => of.slice(0, 3);
  assert.deepEqual(
    order(found.map(({ parameter }) => parameter)),
    order(Object.keys(importances.fanova)),
  );
  assert.deepEqual(parameterImportances(space, trials), found);
});

test("a cap keeps a few diverged runs from hiding what matters", () => {
  const blown = trials.map((trial, i) => (i % 40 === 0 ? { ...trial, value: 1e6 } : trial));
  const first = (cap: number) => parameterImportances(space, blown, { cap })[0]!.importance;
  assert.equal(parameterImportances(space, blown, { cap: 0.9 })[0]!.parameter, "strong");
  assert.ok(first(0.9) > 0.5 && first(1) < 0.5);
  const upsideDown = blown.map((trial) => ({ ...trial, value: -trial.value! }));
  const maximized = parameterImportances(space, upsideDown, { cap: 0.9, direction: "maximize" });
  assert.ok(Math.abs(maximized[0]!.importance - first(0.9)) < 1e-6);
});

test("importances of a conditional space, of equal values, and of too few trials", async () => {
  const { space: tree, value } = searchFunctions.conditional!;
  const study = await createStudy({ space: tree, sampler: new RandomSampler() });
  await study.optimize(({ parameters }) => value(parameters as never), { trials: 200 });
  const found = parameterImportances(study.space, await study.trials());
  // Within the deep kind their variances are 0.42 and 0.22.
  const deep = found.filter(({ parameter }) => parameter.startsWith("deep"));
  assert.deepEqual([deep[0]!.parameter, deep[1]!.parameter], ["deep.x", "deep.rate"]);
  assert.equal(found.length, 5);
  const sum = found.reduce((total, { importance }) => total + importance, 0);
  assert.ok(sum > 0.2 && sum <= 1);
  const flat = trials.map((trial) => ({ ...trial, value: 1 }));
  assert.ok(parameterImportances(space, flat).every(({ importance }) => importance === 0));
  assert.throws(
    () => parameterImportances(space, trials.slice(0, 3)),
    /3 complete trials; expected 4 or more/,
  );
  assert.throws(() => parameterImportances(space, trials, { cap: 2 }), /cap/);
});
