/** The seven-step recipe: each planted fault ends in a verdict that names it, a healthy experiment in settings that train. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { data, manualSeed, nn, optim, randn, type Tensor } from "../src/index.js";
import {
  type DoctorEvent,
  type DoctorReport,
  doctorJson,
  doctorMarkdown,
  doctorPictures,
  type Experiment,
  examine,
  type Settings,
  type SymptomName,
} from "../src/train/index.js";
import { writeDoctorReport } from "../src/train/node/index.js";
import { type Architecture, type Fault, pictures, planted } from "./support/planted.js";
import { temporaryFolder } from "./trainSupport.js";

const shown = await pictures(1600);

const build = (fault: Fault, architecture: Architecture = "mlp") =>
  planted({ architecture, pictures: shown, fault });

const quick = (fault: Fault, architecture?: Architecture) =>
  examine(build(fault, architecture), { quick: true });

const outline = ({ steps }: DoctorReport): string =>
  steps.map(({ number, status }) => `${number} ${status}`).join(", ");

const problems = ({ diagnoses }: DoctorReport): string[] =>
  diagnoses.flatMap(({ symptom, severity }) => (severity === "problem" ? [symptom] : []));

/** A fault, what it must be called, and the step at which the recipe must stop, if it must. */
const faults: readonly (readonly [Fault, SymptomName, number | null])[] = [
  ["wrongInit", "initialLoss", 1],
  ["missingNormalization", "unnormalizedInput", 1],
  ["nanInData", "nan", 1],
  ["deadReLUs", "deadUnits", 2],
  ["rateTooHigh", "rateTooHigh", null],
  ["rateTooLow", "rateTooLow", null],
  ["shuffledLabels", "shuffledLabels", null],
  ["frozenLayer", "frozenLayer", null],
  ["evaluationMode", "evaluationMode", null],
  ["nanInLoss", "nan", null],
  ["leakage", "leakage", null],
];

for (const [fault, symptom, stop] of faults)
  test(`the recipe finds ${fault}`, async () => {
    const report = await quick(fault);
    assert.equal(report.status, "problems", report.verdict);
    assert.ok(problems(report).includes(symptom), JSON.stringify(report.diagnoses));
    assert.ok(report.advice.length > 0);
    const failed = report.steps.find(
      ({ status, name }) => status === "failed" && name !== "verdict",
    );
    if (stop !== null) {
      assert.equal(failed?.number, stop, outline(report));
      assert.equal(report.steps.length, stop + 1);
      assert.match(report.verdict, new RegExp(`^It stops at step ${stop} `));
    }
  });

test("a healthy experiment passes all steps, the same each time, and its settings train", async () => {
  const events: DoctorEvent[] = [];
  const onEvent = (event: DoctorEvent) => void events.push(event);
  const report = await examine(build("healthy"), { quick: true, onEvent });
  assert.equal(
    outline(report),
    "1 passed, 2 passed, 3 passed, 4 passed, 5 passed, 6 passed, 7 passed",
  );
  assert.deepEqual([report.status, report.diagnoses], ["healthy", []]);
  assert.ok(report.overfit!.reached && report.overfit!.losses.at(-1)! < 0.3);
  const { suggestion, lowest, points } = report.rangeTest!;
  assert.ok(suggestion! >= 1e-4 && suggestion! < lowest && points.length > 40);
  assert.ok(report.trials.length === 3 && report.trials[0]!.loss <= report.trials[1]!.loss);
  assert.ok(report.runs[0]!.accuracy! > 0.8);
  const { "optim.lr": lr } = report.settings;
  assert.equal(lr, report.runs[0]!.lr);
  assert.match(report.advice[0]!, /^Train with optim\.lr=/);

  const begun = events.flatMap((event) => (event.type === "begin" ? [event.number] : []));
  assert.deepEqual(begun, [1, 2, 3, 4, 5, 6, 7]);
  assert.ok(events.some((event) => event.type === "progress" && event.number === 5));

  const timeless = (one: DoctorReport) =>
    JSON.parse(doctorJson(one, "x"), (key, value) => (key === "seconds" ? 0 : value));
  const again = await quick("healthy");
  assert.deepEqual(timeless(again), timeless(report));
});

/** Sigmoids that learn slowly, from 64 examples of 4 numbers. */
const slowNetwork =
  (prepare: (layers: readonly [nn.Linear, nn.Linear]) => void, configured: number) =>
  async (changes: Settings = {}): Promise<Experiment> => {
    manualSeed(0);
    const x = randn([64, 4]);
    const y = x.narrow(1, 0, 1).squeeze(1).gt(0).int();
    const [first, second] = [new nn.Linear(4, 16), new nn.Linear(16, 16)];
    prepare([first, second]);
    const hidden = [first, new nn.Sigmoid(), second, new nn.Sigmoid()];
    const model = new nn.Sequential(...hidden, new nn.Linear(16, 2));
    const lr = Number(changes["optim.lr"] ?? configured);
    const train = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 16 });
    const optimizer = new optim.SGD(model.parameters(), { lr });
    return { model, classes: 2, options: { optimizer, train, epochs: 60 } };
  };

