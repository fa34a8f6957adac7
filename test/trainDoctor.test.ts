/** Diagnoses of real runs: each planted fault is found by its name, healthy runs are left in peace; curves by synthetic events. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { manualSeed, nn, optim, type Tensor } from "../src/index.js";
import {
  type DiagnosedEvent,
  type Diagnosis,
  type DiagnosisFacts,
  DivergedError,
  diagnose,
  type Experiment,
  fit,
  type SymptomName,
  type TrainEvent,
} from "../src/train/index.js";
import { faultCases, healthyCases } from "./support/doctorCases.js";
import { type Architecture, type Fault, pictures, plant } from "./support/planted.js";

const fashion = fileURLToPath(new URL("../../shared/data/fashion-mnist", import.meta.url));

/** What each fault must be called. */
const expected: Readonly<Partial<Record<Fault, SymptomName>>> = {
  wrongInit: "initialLoss",
  rateTooHigh: "rateTooHigh",
  rateTooLow: "rateTooLow",
  shuffledLabels: "shuffledLabels",
  missingNormalization: "unnormalizedInput",
  deadReLUs: "deadUnits",
  frozenLayer: "frozenLayer",
  evaluationMode: "evaluationMode",
  nanInData: "nan",
  nanInLoss: "nan",
  saturated: "saturatedUnits",
};

async function eventsOf({ model, options }: Experiment, everySteps = 8): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => void events.push(event);
  try {
    await fit(model, { ...options, monitor: { everySteps }, debug: true, onEvent });
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
  }
  return events;
}

const spell = (found: readonly Diagnosis[]): string =>
  found.map(({ symptom, severity, evidence }) => `${severity} ${symptom}: ${evidence}`).join("\n");

const named = (found: readonly Diagnosis[], symptom: SymptomName): Diagnosis => {
  const one = found.find((other) => other.symptom === symptom);
  assert.ok(one, `${symptom} was not found, but:\n${spell(found)}`);
  return one;
};

async function checkFaults(folder: string | undefined, architecture: Architecture) {
  const shown = await pictures(2000, folder);
  for (const [fault, symptom] of Object.entries(expected) as [Fault, SymptomName][]) {
    // LeNet has no units that could saturate.
    if (fault === "saturated" && architecture === "lenet") continue;
    const events = await eventsOf(plant({ architecture, pictures: shown, fault, epochs: 4 }));
    const found = diagnose(events, { classes: 10 });
    const { severity, evidence, advice, values } = named(found, symptom);
    assert.equal(severity, "problem", `${fault}: ${spell(found)}`);
    assert.match(evidence, /\.$/);
    assert.match(advice, /\.$/);
    for (const value of Object.values(values)) assert.equal(typeof value, "number");
  }
  const events = await eventsOf(
    plant({ architecture, pictures: shown, fault: "healthy", epochs: 4 }),
  );
  const found = diagnose(events, { classes: 10 });
  assert.equal(found.length, 0, spell(found));
}

for (const architecture of ["mlp", "lenet"] as const) {
  test(`faults planted in ${architecture} on digits are found`, () =>
    checkFaults(undefined, architecture));
  const skip = existsSync(fashion) ? false : "data: Fashion-MNIST is not there";
  test(`faults planted in ${architecture} on Fashion-MNIST are found`, { skip }, () =>
    checkFaults(fashion, architecture),
  );
}

/** A stack of layers on flattened digits. */
async function stack(layers: nn.Layer[], options: { lr: number; epochs: number; train?: number }) {
  const shown = await pictures(1200);
  const planted = plant({
    ...{ architecture: "mlp", pictures: shown, fault: "healthy", epochs: options.epochs },
    ...(options.train !== undefined && { train: options.train }),
  });
  const model = new nn.Sequential(new nn.Flatten(), ...layers);
  const optimizer = new optim.Adam(model.parameters(), { lr: options.lr });
  return { ...planted, model, options: { ...planted.options, optimizer } };
}

test("gradients that vanish in a deep network of sigmoids", async () => {
  manualSeed(0);
  const hidden = Array.from({ length: 9 }, () => [new nn.Linear(32, 32), new nn.Sigmoid()]).flat();
  const layers = [new nn.Linear(784, 32), new nn.Sigmoid(), ...hidden, new nn.Linear(32, 10)];
  const events = await eventsOf(await stack(layers, { lr: 1e-3, epochs: 2 }));
  const found = diagnose(events, { classes: 10 });
  const { values, where } = named(found, "vanishingGradients");
  assert.ok(values.ratio! < 1e-4);
  assert.deepEqual(where, ["1.weight"]);
});

