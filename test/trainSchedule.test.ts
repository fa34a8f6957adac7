/** Schedules in the training loop: any scheduler runs, is kept in checkpoints, and goes on bit for bit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { data, manualSeed, nn, optim, setBackend, tensor } from "../src/index.js";
import type { SafetensorsContent } from "../src/io/browser.js";
import { decodeSafetensors, encodeSafetensors } from "../src/io/browser.js";
import {
  cosineSchedule,
  type FitOptions,
  fit,
  plateauSchedule,
  ResumeError,
  scheduler,
} from "../src/train/index.js";
import { wave } from "./support/golden.js";

const { lrScheduler: s } = optim;

function setUp(options: Partial<FitOptions>) {
  setBackend("interpreter");
  manualSeed(4);
  const y = tensor(
    Array.from({ length: 12 }, (_, i) => i % 2),
    { dtype: "int32" },
  );
  const set = new data.TensorDataset(wave([12, 3], 0, 1), y);
  const train = new data.DataLoader(set, { batchSize: 4, shuffle: true, seed: 1 });
  const model = new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 2));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const rates: number[] = [];
  const onEvent: FitOptions["onEvent"] = (event) => {
    if (event.type === "step") rates.push(event.lr);
  };
  const all: FitOptions = { optimizer, train, epochs: 3, onEvent, ...options };
  return { model, optimizer, rates, options: all };
}

const oneCycle = scheduler(
  (optimizer, totalSteps) =>
    new s.ChainedScheduler([
      new s.OneCycleLR(optimizer, { maxLr: 1, totalSteps }),
      new s.ExponentialLR(optimizer, { gamma: 0.9 }),
    ]),
);

test("a run with any schedule is resumed bit for bit", async () => {
  const whole = setUp({ schedule: oneCycle });
  await fit(whole.model, whole.options);
  assert.equal(whole.rates.length, 9);
  assert.ok(whole.rates[2]! > whole.rates[0]! && whole.rates[8]! < whole.rates[2]!);
  let kept: SafetensorsContent | undefined;
  const stop = new AbortController();
  const first = setUp({
    schedule: oneCycle,
    signal: stop.signal,
    checkpoint: {
      save: (content) => {
        kept = decodeSafetensors(encodeSafetensors(content.tensors, content.metadata));
      },
    },
  });
  const { onEvent } = first.options;
  await fit(first.model, {
    ...first.options,
    onEvent: async (event) => {
      await onEvent?.(event);
      if (event.type === "step" && event.step === 5) stop.abort();
    },
  });
  const second = setUp({ schedule: oneCycle, resume: kept! });
  await fit(second.model, second.options);
  assert.deepEqual([...first.rates, ...second.rates], whole.rates);
  assert.deepEqual(
    second.model.parameters().map((p) => [...p.data]),
    whole.model.parameters().map((p) => [...p.data]),
  );
  for (const schedule of [undefined, cosineSchedule()]) {
    const other = setUp({ resume: kept!, ...(schedule && { schedule }) });
    await assert.rejects(fit(other.model, other.options), ResumeError);
  }
});

test("the factor of a function is that of the middle of each step", async () => {
  const { model, rates, options } = setUp({ schedule: (done) => done });
  await fit(model, options);
  rates.forEach((lr, step) => {
    assert.ok(Math.abs(lr - (0.1 * (step + 0.5)) / 9) < 1e-12, `${step}: ${lr}`);
  });
});

test("without a schedule, events may change the rate", async () => {
  const { model, optimizer, rates, options } = setUp({});
  const plateau = new s.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 0, mode: "max" });
  const { onEvent } = options;
  await fit(model, {
    ...options,
    onEvent: async (event) => {
      await onEvent?.(event);
      if (event.type === "epoch") plateau.step(-event.epoch);
    },
  });
  assert.deepEqual(rates, [...Array(6).fill(0.1), ...Array(3).fill(0.05)]);
});

test("a warm-up stands before a schedule on plateau, which then begins to look; in the middle of it a run is resumed", async () => {
  // A falling loss is no improvement for `max`.
  const monitor = { monitor: "train.loss", mode: "max" } as const;
  const schedule = plateauSchedule({ ...monitor, warmup: 0.2, patience: 0, factor: 0.5 });
  const kept = new Map<number, SafetensorsContent>();
  const save = ({ tensors, metadata }: SafetensorsContent, { step }: { step: number }) => {
    kept.set(step, decodeSafetensors(encodeSafetensors(tensors, metadata)));
  };
  const whole = setUp({ schedule, epochs: 5, checkpoint: { everySteps: 2, save } });
  await fit(whole.model, whole.options);
  const expected = [0.025, 0.05, 0.075, ...Array(6).fill(0.1), ...Array(3).fill(0.05)];
  expected.push(...Array(3).fill(0.025));
  assert.ok(
    whole.rates.every((lr, i) => Math.abs(lr - expected[i]!) < 1e-12),
    `${whole.rates}`,
  );
  const rest = setUp({ schedule, epochs: 5, resume: kept.get(2)! });
  await fit(rest.model, rest.options);
  assert.deepEqual(rest.rates, whole.rates.slice(2));
  assert.throws(() => plateauSchedule({ ...monitor, warmup: 2 }), /warmup is 2; expected 0 to 1/);
});
