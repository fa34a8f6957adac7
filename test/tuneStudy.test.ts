/** Studies in memory: trials asked for, told, given back, lost; the loop, its end by a signal, and what it forgives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  choice,
  createStudy,
  edgesOf,
  GridSampler,
  InMemoryStorage,
  LostTrialError,
  linearGrid,
  loadStudy,
  PrunedError,
  RandomSampler,
  Space,
  StudyError,
  uniform,
  when,
} from "../src/tune/index.js";

const space = { x: uniform(-1, 1), way: choice(["a", "b"]) };
const seeded = () => new RandomSampler({ seed: 3 });

test("trials are numbered, told once, and the best is the earliest of equals", async () => {
  const study = await createStudy({ space, sampler: seeded() });
  const trials = [await study.ask(), await study.ask(), await study.ask()].map((trial) => trial!);
  assert.deepEqual(
    trials.map(({ number }) => number),
    [0, 1, 2],
  );
  assert.equal(await study.bestTrial(), undefined);
  for (const [i, value] of [4, 2, 2].entries()) await study.tell(trials[i]!, value);
  assert.equal((await study.bestTrial())!.number, 1);
  await assert.rejects(study.tell(trials[0]!, 1), LostTrialError);
  await assert.rejects(study.tell({ number: 9, attempt: 1 }, 1), /there is no trial 9/);
});

test("a trial that went silent goes to somebody else, and its first owner has lost it", async () => {
  let now = 1000;
  const storage = new InMemoryStorage({ now: () => now });
  const study = await createStudy({ space, storage, sampler: seeded() });
  const first = (await study.ask())!;
  await first.report(1, 0.5);
  now = 5000;
  assert.deepEqual(storage.requeue({ before: 900 }), []);
  const [given] = storage.requeue({ before: 4000 });
  assert.equal(given!.state, "waiting");
  assert.equal(given!.worker, undefined);
  const second = (await study.ask())!;
  assert.deepEqual([second.number, second.attempt], [0, 2]);
  assert.deepEqual(second.parameters, first.parameters);
  await assert.rejects(first.report(2, 0.4), LostTrialError);
  await assert.rejects(first.heartbeat(), LostTrialError);
  await assert.rejects(study.tell(first, 0.1), LostTrialError);
  await study.tell(second, 0.2);
  assert.equal((await study.trials()).length, 1);
  assert.equal((await study.bestTrial())!.value, 0.2);
});

test("a trial that ends its processes fails after three attempts", async () => {
  const storage = new InMemoryStorage({ now: () => 0 });
  const study = await createStudy({ space, storage });
  for (let attempt = 1; attempt <= 3; attempt++) {
    assert.equal((await study.ask())!.attempt, attempt);
    storage.requeue({ before: 1 });
  }
  const [trial] = await study.trials();
  assert.equal(trial!.state, "failed");
  assert.match(trial!.error!, /died or fell silent 3 times/);
});

test("being stopped is not dying, and a trial that gets further each time is no killer", async () => {
  const storage = new InMemoryStorage();
  const study = await createStudy({ space, storage });
  const begin = async () => (await study.ask())!;
  const { state, deaths } = { state: "waiting", deaths: 2 };
  const now = async () => (await study.trials())[0]!;
  for (let stops = 0; stops < 5; stops++) await storage.release(await begin());
  assert.deepEqual([(await now()).state, (await now()).deaths], [state, undefined]);
  const died = { before: Number.POSITIVE_INFINITY };
  for (let epoch = 1; epoch <= 5; epoch++) {
    await (await begin()).report(epoch, 1 / epoch);
    storage.requeue(died);
    assert.equal((await now()).deaths, 1);
  }
  // Over the same epoch again and again it gets nowhere.
  await (await begin()).report(5, 1 / 5);
  await storage.release(await now(), { died: true });
  assert.deepEqual([(await now()).state, (await now()).deaths], [state, deaths]);
  await begin();
  storage.requeue(died);
  assert.deepEqual([(await now()).state, (await now()).deaths], ["failed", 3]);
});

test("a study's first trials are in line from the moment that it is made, once", async () => {
  const storage = new InMemoryStorage();
  const options = { space, storage, sampler: seeded(), first: [{ x: 0.25 }, {}] };
  for (const study of [await createStudy(options), await createStudy(options)])
    assert.deepEqual(
      (await study.trials()).map(({ state, enqueued }) => [state, enqueued]),
      [
        ["waiting", true],
        ["waiting", true],
      ],
    );
  const study = await loadStudy(storage);
  assert.equal((await study.ask())!.parameters.x, 0.25);
  assert.equal(typeof (await study.ask())!.parameters.x, "number");
  await assert.rejects(createStudy({ space, first: [{ x: 99 }] }), /createStudy: .*x/);
});

test("a process that died before its trial had parameters changes nothing", async () => {
  const [whole, broken] = [new InMemoryStorage(), new InMemoryStorage({ now: () => 0 })];
  const studies = [whole, broken].map((storage) =>
    createStudy({ space, storage, sampler: seeded() }),
  );
  const [sound, mended] = await Promise.all(studies);
  broken.claim("dies");
  broken.requeue({ before: 1 });
  const [expected, got] = [await sound!.ask(), await mended!.ask()];
  assert.deepEqual(got!.parameters, expected!.parameters);
});

test("optimize counts the whole study's trials, so that it goes on where it stopped", async () => {
  const storage = new InMemoryStorage();
  const study = await createStudy({ space, storage, sampler: seeded() });
  const stop = new AbortController();
  let calls = 0;
  await study.optimize(
    ({ parameters: { x } }) => {
      if (++calls === 3) {
        stop.abort();
        throw stop.signal.reason;
      }
      return x;
    },
    { trials: 6, signal: stop.signal },
  );
  assert.deepEqual(
    (await study.trials()).map(({ state }) => state),
    ["complete", "complete", "waiting"],
  );
  const later = await loadStudy(storage);
  assert.deepEqual(later.sampler.settings, { kind: "random", seed: 3 });
  await later.optimize(({ parameters: { x } }) => x as number, { trials: 6 });
  const straight = await createStudy({ space, sampler: seeded() });
  await straight.optimize(({ parameters: { x } }) => x, { trials: 6 });
  const values = async (of: typeof later | typeof straight) =>
    (await of.trials()).map(({ parameters, value }) => ({ parameters, value }));
  assert.deepEqual(await values(later), await values(straight));
});

test("objectives may fail, prune themselves or give NaN", async () => {
  const study = await createStudy({ space, sampler: seeded() });
  const ended: string[] = [];
  await study.optimize(
    async (trial) => {
      if (trial.number === 0) throw new Error("disk full");
      if (trial.number === 1) {
        await trial.report(1, 7);
        throw new PrunedError();
      }
      if (trial.number === 2) return NaN;
      await trial.report(1, Infinity);
      assert.equal(await trial.shouldPrune(), true);
      return 1;
    },
    { trials: 4, stopOnError: false, onTrial: ({ state }) => ended.push(state) },
  );
  assert.deepEqual(ended, ["failed", "pruned", "pruned", "complete"]);
  const trials = await study.trials();
  assert.equal(trials[0]!.error, "disk full");
  assert.equal(trials[1]!.value, 7);
  assert.deepEqual([trials[2]!.value, trials[2]!.error], [undefined, "the objective gave NaN"]);
  assert.deepEqual(trials[3]!.reports, []);
  const strict = await createStudy({ space });
  const broken = strict.optimize(() => Promise.reject(new Error("broken")), { trials: 4 });
  await assert.rejects(broken, /^Error: broken$/);
  assert.equal((await strict.trials()).length, 1);
});

test("concurrent objectives share the trials, none twice", async () => {
  const study = await createStudy({ space, sampler: new RandomSampler(), staleAfter: 1000 });
  const seen: number[] = [];
  let [now, most] = [0, 0];
  await study.optimize(
    async ({ number }) => {
      seen.push(number);
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      return number;
    },
    { trials: 10, concurrency: 4 },
  );
  assert.equal(most, 4);
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({ length: 10 }, (_, i) => i),
  );
});

test("enqueued parameters come first, are completed, and take nothing away from a grid", async () => {
  const tree = { x: linearGrid(0, 1, 3), way: choice(["a", "b"]) };
  const study = await createStudy({ space: tree, sampler: new GridSampler() });
  await study.enqueue({ x: 0.5 });
  await study.optimize(({ parameters: { x } }) => x, {});
  const trials = await study.trials();
  assert.equal(trials.length, 7);
  assert.equal(trials[0]!.parameters.x, 0.5);
  const points = trials.slice(1).map(({ parameters: { x, way } }) => `${x}${way}`);
  assert.deepEqual(points, ["0a", "0b", "0.5a", "0.5b", "1a", "1b"]);
  await assert.rejects(study.enqueue({ x: 0.3 }), /enqueue: x is 0.3; expected a value of/);
  await assert.rejects(study.enqueue({ y: 1 } as never), /no parameter "y"; there are x, way/);
});

test("another study in the same storage, and arguments that cannot be, are refused", async () => {
  const storage = new InMemoryStorage();
  await assert.rejects(loadStudy(storage), StudyError);
  await createStudy({ space, storage });
  await assert.rejects(createStudy({ space: { x: uniform(0, 1) }, storage }), /another space/);
  await assert.rejects(createStudy({ space, storage, direction: "maximize" }), /another direction/);
  await assert.rejects(createStudy({ space, direction: "up" as never }), /direction is "up"/);
  const study = await createStudy({ space });
  await assert.rejects(
    study.optimize(() => 1, {}),
    /would never end/,
  );
  await assert.rejects(
    study.optimize(() => 1, { trials: 1, concurrency: 0 }),
    /concurrency is 0/,
  );
  const trial = (await study.ask())!;
  await trial.report(3, 1);
  await assert.rejects(trial.report(2, 1), /step 2 after 3/);
});

test("parameters have the types of their space, maybe undefined under a condition", async () => {
  const tree = {
    optim: { name: choice(["sgd", "adam"]), ...when("optim.name", "sgd", { m: uniform(0, 1) }) },
    size: [8, 16],
  };
  const typed = Space.of(tree);
  const studies = [
    await createStudy({ space: typed, sampler: seeded() }),
    await createStudy({ space: tree, sampler: seeded() }),
  ];
  for (const study of studies) {
    const { "optim.name": name, "optim.m": m, size } = (await study.ask())!.parameters;
    const checked: { name: "sgd" | "adam"; m: number | undefined; size: number } = {
      name,
      m,
      size,
    };
    assert.equal(checked.m === undefined, checked.name === "adam");
  }
  assert.deepEqual(edgesOf(typed, [{ "optim.name": "adam", size: 8 }]), []);
});

test("a trial that somebody else was given before it had parameters is let go, and another asked for", async () => {
  let given = 0;
  class Hasty extends InMemoryStorage {
    override decide(...[claim, parameters]: Parameters<InMemoryStorage["decide"]>): void {
      if (given++ === 0) this.requeue({ before: Date.now() + 1 });
      super.decide(claim, parameters);
    }
  }
  const study = await createStudy({ space, storage: new Hasty(), sampler: seeded() });
  assert.deepEqual({ ...(await study.ask()) }.attempt, 2);
});
