/** Configurations: what is written out, what is refused and how, what is built. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nn, optim, type Tensor, tensor } from "../src/index.js";
import { transforms } from "../src/train/config/augmentations.js";
import { optimizers } from "../src/train/config/optimizers.js";
import { keysAt, schemaAt } from "../src/train/config/problems.js";
import { resolveConfig } from "../src/train/config/resolve.js";
import { mixes } from "../src/train/config/training.js";
import {
  ConfigError,
  configJsonSchema,
  defineRun,
  type RunDefinition,
  type Settings,
} from "../src/train/index.js";

const least = { model: "mlp", data: "digits" };

function problems(raw: unknown, changes: Settings = {}): string[] {
  try {
    resolveConfig(raw, "run.yaml", { changes });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ path, message }) => `${path} ${message}`);
  }
  return [];
}

test("the least configuration has every default written out", () => {
  const { config } = resolveConfig(least, "run.yaml");
  assert.deepEqual(config.model, {
    ...{ name: "mlp", hidden: [128], norm: "none", activation: "relu", dropout: 0 },
    ...{ init: "default", initStd: 0.01 },
  });
  assert.deepEqual(config.data, {
    ...{ name: "digits", validation: 0.1, splitSeed: 0, augment: [], normalize: true },
  });
  assert.equal(config.optim.name, "adam");
  assert.equal(config.optim.lr, 1e-3);
  assert.equal(config.optim.weightDecay, 0);
  assert.deepEqual(config.schedule, { name: "constant" });
  const { epochs, batchSize, seed, accumulate, checkpoint } = config.train;
  assert.deepEqual([epochs, batchSize, seed, accumulate, checkpoint.keep], [10, 64, 0, 1, 3]);
});

test("what was written out is read again to the same, and is plain JSON", () => {
  const raw = {
    ...{ model: { name: "cnn", channels: [4] }, data: { name: "digits", augment: ["shift"] } },
    ...{ loss: "mse", schedule: { name: "step", stepSize: 3 }, metrics: ["accuracy", "f1"] },
    train: { mix: "cutmix", earlyStopping: {}, clip: { norm: 1 }, ema: { decay: 0.9 } },
  };
  const { config } = resolveConfig(raw, "run.yaml");
  const again = resolveConfig(JSON.parse(JSON.stringify(config)), "again").config;
  assert.deepEqual(again, config);
  assert.deepEqual(config.data.augment, [{ name: "shift", pixels: 1 }]);
  assert.deepEqual(config.train.mix, { name: "cutmix", alpha: 1 });
});

test("all problems come at once: where, what came, what was expected, what was meant", () => {
  const found = problems({
    modle: "mlp",
    model: { name: "mpl" },
    data: { name: "digits", limitt: 3, augment: ["randomHorizontalFlop", { name: "cutout" }] },
    optim: { name: "adam", lr: "fast", betas: [0.9], momentum: 1 },
    train: { epochs: 0, batchSize: 2.5, clip: { nrom: 1 } },
    metrics: "accuracy",
  });
  const expected: RegExp[] = [
    /^modle is unknown; did you mean "model"\?$/,
    /^model is "mpl"; expected cnn, lenet, mlp, resnet, custom; did you mean "mlp"\?$/,
    /^data.limitt is unknown; did you mean "limit"\?$/,
    /^data.augment.0 is "randomHorizontalFlop"; did you mean "randomHorizontalFlip"\?$/,
    /^data.augment.1.length is missing; expected a whole number ≥ 1$/,
    /^optim.lr is "fast"; expected a number ≥ 0$/,
    /^optim.betas/,
    /^optim.momentum is unknown; expected name, lr, betas/,
    /^train.epochs is 0; expected a whole number ≥ 1 and ≤ 100000$/,
    /^train.batchSize is 2.5; expected a whole number ≥ 1/,
    /^train.clip.norm is missing; expected a number above 0$/,
    /^train.clip.nrom is unknown; did you mean "norm"\?$/,
    /^metrics is "accuracy"; expected a list/,
  ];
  for (const pattern of expected)
    assert.ok(
      found.some((line) => pattern.test(line)),
      `${pattern} in\n${found.join("\n")}`,
    );
  assert.equal(found.length, expected.length, found.join("\n"));
});

test("what is no configuration is refused", () => {
  for (const raw of [null, 3, "mlp", [], undefined])
    assert.match(problems(raw)[0]!, /expected settings such as model/);
  assert.deepEqual(
    problems({}).map((line) => line.split(";")[0]),
    ["model is missing", "data is missing"],
  );
  assert.match(problems({ ...least, data: {} })[0]!, /^data is missing|^data.*expected cifar10/);
  assert.match(problems({ ...least, model: "custom" })[0]!, /expected a function `build`/);
  assert.match(problems({ ...least, data: "custom" }).join(), /expected a function `load`/);
  assert.match(problems({ ...least, loss: "custom" })[0]!, /expected a function/);
  assert.match(problems({ ...least, name: "../x" })[0]!, /name is "\.\.\/x"/);
  const hostile = JSON.parse('{"model":"mlp","data":"digits","__proto__":{"x":1},"constructor":1}');
  assert.match(problems(hostile).join(), /constructor is unknown/);
});

test("settings are changed by path; a path that is not there is refused with a suggestion", () => {
  const changed = (changes: Settings, raw: object = least) =>
    resolveConfig(raw, "run.yaml", { changes }).config;
  assert.equal(changed({ "optim.lr": 3e-4 }).optim.lr, 3e-4);
  assert.deepEqual(changed({ "model.hidden": [4] }).model.hidden, [4]);
  assert.deepEqual(
    changed({ "model.hidden.0": 5 }, { ...least, model: { name: "mlp", hidden: [4, 2] } }).model
      .hidden,
    [5, 2],
  );
  assert.equal(changed({ "train.epochs": 3, "train.seed": 9 }).train.seed, 9);
  assert.equal(changed({ optim: "sgd", "optim.momentum": 0.9 }).optim.momentum, 0.9);
  assert.equal(changed({ "optim.name": "sgd", "optim.nesterov": false }).optim.name, "sgd");
  assert.equal(changed({ "data.limit": 10 }).data.limit, 10);
  assert.equal(
    changed({ "data.augment": false }, { ...least, data: { name: "digits", augment: ["shift"] } })
      .data.augment,
    false,
  );
  assert.deepEqual(changed({ "data.augment": ["shift"] }).data.augment, [
    { name: "shift", pixels: 1 },
  ]);
  assert.equal(changed({ "train.earlyStopping.patience": 2 }).train.earlyStopping?.patience, 2);
  assert.deepEqual(changed({ "train.mix": "mixup" }).train.mix, { name: "mixup", alpha: 0.2 });
  const refused: [Settings, RegExp][] = [
    [{ "optim.lrr": 1 }, /^optim.lrr is unknown; did you mean "lr"\?$/],
    [{ "trian.epochs": 1 }, /^trian is unknown; did you mean "train"\?$/],
    [{ lr: 1 }, /^lr is unknown/],
    [{ "optim.lr.x": 1 }, /optim.lr.x is unknown|leads into optim.lr/],
    [{ "optim.lr": -1 }, /^optim.lr is -1; expected a number ≥ 0$/],
    [{ "model.hidden.7": 1 }, /model.hidden/],
    [{ "__proto__.x": 1 }, /unknown/],
    [{ "train.constructor": 1 }, /unknown/],
  ];
  for (const [changes, pattern] of refused)
    assert.match(problems(least, changes).join("\n"), pattern, JSON.stringify(changes));
  assert.equal(({} as { x?: number }).x, undefined);
});

test("options beside a function may be changed, and no others", () => {
  const raw: RunDefinition = defineRun({
    model: { build: () => new nn.Identity(), width: 3 },
    data: "digits",
  });
  const { config, parts } = resolveConfig(raw, "run.ts", { changes: { "model.width": 5 } });
  assert.deepEqual(config.model, { name: "custom", width: 5 });
  assert.equal(typeof parts.model, "function");
  assert.match(problems(raw, { "model.widht": 5 })[0]!, /did you mean "width"\?/);
  assert.deepEqual(raw.model, raw.model);
});

test("every optimizer's defaults are its own", () => {
  const classes: Record<string, new (p: Tensor[]) => optim.Optimizer> = {
    ...{ adadelta: optim.Adadelta, adagrad: optim.Adagrad, adam: optim.Adam, adamax: optim.Adamax },
    ...{ adamw: optim.AdamW, lion: optim.Lion, nadam: optim.NAdam, radam: optim.RAdam },
    ...{ rmsprop: optim.RMSprop, sgd: optim.SGD },
  };
  assert.deepEqual(Object.keys(optimizers).sort(), Object.keys(classes).sort());
  for (const [name, Class] of Object.entries(classes)) {
    const p = () => [tensor([1], { requiresGrad: true })];
    const { config } = resolveConfig({ ...least, optim: name }, "run");
    const { name: _, decay, ...options } = config.optim;
    const made = (optimizers as Record<string, { make(o: object, p: Tensor[]): optim.Optimizer }>)[
      name
    ]!.make(options, p());
    assert.ok(made instanceof Class, name);
    assert.deepEqual(made.stateDict().paramGroups, new Class(p()).stateDict().paramGroups, name);
    assert.equal(decay, "all");
  }
});

test("the schema for editors knows what the check knows", () => {
  const schema = configJsonSchema();
  const text = JSON.stringify(schema);
  assert.doesNotMatch(text, /"custom"/);
  for (const name of [
    ...Object.keys(optimizers),
    ...Object.keys(transforms),
    ...Object.keys(mixes),
  ])
    assert.ok(text.includes(`"const":"${name}"`), name);
  assert.ok(keysAt(["train"], {}).includes("earlyStopping"));
  assert.equal(schemaAt(["optim", "lr"], { optim: { name: "sgd" } })?.default, 1e-3);
  assert.equal(schemaAt(["optim", "lrr"], { optim: { name: "sgd" } }), undefined);
});