test("gradients that explode in a deep network with large weights", async () => {
  manualSeed(0);
  const hidden = Array.from({ length: 6 }, () => [new nn.Linear(64, 64), new nn.ReLU()]).flat();
  const layers = [new nn.Linear(784, 64), new nn.ReLU(), ...hidden, new nn.Linear(64, 10)];
  for (const layer of layers) if (layer instanceof nn.Linear) nn.init.normal(layer.weight, 0, 0.5);
  const events = await eventsOf(await stack(layers, { lr: 1e-5, epochs: 1 }));
  const found = diagnose(events, { classes: 10 });
  assert.equal(named(found, "explodingGradients").severity, "problem");
  named(found, "initialLoss");
});

test("a few examples are learned by heart and nothing else: overfitting", async () => {
  manualSeed(0);
  const layers = [new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, 10)];
  const experiment = await stack(layers, { lr: 1e-2, epochs: 30, train: 100 });
  const found = diagnose(await eventsOf(experiment), { classes: 10 });
  const { values } = named(found, "overfitting");
  assert.ok(values.gap! > 0.12 && values.validation! > values.best!, spell(found));
});

test("a model that is too small underfits", async () => {
  manualSeed(0);
  const layers = [new nn.Linear(784, 1), new nn.Tanh(), new nn.Linear(1, 10)];
  const found = diagnose(await eventsOf(await stack(layers, { lr: 5e-3, epochs: 10 })), {
    classes: 10,
  });
  const names = found.map(({ symptom }) => symptom);
  assert.ok(names.includes("underfitting") || names.includes("plateau"), spell(found));
});

test("parameters that the optimizer was not given, or that the forward pass does not use", async () => {
  const { model, options } = plant({
    ...{ architecture: "mlp", pictures: await pictures(400), fault: "healthy", epochs: 2 },
  });
  const own = [...model.namedParameters()];
  const some = own.flatMap(([name, p]) => (name.startsWith("fc1") ? [] : [p]));
  const optimizer = new optim.SGD(some, { lr: 0.05 });
  const events = await eventsOf({ model, options: { ...options, optimizer } });
  const { where, evidence, severity } = named(diagnose(events, { classes: 10 }), "frozenLayer");
  assert.deepEqual([where, severity], [["fc1.weight", "fc1.bias"], "problem"]);
  assert.match(evidence, /the optimizer was not given fc1\.weight, fc1\.bias/);

  class Cut extends nn.Module {
    readonly body = new nn.Linear(784, 32);
    readonly head = new nn.Linear(32, 10);
    forward(x: Tensor): Tensor {
      return this.head.forward(this.body.forward(x.flatten(1)).relu().detach());
    }
  }
  const cut = new Cut();
  const again = { ...options, optimizer: new optim.SGD(cut.parameters(), { lr: 0.05 }) };
  const seen = diagnose(await eventsOf({ model: cut, options: again }), { classes: 10 });
  assert.match(named(seen, "frozenLayer").evidence, /no gradient reaches body\.weight, body\.bias/);
});

test("a body that is frozen on purpose is a note, not a problem", async () => {
  const { model, options } = plant({
    ...{ architecture: "mlp", pictures: await pictures(400), fault: "healthy", epochs: 2 },
  });
  for (const [name, p] of model.namedParameters())
    if (!name.startsWith("fc3")) p.requiresGrad = false;
  const found = diagnose(await eventsOf({ model, options }), {});
  assert.equal(named(found, "frozenLayer").severity, "note");
});

/** Events of a run with these losses; noise that is the same each time. */
function curve(count: number, loss: (done: number) => number, lr = 1e-3): DiagnosedEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const noise = 1 + 0.02 * Math.sin(i * 12.9898) * Math.cos(i * 4.1414);
    return { type: "step", epoch: 1, step: i + 1, loss: loss(i / count) * noise, lr };
  });
}

const symptomsOf = (events: readonly DiagnosedEvent[], facts: DiagnosisFacts = {}) =>
  diagnose(events, facts).map(({ symptom }) => symptom);

