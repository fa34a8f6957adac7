/**
 * Samplers: the same draws for the same seed and trials, values that are in the space, densities as SciPy's, results as good as
 * Optuna's on standard functions, and each better than the plainer one where it should be.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { IndexSource } from "../src/data/order.js";
import {
  CoarseToFineSampler,
  createStudy,
  edgesOf,
  GridSampler,
  InMemoryStorage,
  makeSampler,
  QuasiRandomSampler,
  RandomSampler,
  type Sampler,
  Space,
  TPESampler,
  uniform,
} from "../src/tune/index.js";
import { quantile } from "../src/tune/quantile.js";
import { TruncatedNormal } from "../src/tune/samplers/normal.js";
import { radicalInverse } from "../src/tune/samplers/quasiRandom.js";
import { bestAfter, readSearchFixture, searchFunctions } from "./support/searchFunctions.js";

const fixture = readSearchFixture();
const { conditional, mixed } = searchFunctions;
const median = (values: readonly number[]) => quantile(values, 0.5);

const samplers: Readonly<Record<string, (seed: number) => Sampler>> = {
  random: (seed) => new RandomSampler({ seed }),
  quasiRandom: (seed) => new QuasiRandomSampler({ seed }),
  coarseToFine: (seed) => new CoarseToFineSampler({ seed, trialsPerRound: 12 }),
  tpe: (seed) => new TPESampler({ seed, multivariate: false }),
  tpeMultivariate: (seed) => new TPESampler({ seed }),
};

test("the functions are those that Optuna searched", () => {
  for (const [name, { space, value }] of Object.entries(searchFunctions))
    for (const place of fixture.places[name]!) {
      new Space(space).check(name, place.parameters);
      assert.ok(Math.abs(value(place.parameters) - place.value) < 1e-9, name);
    }
});

for (const [name, make] of Object.entries(samplers))
  test(`${name}: draws follow from seed, number and told trials alone`, async () => {
    for (const { space, value } of [conditional!, mixed!]) {
      const run = async (sampler: () => Sampler) => {
        const storage = new InMemoryStorage();
        for (let i = 0; i < 30; i++) {
          // Each trial in a study opened anew, as by another process; ask checks that the values are in the space.
          const study = await createStudy({ space, storage, sampler: sampler() });
          const trial = (await study.ask())!;
          await study.tell(trial, value(trial.parameters as never));
        }
        return storage.trials().map(({ parameters }) => parameters);
      };
      const draws = await run(() => make(5));
      assert.deepEqual(await run(() => makeSampler({ ...make(5).settings })), draws);
      assert.notDeepEqual(await run(() => make(6)), draws);
    }
  });

test("draws of a truncated normal, its density and its masses are SciPy's", () => {
  for (const { mean, sigma, x, logDensity, cumulative } of fixture.truncated) {
    const normal = new TruncatedNormal(mean, sigma, 0, 1);
    assert.ok(
      Math.abs(normal.logDensity(x) - logDensity) < 1e-9 * Math.max(1, Math.abs(logDensity)),
    );
    if (cumulative > 1e-9 && cumulative < 1)
      assert.ok(Math.abs(Math.exp(normal.logMass(0, x)) - cumulative) < 1e-12);
    const source = new IndexSource(1, 2);
    const draws = Array.from({ length: 2000 }, () => normal.sample(source));
    const share = draws.filter((draw) => draw < x).length / draws.length;
    assert.ok(Math.abs(share - cumulative) < 0.05, `${mean} ${sigma} ${x}: ${share}`);
  }
});

test("without scrambling, quasi-random points are SciPy's Halton points", async () => {
  const bases = [2, 3, 5, 7, 11, 13];
  for (const [i, expected] of fixture.halton.entries())
    assert.ok(Math.abs(radicalInverse(Math.floor(i / 6), bases[i % 6]!) - expected) < 1e-12);
  const space = { x: uniform(0, 1), y: uniform(0, 1) };
  const study = await createStudy({ space, sampler: new QuasiRandomSampler({ seed: 4 }) });
  await study.optimize(() => 0, { trials: 36 });
  // Scrambled or not, the first 2² · 3² points fall one into each of 4 × 9 boxes.
  const boxes = (await study.trials()).map(({ parameters: { x, y } }) =>
    [Math.floor(4 * (x as number)), Math.floor(9 * (y as number))].join(),
  );
  assert.equal(new Set(boxes).size, 36);
});

test("grids in random order have every point once, and the same order each time", async () => {
  const space = { a: [1, 2, 3], b: ["x", "y", "z"] };
  const order = async () => {
    const study = await createStudy({
      space,
      sampler: new GridSampler({ shuffle: true, seed: 2 }),
    });
    await study.optimize(() => 0, {});
    return (await study.trials()).map(({ parameters: { a, b } }) => `${a}${b}`);
  };
  const points = await order();
  assert.equal(new Set(points).size, 9);
  assert.deepEqual(await order(), points);
  assert.notDeepEqual([...points].sort(), points);
});

const seeds = [0, 1, 2, 3, 4, 5, 6, 7];
/** Random search is quick, and scatters more. */
const manySeeds = Array.from({ length: 40 }, (_, seed) => seed);

