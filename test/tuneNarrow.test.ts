/** From coarse to fine: what is left of a space around its best trials. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  choice,
  integer,
  linearGrid,
  logGrid,
  logInteger,
  logUniform,
  narrow,
  Space,
  uniform,
  when,
} from "../src/tune/index.js";
import type { Parameters, TrialRecord } from "../src/tune/types.js";

const told = (list: readonly (readonly [Parameters, number])[]): TrialRecord[] =>
  list.map(([parameters, value], number) => ({
    ...{ number, parameters, value, state: "complete", attempt: 1, reports: [], attributes: {} },
  }));

test("each kind of parameter is narrowed in its own way", () => {
  const space = new Space({
    lr: logUniform(1e-4, 1),
    width: integer(8, 64, { step: 8 }),
    units: logInteger(1, 1024),
    rate: logGrid(1e-4, 1, 5),
    layers: linearGrid(1, 5, 5),
    act: choice(["relu", "tanh", "gelu"]),
  });
  const point = (lr: number, width: number, act: string): Parameters => ({
    ...{ lr, width, act, units: width, rate: 0.01, layers: 2 },
  });
  const trials = told([
    [point(1e-2, 24, "relu"), 1],
    [point(1e-4, 64, "tanh"), 9],
    [point(4e-2, 32, "gelu"), 2],
    [point(1, 8, "tanh"), 8],
  ]);
  const found = narrow(space, trials, { direction: "minimize", keep: 0.5 }).toJSON();
  const lr = found.lr as { low: number; high: number };
  // 5% of four decades on each side.
  assert.ok(Math.abs(Math.log10(lr.low) - -2.2) < 1e-9);
  assert.ok(Math.abs(Math.log10(lr.high) - (Math.log10(0.04) + 0.2)) < 1e-9);
  assert.deepEqual(found.width, { kind: "integer", low: 24, high: 32, step: 8 });
  const units = found.units as { low: number; high: number };
  assert.ok(units.low < 24 && units.low > 12 && units.high > 32 && units.high < 64);
  assert.deepEqual(found.rate, { kind: "logGrid", low: 0.001, high: 0.1, count: 5 });
  assert.deepEqual(found.layers, { kind: "choice", values: [1, 2, 3] });
  assert.deepEqual(found.act, { kind: "choice", values: ["relu", "gelu"] });
  const best = narrow(space, trials, { direction: "maximize", keep: 0.25 }).toJSON();
  assert.deepEqual(best.act, { kind: "choice", values: ["tanh"] });
  for (const { parameters } of trials.filter(({ value }) => value! < 3))
    for (const [name, value] of Object.entries(parameters))
      if (name !== "rate") new Space({ [name]: found[name]! }).check("test", { [name]: value });
});

test("parameters go with what they depend on, and unfinished trials count for nothing", () => {
  const space = new Space({
    optim: choice(["sgd", "adam"]),
    ...when("optim", "sgd", { momentum: uniform(0, 1) }),
    ...when("optim", ["sgd", "adam"], { decay: uniform(0, 1) }),
  });
  const trials = told([
    [{ optim: "adam", decay: 0.5 }, 1],
    [{ optim: "adam", decay: 0.6 }, 2],
    [{ optim: "sgd", momentum: 0.5, decay: 0.5 }, 3],
  ]);
  const json = narrow(space, trials, { direction: "minimize" }).toJSON();
  assert.deepEqual(Object.keys(json), ["optim", "decay"]);
  assert.deepEqual(json.decay!.when, [{ parameter: "optim", is: ["adam"] }]);
  const failed = trials.map((trial) => ({ ...trial, state: "failed" as const }));
  assert.throws(() => narrow(space, failed, { direction: "minimize" }), /0 complete trials/);
  assert.throws(() => narrow(space, trials, { direction: "minimize", keep: 0 }), /keep is 0/);
});
