/** `gradus sweep`, from a file to its folder, and what it says of wrong files. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCommandLine } from "../src/cli/program.js";
import { Screen } from "../src/cli/terminal/screen.js";
import { loadSweep } from "../src/tune/node/index.js";

const root = fs.mkdtempSync(join(tmpdir(), "gradus-"));
after(() => fs.rmSync(root, { recursive: true }));

async function run(...words: string[]) {
  const [out, err] = [[] as string[], [] as string[]];
  const screen = (lines: string[]) =>
    new Screen({ columns: 120, write: (text) => lines.push(text) }, {});
  const code = await runCommandLine(words, { io: { out: screen(out), err: screen(err) } });
  return { code, out: out.join(""), err: err.join("") };
}

let files = 0;
function write(text: string, ending = "yaml"): string {
  const path = join(root, `s${files++}.${ending}`);
  fs.writeFileSync(path, text);
  return path;
}

const config = `
model: { name: mlp, hidden: [16] }
data: { name: digits, limit: 500, validation: 0.2 }
train: { epochs: 2, batchSize: 100 }
`;
fs.writeFileSync(join(root, "digits.yaml"), config);

const small = `
name: small
run: digits.yaml
metric: validation.accuracy
space:
  optim.lr: { logGrid: [1e-4, 1e-1, 4] }
  model.activation: [relu, tanh]
sampler: grid
`;

test("a search ends with its best trial, pictures and table, and is gone on with", async () => {
  const file = write(small);
  const sweeps = join(root, "sweeps");
  const words = ["sweep", file, "--sweeps", sweeps, "--workers", "2"];
  const first = await run(...words, "--trials", "3", "--set", "train.epochs=1");
  assert.equal(first.code, 0, first.err);
  const other = await run(...words);
  assert.equal(other.code, 1);
  assert.match(other.err, /began with other settings/);
  const { code, out, err } = await run(...words, "--set", "train.epochs=1");
  assert.equal(code, 0, err);
  assert.match(out, /8 trials by 2 processes of \d+ thread/);
  assert.match(out, /3 ended before/);
  assert.match(out, /Best validation.accuracy 0\.\d+: trial \d of 8/);
  assert.match(
    out,
    /gradus train .*digits.yaml --set train.epochs=1 --set optim.lr=\S+ --set model.activation=(relu|tanh)/,
  );
  const folder = join(sweeps, "small");
  const names = ["history", "reports", "parallel", "slices", "importance"];
  for (const name of names) {
    const svg = fs.readFileSync(join(folder, `${name}.svg`), "utf8");
    assert.match(svg, /^<svg/);
    assert.ok(!svg.includes("NaN"), name);
  }
  const page = fs.readFileSync(join(folder, "index.html"), "utf8");
  assert.equal(page.match(/<svg/g)!.length, names.length);
  const rows = fs.readFileSync(join(folder, "trials.csv"), "utf8").trim().split("\r\n");
  assert.equal(rows.length, 9);
  const combinations = rows.slice(1).map((row) => row.split(",").slice(3, 5).join());
  assert.equal(new Set(combinations).size, 8, "each of the grid's once");
  assert.deepEqual(fs.readdirSync(join(folder, "trials", "0000")).includes("config.json"), true);
  const shown = await run(...words, "--show", "--limit", "4");
  const values = Array.from(shown.out.matchAll(/complete +(0\.\d+)/g), ([, value]) =>
    Number(value),
  );
  assert.deepEqual(
    values,
    [...values].sort((a, b) => b - a),
  );
  assert.equal(values.length, 4);
  assert.match(shown.out, /and 4 more/);
});

test("stages go from coarse to fine in one command", async () => {
  const file = write(
    `
    run: { ...inside }
    metric: train.loss
    space: { optim: { lr: { logUniform: [1e-5, 1] }, name: [sgd, adam] } }
    sampler: { kind: random, seed: 1 }
    stages:
      - { trials: 6, set: { train.epochs: 1 } }
      - { trials: 3, keep: 0.34, again: 1 }
  `.replace(
      "{ ...inside }",
      "{ model: { name: mlp, hidden: [16] }, data: { name: digits, limit: 300 }, train: { epochs: 2 } }",
    ),
  );
  const sweeps = join(root, "staged");
  const { code, out, err } = await run(
    "sweep",
    file,
    "--sweeps",
    sweeps,
    "--workers",
    "1",
    "--name",
    "two",
  );
  assert.equal(code, 0, err);
  assert.match(out, /Stage 1 of 2[\s\S]*Stage 2 of 2/);
  const page = fs.readFileSync(join(sweeps, "two", "index.html"), "utf8");
  for (const part of ['href="stage-1/index.html"', 'href="stage-2/index.html"', "<td>6 of 6</td>"])
    assert.ok(page.includes(part), part);
  assert.match(out, /Pictures and table: \S+two\/index.html/);
  assert.match(out, / lr=\S+ {2}optim.name=(sgd|adam)/);
  const rows = (stage: number) =>
    fs
      .readFileSync(join(sweeps, "two", `stage-${stage}`, "trials.csv"), "utf8")
      .trim()
      .split("\r\n")
      .slice(1)
      .map((row) => row.split(","));
  const [coarse, fine] = [rows(1), rows(2)];
  assert.deepEqual([coarse.length, fine.length], [6, 3]);
  const best = [...coarse].sort((a, b) => Number(a[2]) - Number(b[2]));
  assert.equal(fine[0]![3], best[0]![3], "the best is run again");
  const rates = best.slice(0, 3).map((row) => Math.log10(Number(row[3])));
  const room = 0.5;
  for (const [, , , lr] of fine) {
    const at = Math.log10(Number(lr));
    assert.ok(at >= Math.min(...rates) - room && at <= Math.max(...rates) + room);
  }
  const again = await run("sweep", file, "--sweeps", sweeps, "--name", "two", "--workers", "1");
  assert.equal(again.code, 0);
  assert.deepEqual([rows(1), rows(2)], [coarse, fine]);
  const trials = await run("sweep", file, "--sweeps", sweeps, "--name", "two", "--trials", "9");
  assert.equal(trials.code, 2);
});

test("TypeScript says the same", async () => {
  const file = write(
    `import { defineSweep, logUniform } from "gradus/tune";
     export default defineSweep({
       run: "digits.yaml",
       space: { "optim.lr": logUniform(1e-4, 1e-1), "train.batchSize": { integer: [50, 100, 50] } },
       metric: "validation.loss",
       sampler: { kind: "random", seed: 3 },
       trials: 7,
       workers: 1,
     });`,
    "ts",
  );
  const { direction, space, stages, workers, name } = await loadSweep(file);
  assert.deepEqual([direction, workers, stages.length, stages[0]!.trials], ["minimize", 1, 1, 7]);
  assert.match(name, /^s\d+$/);
  assert.deepEqual(space.toJSON(), {
    "optim.lr": { kind: "logUniform", low: 1e-4, high: 1e-1 },
    "train.batchSize": { kind: "integer", low: 50, high: 100, step: 50 },
  });
});

test("a configuration inside of TypeScript may have functions, and its own settings are searched", async () => {
  const file = write(
    `import { nn } from "gradus";
     import { defineSweep } from "gradus/tune";
     export default defineSweep({
       name: "own",
       run: {
         model: {
           width: 8,
           build: ({ inputShape: [c, h, w], outputs, options }) =>
             new nn.Sequential(
               new nn.Flatten(),
               new nn.Linear(c * h * w, options.width),
               new nn.ReLU(),
               new nn.Linear(options.width, outputs),
             ),
         },
         data: { name: "digits", limit: 200 },
         train: { epochs: 1 },
       },
       space: { "model.width": [4, 24] },
       metric: "train.loss",
       sampler: "grid",
       workers: 1,
     });`,
    "ts",
  );
  const sweeps = join(root, "typescript");
  const { code, out, err } = await run("sweep", file, "--sweeps", sweeps);
  assert.equal(code, 0, err);
  assert.match(out, /Best train.loss \d/);
  assert.ok(!out.includes("gradus train"), "its configuration is no file");
  const sizes = ["0000", "0001"].map(
    (name) => fs.statSync(join(sweeps, "own", "trials", name, "model.safetensors")).size,
  );
  const [small, large] = sizes.sort((a, b) => a - b);
  assert.ok(large! > 5 * small!, sizes.join());
  assert.ok(!fs.existsSync(join(sweeps, "own", "trials", "0000", "checkpoints")));
});

test("what is wrong with a file is said with its path, what came and what was expected", async () => {
  const cases: [change: (text: string) => string, ...messages: RegExp[]][] = [
    [
      (text) => text.replace("run: digits.yaml", "run: 7"),
      /run is 7; expected a path or a configuration/,
    ],
    [(text) => text.replace("digits.yaml", "missing.yaml"), /missing.yaml: no such file/],
    [
      (text) => text.replace("validation.accuracy", "accuracy"),
      /line 4: metric is "accuracy"; expected train. or validation./,
    ],
    [
      (text) => text.replace("[1e-4, 1e-1, 4]", "[1e-1, 1e-4, 4]"),
      /space.optim.lr is \{"logGrid":\[0.1,0.0001,4\]\}; .*low must be less than high/,
    ],
    [
      (text) => text.replace("[relu, tanh]", "relu"),
      /space.model.activation is "relu"; expected a distribution/,
    ],
    [
      (text) => text.replace("sampler: grid", "sampler: tpee"),
      /sampler is "tpee"; .*no kind "tpee"/,
    ],
    [
      (text) => `${text}\ntrails: 5\nworkers: 0.5`,
      /trails is unknown; did you mean "trials"/,
      /workers is 0.5; expected a whole number/,
    ],
    [(text) => text.replace("[relu, tanh]", "[relu, tanhh]"), /model.activation is "tanhh"/],
    [(text) => text.replace("optim.lr", "optim.learn"), /optim.learn/],
    [
      (text) => `${text}\nstages: [{ trials: 1 }]\ntrials: 3`,
      /trials is 3|trials stands beside stages/,
    ],
    [() => "[1, 2", /s\d+.yaml/],
  ];
  for (const [change, ...messages] of cases) {
    const { code, err } = await run("sweep", write(change(small)), "--sweeps", join(root, "none"));
    for (const message of messages) assert.match(err, message);
    assert.equal(code, 2, err);
  }
  assert.equal((await run("sweep", join(root, "nothing.yaml"))).code, 2);
  const shown = await run("sweep", write(small), "--sweeps", join(root, "none"), "--show");
  assert.deepEqual([shown.code, fs.existsSync(join(root, "none"))], [2, false]);
  assert.match(shown.err, /there is no search "small"/);
});
