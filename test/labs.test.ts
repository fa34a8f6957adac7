/** Every lab in its short form: a sentence with its numbers, pictures that are there; and the command that lists and runs them. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { outputSize, receptiveField } from "../labs/05-convolutions/convolutions.js";
import { type LabEntry, labs } from "../labs/index.js";
import { loadLabs } from "../src/cli/labs.js";
import { runCommandLine } from "../src/cli/program.js";
import { Screen } from "../src/cli/terminal/screen.js";
import { manualSeed } from "../src/index.js";
import { backends, use } from "./support/backends.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);
const out = mkdtempSync(join(tmpdir(), "gradus-labs-"));
after(() => rmSync(out, { recursive: true }));

const onDigits = labs.filter(({ data }) => data === undefined);

/** Starts as a PNG or an SVG file does. */
function isPicture(path: string): boolean {
  const bytes = readFileSync(path);
  return path.endsWith(".png")
    ? bytes.subarray(1, 4).toString() === "PNG"
    : /^<svg .*<(path|rect) .*<\/svg>\s*$/s.test(bytes.toString());
}

async function runShort({ name, load }: LabEntry) {
  manualSeed(1);
  const folder = join(out, name);
  const lines: string[] = [];
  const lab = await load();
  const log = (line: string) => lines.push(line);
  return { folder, lines, ...(await lab({ short: true, out: folder, log })) };
}

/** What must hold even in the short form: facts of mathematics, and differences that are large. */
const facts: Readonly<Record<string, (m: Readonly<Record<string, number>>) => boolean>> = {
  neighbours: (m) => m.accuracy! > 0.8 && m.most! > m.fewest!,
  "linear-classifier": (m) => m.softmax! > 0.7 && m.hinge! > 0.7 && m.perceptron! > 0.7,
  losses: (m) => m.hingeFall === 0 && m.softmaxFall! > 0.1,
  gradients: (m) =>
    m.double! < 1e-7 && m.single! > m.double! && m.kinks === 1 && m.gradient! > m.randomSteps!,
  "two-layers": (m) => m.HOGLinear! > 0.8,
  backpropagation: (m) => m.first! < 1e-12 && m.apart! < 1e-4,
  convolutions: (m) => m.agreeing === m.shapes && m.equal === m.fields && m.share! < 0.7,
  activations: (m) => Math.abs(m.sigmoidSlope! - 0.25) < 1e-6 && m.sigmoidPassed! < 1e-3,
  initialisation: (m) => m.small! < 1e-6 && Math.abs(m.kaiming! - 1) < 0.9 && m.xavier! < 0.2,
  "batch-norm": (m) => m.spreadEvaluation! < 1e-4 && m.spreadTraining! > 0.1 && m.folded! < 1e-3,
  optimizers: (m) => m.lowest! < m.highest!,
  schedules: (m) => m.best! > 0.5 && m.lowestLoss! < m.constantLoss!,
  regularisation: (m) => m.best! > 0.2,
  search: (m) => m.random! < 2.3 && m.tpe! < 2.3 && m.mostImportant! > 0.1,
};

for (const entry of onDigits)
  test(`${entry.name} in its short form`, async () => {
    const { folder, lines, measures, sentence } = await runShort(entry);
    assert.ok(facts[entry.name]!(measures), JSON.stringify(measures));
    assert.match(sentence, /^[A-Z\d].*\d.*\.$/);
    assert.doesNotMatch(sentence, /NaN|undefined|Infinity/);
    const pictures = readdirSync(folder);
    assert.ok(pictures.length > 0 && pictures.every((name) => isPicture(join(folder, name))));
    assert.equal(lines.filter((line) => line.startsWith("Picture: ")).length, pictures.length);
  });

test("the same seed gives the same finding", async () => {
  const entry = labs.find(({ name }) => name === "optimizers")!;
  const [first, second] = [await runShort(entry), await runShort(entry)];
  assert.deepEqual(first.measures, second.measures);
});

test("every lab ends when it is told to", async () => {
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  for (const { load } of onDigits) {
    const lab = await load();
    await assert.rejects(lab({ short: true, signal: stop.signal }), /stopped/);
  }
});

test("the formulas of convolutions", () => {
  assert.equal(outputSize(32, { kernel: 5, padding: 2 }), 32);
  assert.equal(outputSize(227, { kernel: 11, stride: 4 }), 55);
  assert.equal(receptiveField([{ kernel: 3 }, { kernel: 3 }, { kernel: 3 }]), 7);
  assert.equal(
    receptiveField([
      { kernel: 7, stride: 2 },
      { kernel: 3, stride: 2 },
    ]),
    11,
  );
});

/** Runs a command line in this process. */
async function run(...words: string[]) {
  let [text, err] = ["", ""];
  const io = {
    out: new Screen({ write: (piece) => (text += piece) }, {}),
    err: new Screen({ write: (piece) => (err += piece) }, {}),
  };
  const code = await runCommandLine(words, { io });
  return { code, out: text, err };
}

test("gradus lab lists all labs", async () => {
  const listed = await run("lab");
  assert.equal(listed.code, 0);
  for (const { name, title } of await loadLabs()) {
    assert.ok(listed.out.includes(name) && listed.out.includes(title), name);
    assert.match(name, /^[a-z]+(-[a-z]+)*$/);
  }
  assert.equal(new Set(labs.map(({ name }) => name)).size, labs.length);
});

test("gradus lab runs one and leaves its pictures", async () => {
  const folder = join(out, "command");
  const { code, out: text, err } = await run("lab", "losses", "--short", "--out", folder);
  assert.equal(code, 0, err);
  assert.match(text, /hinge loss falls by 0\.000/);
  assert.ok(existsSync(join(folder, "losses.svg")));
});

test("gradus lab takes other pictures", async () => {
  const digits = fileURLToPath(new URL("../assets/mnist", import.meta.url));
  const words = ["lab", "fashion-softmax", "--short", "--data", digits];
  const { code, out: text, err } = await run(...words, "--out", join(out, "softmax"));
  assert.equal(code, 0, err);
  assert.match(text, /Softmax regression gets \d/);
});

test("gradus lab says what is wrong", async () => {
  const cases: [string[], RegExp][] = [
    [["lab", "optimisers"], /no lab "optimisers"; did you mean "optimizers"\?/],
    [["lab", "losses", "--data", join(out, "gone")], /--data .*gone: no such file or folder/],
    [["lab", "losses", "--seed", "-1"], /argument/],
  ];
  for (const [words, message] of cases) {
    const { code, err } = await run(...words);
    assert.equal(code, 2, words.join(" "));
    assert.match(err, message);
  }
});
