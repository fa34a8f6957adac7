/** Every schedule beside PyTorch's over 30 steps, also resumed from its state; refusals, and the batch-size rule. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { optim, setBackend, tensor, ValueError } from "../src/index.js";
import { readFixture } from "./support/fixtures.js";
import { metricAt, optimizerCases, scheduleCases, scheduleSteps } from "./support/optimCases.js";

const { schedules: fixtures } = readFixture<{ schedules: Record<string, number[][][]> }>(
  "optimizers.json.gz",
);
const s = optim.lrScheduler;
const bound = 1e-12;

function makeOptimizer(): optim.SGD {
  const p = () => tensor([0], { requiresGrad: true });
  const groups = [
    { params: [p()], lr: 1 },
    { params: [p()], lr: 0.3 },
  ];
  return new optim.SGD(groups, { lr: 1, momentum: 0.9 });
}

for (const [name, make] of Object.entries(scheduleCases))
  test(`as PyTorch: ${name}`, () => {
    setBackend("interpreter");
    for (const resumeAt of [-1, 11]) {
      let optimizer = makeOptimizer();
      let schedule = make(optimizer);
      for (let step = 0; step < scheduleSteps; step++) {
        if (step === resumeAt) {
          const saved = JSON.stringify(schedule.stateDict());
          const state = optimizer.stateDict();
          optimizer = makeOptimizer();
          schedule = make(optimizer);
          optimizer.loadStateDict(state);
          schedule.loadStateDict(JSON.parse(saved) as optim.lrScheduler.SchedulerState);
        }
        const now = optimizer.paramGroups.map((group) => [group.lr, group.get("momentum")]);
        now.flat().forEach((value, i) => {
          const wanted = fixtures[name]![step]!.flat()[i]!;
          const error = Math.abs(value - wanted);
          assert.ok(error <= bound, `step ${step}, ${i}: ${value} instead of ${wanted}`);
        });
        schedule.step(name.includes("Plateau") ? metricAt(step) : undefined);
      }
    }
  });

test("closed forms agree with the steps", () => {
  setBackend("interpreter");
  for (const [name, make] of Object.entries(scheduleCases)) {
    if (/Plateau|Sequential|Chained|Multiplicative|SWALR|Cyclic|OneCycle/.test(name)) continue;
    const optimizer = makeOptimizer();
    const schedule = make(optimizer);
    for (const step of [17, 3, 25]) {
      schedule.step(step);
      const wanted = fixtures[name]![step]!.map(([lr]) => lr!);
      optimizer.paramGroups.forEach(({ lr }, i) => {
        assert.ok(Math.abs(lr - wanted[i]!) < 1e-9, `${name} at ${step}: ${lr}, ${wanted[i]}`);
      });
    }
  }
});

test("one-cycle moves beta1 of Adam's family", () => {
  setBackend("interpreter");
  const optimizer = new optim.AdamW([tensor([0], { requiresGrad: true })], { lr: 1 });
  const schedule = new s.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 20 });
  assert.equal(optimizer.paramGroups[0]!.get("beta1"), 0.95);
  for (let i = 0; i < 5; i++) schedule.step();
  assert.equal(optimizer.paramGroups[0]!.get("beta1"), 0.85);
  for (let i = 0; i < 15; i++) schedule.step();
  assert.throws(() => schedule.step(), /OneCycleLR: step 21 is past the end: totalSteps is 20/);
});

test("schedules refuse options and states that do not fit, and change nothing then", () => {
  setBackend("interpreter");
  const optimizer = makeOptimizer();
  const plain = new optim.SGD([tensor([0], { requiresGrad: true })], { lr: 1 });
  const refused: [() => unknown, RegExp][] = [
    [
      () => new s.StepLR(optimizer, { stepSize: 0 }),
      /^StepLR: stepSize must be a whole number ≥ 1/,
    ],
    [() => new s.StepLR(optimizer, { step: 1 } as never), /^StepLR: unknown option "step"/],
    [() => new s.LinearLR(optimizer, { startFactor: 0 }), /^LinearLR: startFactor must be above 0/],
    [
      () => new s.LambdaLR(optimizer, { lrLambda: [() => 1] }),
      /^LambdaLR: lrLambda must be a function, or one for each of 2 groups/,
    ],
    [
      () => new s.OneCycleLR(plain, { maxLr: 1, totalSteps: 9 }),
      /^OneCycleLR: cycles the momentum, which the optimizer was made without/,
    ],
    [() => new s.OneCycleLR(optimizer, { maxLr: 1 }), /needs totalSteps, or epochs and stepsPerEp/],
    [
      () => new s.OneCycleLR(optimizer, { maxLr: [1], totalSteps: 9 }),
      /^OneCycleLR: maxLr has 1 values for 2 groups/,
    ],
    [
      () => new s.ChainedScheduler([new s.ReduceLROnPlateau(optimizer) as never]),
      /^ChainedScheduler: cannot be made of ReduceLROnPlateau/,
    ],
    [
      () => s.withWarmup({ step() {} } as never, { steps: 2 }),
      /^withWarmup: expected a schedule of optim.lrScheduler/,
    ],
    [
      () => s.withWarmup(new s.ConstantLR(optimizer), { steps: 2, startFactor: 0 }),
      /^withWarmup: startFactor must be above 0/,
    ],
    [
      () => new s.LambdaLR(optimizer, { lrLambda: () => 1, lamda: 2 } as never),
      /^LambdaLR: unknown option "lamda"/,
    ],
    [() => new s.ChainedScheduler([]), /^ChainedScheduler: got no schedulers/],
    [
      () => new s.ExponentialLR(plain, { gamma: 0.5, lastEpoch: 3 }),
      /lastEpoch is 3, but group 0 has no initialLr/,
    ],
    [() => new s.ReduceLROnPlateau(optimizer).step(Number.NaN), /the measure must be a number/],
    [
      () => s.scaleLr(0.1, { batchSize: 0, baseBatchSize: 1 }),
      /batchSize must be a number above 0/,
    ],
    [
      () => new s.LambdaLR(makeOptimizer(), { lrLambda: () => Number.NaN }),
      /lr must be a finite number, got NaN/,
    ],
  ];
  for (const [call, message] of refused)
    assert.throws(
      call,
      (error: Error) => error instanceof ValueError && message.test(error.message),
      String(message),
    );
  const schedule = new s.StepLR(makeOptimizer(), { stepSize: 3 });
  const before = schedule.stateDict();
  const damaged: [Record<string, unknown>, RegExp][] = [
    [{ ...before, gamma: 0.5 }, /the state has gamma 0.5, this schedule 0.1/],
    [{ ...before, lastEpoch: "many" }, /lastEpoch of the state is "many"/],
    [{ ...before, baseLrs: [1] }, /baseLrs of the state must be 2 numbers/],
    [{}, /lastEpoch of the state is missing/],
  ];
  for (const [state, message] of damaged) {
    assert.throws(() => schedule.loadStateDict(state as never), message);
    assert.deepEqual(schedule.stateDict(), before);
  }
  const chain = new s.ChainedScheduler([schedule]);
  assert.throws(() => chain.loadStateDict({ schedulers: [{ ...before, lastEpoch: -5 }] }), /-5/);
});

test("the learning rate follows the batch size", () => {
  assert.equal(s.scaleLr(0.1, { batchSize: 8192, baseBatchSize: 256 }), 3.2);
  assert.equal(s.scaleLr(0.1, { batchSize: 1024, baseBatchSize: 256, rule: "sqrt" }), 0.2);
});

/** Rates from the start on, resumed from a state at some step. */
function ratesOf(
  make: (o: optim.Optimizer) => ReturnType<typeof s.withWarmup>,
  steps: number,
  resumeAt = -1,
): string {
  let optimizer = makeOptimizer();
  let schedule = make(optimizer);
  const rates: string[] = [];
  for (let step = 0; step < steps; step++) {
    if (step === resumeAt) {
      const saved = [JSON.stringify(schedule.stateDict()), optimizer.stateDict()] as const;
      optimizer = makeOptimizer();
      schedule = make(optimizer);
      optimizer.loadStateDict(saved[1]);
      schedule.loadStateDict(JSON.parse(saved[0]) as optim.lrScheduler.SchedulerState);
    }
    const [a, b] = optimizer.paramGroups.map(({ lr }) => lr);
    assert.ok(Math.abs(b! / a! - 0.3) < 1e-12, `step ${step}: groups keep their own rates`);
    rates.push(a!.toFixed(3));
    schedule.step(1);
  }
  return rates.join(" ");
}

