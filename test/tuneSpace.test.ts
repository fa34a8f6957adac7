/** Spaces: what their distributions hold, names and conditions, JSON there and back, grids, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  choice,
  contains,
  type Distribution,
  integer,
  linearGrid,
  logGrid,
  logInteger,
  logUniform,
  Space,
  uniform,
  unitOf,
  valueAt,
  when,
} from "../src/tune/index.js";

const kinds: Readonly<Record<string, Distribution>> = {
  uniform: uniform(-3, 5),
  logUniform: logUniform(1e-5, 2),
  integer: integer(2, 14, { step: 3 }),
  logInteger: logInteger(1, 100),
  linearGrid: linearGrid(0, 1, 11),
  logGrid: logGrid(1e-4, 1, 9),
  choice: choice(["a", 1, true, null]),
};

for (const [kind, distribution] of Object.entries(kinds))
  test(`${kind}: every place gives a value that is in it, and a value's place gives the value`, () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (u) => {
        const value = valueAt(distribution, u);
        assert.ok(contains(distribution, value), String(value));
        const again = valueAt(distribution, unitOf(distribution, value));
        if (typeof value !== "number") assert.equal(again, value);
        else assert.ok(Math.abs((again as number) - value) <= 1e-12 * Math.max(1, Math.abs(value)));
      }),
    );
    assert.deepEqual(new Space({ p: distribution }).toJSON().p, distribution);
  });

test("discrete values get equal shares, logarithmic ones shares by their logarithm", () => {
  const shares = (distribution: Distribution) => {
    const counts = new Map<unknown, number>();
    for (let i = 0; i < 10_000; i++) {
      const value = valueAt(distribution, (i + 0.5) / 10_000);
      counts.set(value, (counts.get(value) ?? 0) + 1e-4);
    }
    return counts;
  };
  for (const share of shares(kinds.integer!).values()) assert.ok(Math.abs(share - 0.2) < 1e-3);
  for (const share of shares(kinds.choice!).values()) assert.ok(Math.abs(share - 0.25) < 1e-3);
  const whole = shares(kinds.logInteger!);
  const all = Math.log(100.5 / 0.5);
  for (const value of [1, 2, 10])
    assert.ok(Math.abs(whole.get(value)! - Math.log((value + 0.5) / (value - 0.5)) / all) < 2e-3);
});

const optimizers = {
  optim: {
    name: choice(["sgd", "adam"]),
    lr: logUniform(1e-4, 1),
    ...when("optim.name", "sgd", { momentum: uniform(0, 0.99), nesterov: [true, false] }),
  },
  layers: integer(1, 3),
};

test("conditions decide what is there, also through another condition", () => {
  const space = new Space({
    ...when("b", [2, 3], { c: choice(["x", "y"]) }),
    ...when("a", true, { b: integer(1, 3) }),
    a: [true, false],
  });
  assert.deepEqual(space.names, ["a", "b", "c"]);
  const places = (a: number, b: number) => Object.keys(space.fromUnit({ a, b }));
  assert.deepEqual(places(0, 1), ["a", "b", "c"]);
  assert.deepEqual(places(0, 0), ["a", "b"]);
  assert.deepEqual(places(1, 1), ["a"]);
  assert.equal(space.grid().length, 1 + 2 * 2 + 1);
});

test("a space goes to JSON and back", () => {
  const space = new Space(optimizers);
  const json = JSON.parse(JSON.stringify(space));
  assert.deepEqual(Object.keys(json), [
    "optim.name",
    "optim.lr",
    "optim.momentum",
    "optim.nesterov",
    "layers",
  ]);
  assert.deepEqual(new Space(json).toJSON(), space.toJSON());
  assert.deepEqual(json["optim.momentum"].when, [{ parameter: "optim.name", is: ["sgd"] }]);
});

test("values are checked by name, range and condition", () => {
  const space = new Space(optimizers);
  const check = (values: Record<string, unknown>, partial = false) =>
    space.check("f", values as never, { partial });
  check({ "optim.name": "adam", "optim.lr": 0.1, layers: 2 });
  check({ "optim.lr": 0.1 }, true);
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ "optim.name": "adam", "optim.lr": 0.1 }, /f: no value for layers/],
    [{ "optim.name": "rmsprop" }, /optim.name is "rmsprop"; expected a value of/],
    [{ "optim.lr": "0.1" }, /optim.lr is "0.1"/],
    [{ "optim.lr": NaN }, /optim.lr is null/],
    [{ layers: 1.5 }, /layers is 1.5/],
    [{ "optim.name": "adam", "optim.momentum": 0.5 }, /is there only with optim.name = sgd/],
    [{ lr: 1 }, /no parameter "lr"; there are optim.name,/],
  ];
  for (const [values, message] of refused) assert.throws(() => check(values), message);
});

test("grids go through every combination that can be", () => {
  const space = Space.of({ lr: logGrid(1e-3, 1e-1, 3), n: integer(1, 4), way: ["a", "b"] });
  const points = space.grid({ resolution: { n: 2 } });
  assert.equal(points.length, 12);
  assert.deepEqual(points[0], { lr: 1e-3, n: 1, way: "a" });
  assert.deepEqual(points.at(-1), { lr: 0.1, n: 4, way: "b" });
  assert.equal(new Space({ x: uniform(0, 1) }).grid({ resolution: 5 })[1]!.x, 0.25);
  assert.throws(() => new Space({ x: uniform(0, 1) }).grid(), /x is uniform and has no grid/);
  const many = Object.fromEntries("abcdefg".split("").map((name) => [name, integer(1, 10)]));
  assert.throws(() => new Space(many).grid(), /more than 1000000 combinations/);
});

test("what cannot be a space is refused by name and reason", () => {
  const refused: [unknown, RegExp][] = [
    [{}, /no parameters/],
    [null, /it is null/],
    [{ a: 3 }, /a is 3; expected a distribution/],
    [{ a: { kind: "uniform", low: 1, high: 0 } }, /a: low must be less than high/],
    [{ a: { kind: "logUniform", low: 0, high: 1 } }, /a: a logarithmic scale needs low > 0/],
    [{ a: { kind: "uniform", low: 0 } }, /a: high: /],
    [{ a: { kind: "uniform", low: 0, high: 1, step: 1 } }, /a: .*step/],
    [{ a: { kind: "normal" } }, /a: kind: /],
    [{ a: { kind: "integer", low: 1, high: 6, step: 2 } }, /low plus a multiple of step/],
    [{ a: [] }, /a: values: /],
    [{ a: [1, 1] }, /values must differ/],
    [{ "a.b": [1], a: { b: [1] } }, /a\.b is there twice/],
    [JSON.parse('{"__proto__": {"kind": "uniform", "low": 0, "high": 1}}'), /is no name/],
    [{ "a b": [1] }, /"a b" is no name/],
    [when("b", 1, { a: [1] }), /a depends on "b", which is not there/],
    [{ b: [2], ...when("b", 1, { a: [1] }) }, /a asks for b = 1, which is no value/],
    [{ ...when("b", 1, { a: [1] }), ...when("a", 1, { b: [1] }) }, /circle: a → b → a/],
    [{ a: { kind: "choice", values: [1], when: { parameter: "b" } } }, /when is .*; expected/],
  ];
  for (const [tree, message] of refused) assert.throws(() => new Space(tree as never), message);
  let deep: unknown = [1];
  for (let i = 0; i < 10_000; i++) deep = { a: deep };
  assert.throws(() => new Space(deep as never), /groups deeper than 20/);
});