test("curves by themselves: flat start, plateau, explosion, no fall, a rate too low", () => {
  const ten = { classes: 10 };
  const flat = curve(200, (done) => (done < 0.5 ? 2.3 : 2.3 * Math.exp(-6 * (done - 0.5))));
  assert.deepEqual(symptomsOf(flat, ten), ["flatStart"]);
  const plateau = curve(400, (done) => 1.4 + 0.9 * Math.exp(-20 * done));
  assert.deepEqual(symptomsOf(plateau, ten), ["plateau"]);
  const still = curve(100, () => 2.3);
  assert.deepEqual(symptomsOf(still, ten), ["lossNotFalling"]);
  const slow = curve(400, (done) => 2.3 * (1 - 0.1 * done), 1e-6);
  assert.deepEqual(symptomsOf(slow, ten), ["rateTooLow"]);
  const wild = curve(100, (done) => 2.3 * Math.exp(8 * done), 3);
  assert.deepEqual(symptomsOf(wild, ten), ["rateTooHigh"]);
  const good = curve(400, (done) => 0.1 + 2.2 * Math.exp(-5 * done));
  assert.deepEqual(symptomsOf(good, ten), []);
});

/** A look into the network in which one layer has this share of units at rest. */
function restingLook(step: number, kind: "ReLU" | "Tanh", resting: number): DiagnosedEvent {
  const at = kind === "ReLU" ? { dead: resting, saturated: 0 } : { dead: 0, saturated: resting };
  const activations = [{ name: "act", kind, mean: 0, std: 1, ...at }];
  return { type: "health", epoch: 1, step, parameters: [], activations, evalModules: [] };
}

test("units at rest are a problem from the start or where nothing is learned, else a remark", () => {
  const learned = curve(100, (done) => 0.1 + 2.2 * Math.exp(-5 * done));
  const severity = (events: readonly DiagnosedEvent[], kind: "ReLU" | "Tanh", first: number) => {
    const looks = [first, 0.85, 0.85].map((share, i) => restingLook(1 + 40 * i, kind, share));
    const [one, ...others] = diagnose([...events, ...looks], { classes: 10 }).filter(
      ({ symptom }) => /Units$/.test(symptom),
    );
    assert.equal(others.length, 0);
    return `${one?.severity} ${one?.symptom}`;
  };
  assert.equal(severity(learned, "Tanh", 0), "warning saturatedUnits");
  assert.equal(severity(learned, "Tanh", 0.8), "problem saturatedUnits");
  assert.equal(severity(learned, "ReLU", 0.1), "warning deadUnits");
  const still = curve(100, () => 2.3);
  assert.equal(severity(still, "ReLU", 0.1), "problem deadUnits");
  assert.equal(severity(still, "Tanh", 0), "problem saturatedUnits");
});

const caseNamed = (name: string) =>
  [...faultCases, ...healthyCases].find((one) => one.name === name)!;

test("weights that are all 0 are named, and what follows from them is not", async () => {
  const world = { kind: "mlp", pictures: await pictures(2000), seed: 1 } as const;
  const events = await eventsOf(caseNamed("wrong init: all zeros").make(world));
  const found = diagnose(events, { classes: 10 });
  assert.deepEqual(
    found.map(({ symptom, severity }) => `${severity} ${symptom}`),
    ["problem symmetricWeights"],
    spell(found),
  );
  assert.deepEqual(found[0]!.where, ["body.1.weight", "body.3.weight", "head.weight"]);
  const alike = named(diagnose([], { alikeWeights: ["fc1.weight"] }), "symmetricWeights");
  assert.match(alike.evidence, /^The units of fc1\.weight are all alike/);
});

test("numbers of any unit may be told: large gradients of a large loss are no explosion", async () => {
  const world = { kind: "mlp", pictures: await pictures(2000), seed: 1 } as const;
  const healthy = caseNamed("regression, targets from 0 to 900");
  const found = diagnose(await eventsOf(healthy.make(world)), {});
  assert.ok(
    found.every(({ severity }) => severity !== "problem"),
    spell(found),
  );
});

test("a loss that is not finite is named with the op that debug mode found", () => {
  const events: DiagnosedEvent[] = [
    ...curve(30, () => 2),
    {
      type: "failed",
      epoch: 1,
      step: 31,
      message: "fit: step 31: log gives NaN in fc (Net): log of 0",
    },
  ];
  const [first] = diagnose(events, {});
  assert.equal(first?.symptom, "nan");
  assert.equal(first.values.step, 31);
  assert.match(first.advice, /log of 0/);
});

test("validation examples among the training examples, and evaluation that stays random, are told", () => {
  const leaked = diagnose([], { sharedExamples: 0.25 });
  assert.match(named(leaked, "leakage").evidence, /^25% of the validation examples/);
  const random = diagnose([], { isEvaluationSteady: false });
  assert.equal(named(random, "evaluationMode").severity, "problem");
  assert.deepEqual(diagnose([], { sharedExamples: 0.001, isEvaluationSteady: true }), []);
});

test("nothing is concluded from nothing", () => {
  assert.deepEqual(diagnose([]), []);
  assert.deepEqual(diagnose(curve(3, () => 1)), []);
});