test("a warm-up stands before any schedule, which then begins as it would alone", () => {
  setBackend("interpreter");
  const rise = "0.250 0.500 0.750";
  const cases: [string, (o: optim.Optimizer) => optim.lrScheduler.Warmable][] = [
    ["1.000 0.500 0.250", (o) => new s.MultiplicativeLR(o, { lrLambda: () => 0.5 })],
    ["0.500 0.500 1.000", (o) => new s.ConstantLR(o, { factor: 0.5, totalIters: 2 })],
    ["1.000 0.667 0.333", (o) => new s.PolynomialLR(o, { totalIters: 3 })],
    [
      "0.500 0.250 0.250",
      (o) =>
        new s.ChainedScheduler([
          new s.ConstantLR(o, { factor: 0.5, totalIters: 2 }),
          new s.ExponentialLR(o, { gamma: 0.5 }),
        ]),
    ],
    [
      "0.500 1.000 0.500",
      (o) =>
        new s.SequentialLR(o, {
          schedulers: [
            new s.ConstantLR(o, { factor: 0.5, totalIters: 1 }),
            new s.ExponentialLR(o, { gamma: 0.5 }),
          ],
          milestones: [1],
        }),
    ],
    // The measure never improves: the first after the warm-up is the best, then one is waited for.
    ["1.000 1.000 1.000 0.500", (o) => new s.ReduceLROnPlateau(o, { factor: 0.5, patience: 1 })],
    [
      "0.500 1.000 0.500",
      (o) => s.withWarmup(new s.ExponentialLR(o, { gamma: 0.5 }), { steps: 1 }),
    ],
  ];
  for (const [after, make] of cases)
    for (const resumeAt of [-1, 2, 4]) {
      const steps = 3 + after.split(" ").length;
      const found = ratesOf((o) => s.withWarmup(make(o), { steps: 3 }), steps, resumeAt);
      assert.equal(found, `${rise} ${after}`, `${make} resumed at ${resumeAt}`);
    }
});

test("all optimizers take schedules", () => {
  setBackend("interpreter");
  for (const make of Object.values(optimizerCases)) {
    const optimizer = make([
      tensor([0], { requiresGrad: true }),
      tensor([0], { requiresGrad: true }),
    ]);
    const [before] = optimizer.paramGroups.map(({ lr }) => lr);
    new s.ExponentialLR(optimizer, { gamma: 0.5 }).step();
    assert.equal(optimizer.paramGroups[0]!.lr, before! / 2);
  }
});