for (const [name, known] of Object.entries(fixture.best))
  test(`${name}: as good as Optuna's samplers within their spread, and TPE better than random`, async () => {
    const last = fixture.checkpoints.at(-1)!;
    const medians: Record<string, number> = {};
    for (const sampler of Object.keys(known)) {
      const runs: number[] = [];
      for (const seed of sampler === "random" ? manySeeds : seeds)
        runs.push((await bestAfter(searchFunctions[name]!, samplers[sampler]!(seed), [last]))[0]!);
      medians[sampler] = median(runs);
      const theirs = known[sampler]!.at(-1)!;
      const bound =
        quantile(theirs, 0.75) + 0.25 * (quantile(theirs, 0.75) - quantile(theirs, 0.25));
      assert.ok(medians[sampler] <= bound, `${sampler}: ${medians[sampler]}, Optuna ${bound}`);
    }
    assert.ok(medians.tpe! < medians.random! && medians.tpeMultivariate! < medians.random!);
  });

test("where one of four parameters matters, random search beats a grid of the same size", async () => {
  const names = ["a", "b", "c", "d"];
  const space = Object.fromEntries(names.map((name) => [name, uniform(0, 1)]));
  const best = async (sampler: Sampler, matters: string) => {
    const study = await createStudy({ space, sampler });
    await study.optimize(({ parameters }) => (parameters[matters]! - 0.37) ** 2, { trials: 81 });
    return (await study.bestTrial())!.value!;
  };
  for (const matters of names) {
    const grid = await best(new GridSampler({ resolution: 3 }), matters);
    const random = await Promise.all(
      seeds.map((seed) => best(new RandomSampler({ seed }), matters)),
    );
    assert.ok(Math.max(...random) < grid / 10);
  }
});

test("coarse to fine ends nearer to the best than random search", async () => {
  const { space, value } = searchFunctions.sphere!;
  const run = (make: (seed: number) => Sampler) =>
    Promise.all(
      seeds.map(async (seed) => (await bestAfter({ space, value }, make(seed), [60]))[0]!),
    );
  const fine = await run((seed) => new CoarseToFineSampler({ seed, trialsPerRound: 20 }));
  assert.ok(median(fine) < 0.5 * median(await run(samplers.random!)));
});

test("a running trial keeps others away from its place", async () => {
  const apart = async (constantLiar: boolean) => {
    const sampler = new TPESampler({ seed: 1, constantLiar });
    const study = await createStudy({ space: { x: uniform(-1, 1) }, sampler });
    await study.optimize(({ parameters: { x } }) => x * x, { trials: 30 });
    const places: number[] = [];
    for (let i = 0; i < 12; i++) places.push((await study.ask())!.parameters.x);
    const mean = places.reduce((a, b) => a + b) / places.length;
    return Math.sqrt(places.reduce((sum, x) => sum + (x - mean) ** 2, 0) / places.length);
  };
  assert.ok((await apart(true)) > (await apart(false)));
});

test("trials that were pruned or diverged count as bad, failed ones not at all", async () => {
  const study = async (bad: (x: number) => number) => {
    const made = await createStudy({ space: { x: uniform(0, 1) }, sampler: new TPESampler() });
    await made.optimize(({ parameters: { x } }) => (x > 0.5 ? bad(x) : 1 + x), {
      trials: 60,
      stopOnError: false,
    });
    return (await made.trials()).slice(30).filter(({ parameters: { x } }) => (x as number) > 0.5);
  };
  const fails = (): number => {
    throw new Error("no");
  };
  assert.ok((await study(() => NaN)).length < 10);
  const failed = await createStudy({ space: { x: uniform(0, 1) }, sampler: new TPESampler() });
  await failed.optimize(fails, { trials: 12, stopOnError: false });
  const random = await createStudy({ space: { x: uniform(0, 1) }, sampler: new RandomSampler() });
  await random.optimize(() => 0, { trials: 12 });
  const drawn = async (of: typeof failed) =>
    (await of.trials()).map(({ parameters }) => parameters);
  assert.deepEqual(await drawn(failed), await drawn(random));
});

test("good values at the ends of their ranges are told", () => {
  const space = new Space(conditional!.space);
  const good = [
    { kind: "deep", "deep.depth": 6, "deep.rate": 1e-3, "deep.x": -0.5 },
    { kind: "deep", "deep.depth": 7, "deep.rate": 2e-3, "deep.x": -0.6 },
  ];
  assert.deepEqual(edgesOf(space, good), []);
  const high = good.map((values) => ({ ...values, "deep.depth": 8, "deep.rate": 1.1e-5 }));
  assert.deepEqual(edgesOf(space, high), [
    { parameter: "deep.depth", end: "high" },
    { parameter: "deep.rate", end: "low" },
  ]);
});

test("what is no sampler is refused", () => {
  const refused: [unknown, RegExp][] = [
    [null, /sampler: /],
    [{ kind: "best" }, /sampler: no kind "best"; there are coarseToFine, grid/],
    [{ kind: "__proto__" }, /no kind "__proto__"/],
    [{ kind: "tpe", seed: -1 }, /TPESampler: seed: /],
    [{ kind: "tpe", gamma: 1 }, /TPESampler: .*gamma/],
    [{ kind: "grid", resolution: 0 }, /GridSampler: resolution/],
    [{ kind: "coarseToFine", keep: 0 }, /CoarseToFineSampler: keep/],
  ];
  for (const [settings, message] of refused) assert.throws(() => makeSampler(settings), message);
});