test("a rate that is far too low is no bug: a higher one is found", async () => {
  const report = await examine(
    slowNetwork(() => undefined, 1e-6),
    { quick: true },
  );
  assert.ok(report.overfit!.reached && report.overfit!.lr > 0.01, outline(report));
  const rate = report.diagnoses.find(({ symptom }) => symptom === "rateTooLow");
  assert.equal(rate?.severity, "problem", report.verdict);
  assert.match(report.verdict, /rate 1e-6/);
  assert.ok(Number(report.settings["optim.lr"]) > 0.01);
});

test("what nothing in the network explains is said once, without the rates that were tried", async () => {
  const build = slowNetwork(() => undefined, 1e-2);
  const report = await examine(
    async (changes) => {
      const experiment = await build(changes);
      const loss = (output: Tensor) => output.mul(0).mean().add(0.7);
      return { ...experiment, options: { ...experiment.options, loss } };
    },
    { quick: true },
  );
  assert.match(outline(report), /^1 passed, 2 failed, 7 failed$/);
  assert.ok(
    report.advice.every((one) => !one.startsWith("rate ")),
    String(report.advice),
  );
  assert.match(report.advice.join(" "), /bug/);
});

test("units that begin all alike are told from the weights", async () => {
  const report = await examine(
    slowNetwork(([, second]) => nn.init.constant(second.weight, 0.1), 0.5),
    { quick: true },
  );
  const found = report.diagnoses.find(({ symptom }) => symptom === "symmetricWeights");
  assert.deepEqual(found?.where, ["2.weight"]);
  assert.equal(report.status, "problems");
});

test("a healthy CNN is left in peace, a shuffled one is not", async () => {
  const healthy = await quick("healthy", "lenet");
  assert.deepEqual([healthy.status, healthy.diagnoses], ["healthy", []], healthy.verdict);
  const shuffled = await quick("shuffledLabels", "lenet");
  assert.ok(problems(shuffled).includes("shuffledLabels"), shuffled.verdict);
});

test("it stops when it is told to, when the budget is used up, and says so", async () => {
  const controller = new AbortController();
  const stopped = await examine(build("healthy"), {
    quick: true,
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === "progress" && event.number === 4) controller.abort();
    },
  });
  assert.equal(stopped.status, "stopped");
  assert.match(stopped.verdict, /it was stopped/);
  assert.ok(stopped.steps.length <= 5 && stopped.rangeTest !== null);

  const short = await examine(build("healthy"), { quick: true, budgetSeconds: 1e-6 });
  assert.match(short.verdict, /the budget of 0\.000001 s is used up/);
  await assert.rejects(examine(build("healthy"), { budgetSeconds: 0 }), /budgetSeconds is 0/);
});

test("an experiment without some settings is examined with what it has", async () => {
  const asked = new Set<string>();
  const base = build("healthy");
  const report = await examine(
    (changes: Settings = {}) => {
      for (const path of Object.keys(changes)) asked.add(path);
      return base(changes);
    },
    { quick: true, paths: { lr: "optim.lr", weightDecay: null, augment: null } },
  );
  assert.equal(report.status, "healthy", report.verdict);
  assert.deepEqual([...asked], ["optim.lr"]);
  assert.deepEqual(Object.keys(report.settings), ["optim.lr"]);
});

test("the report is written with its pictures; nothing in it breaks Markdown", async () => {
  const report = await quick("healthy");
  const folder = temporaryFolder();
  const { path, files } = writeDoctorReport(report, { out: folder, name: "../odd name*.yaml" });
  assert.deepEqual(readdirSync(path).sort(), [...files].sort());
  assert.deepEqual(readdirSync(folder).length, 1);
  const text = readFileSync(join(path, "report.md"), "utf8");
  assert.match(text, /^# \.\.\/odd name\\\*\.yaml\n\n\*\*It trains well/);
  assert.match(text, /!\[Learning-rate range test\]\(range-test\.svg\)/);
  assert.match(doctorMarkdown(report, "x"), /\| rate \| weight decay \|/);
  const parsed = JSON.parse(readFileSync(join(path, "report.json"), "utf8"));
  assert.deepEqual([parsed.status, parsed.steps.length], ["healthy", 7]);
  for (const [name, svg] of doctorPictures(report)) {
    assert.ok(svg.startsWith("<svg") && !/NaN|Infinity|undefined/.test(svg), name);
    assert.ok(files.includes(name));
  }
  const again = writeDoctorReport(report, { out: folder, name: "../odd name*.yaml" });
  assert.notEqual(again.path, path);
});
