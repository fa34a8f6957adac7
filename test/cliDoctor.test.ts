/** `gradus doctor`: on a recipe, a configuration and a run's folder; exit codes, files, wrong input, Ctrl-C. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gradus, startGradus, temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();

test("a healthy recipe: every step passes, report and pictures are written, exit code 0", async () => {
  const out = join(folder, "healthy");
  const few = ["--set", "data.limit=1600", "--set", "optim.lr=2e-3"];
  const { code, out: text, err } = await gradus("doctor", "lenet", "--quick", "--out", out, ...few);
  assert.equal(code, 0, text + err);
  for (const title of ["First loss", "Overfit", "range test", "Coarse search", "Longer runs"])
    assert.match(text, new RegExp(`✓ \\d .*${title}`));
  assert.match(text, /Verdict {2}It trains well\./);
  assert.match(text, /Try it: .* train lenet --set optim\.lr=/);
  const [name] = readdirSync(out);
  assert.match(name!, /^lenet-\d{4}-\d\d-\d\d-001$/);
  const files = readdirSync(join(out, name!)).sort();
  assert.deepEqual(files, [
    ...["health.svg", "overfit.svg", "range-test.svg", "report.json", "report.md", "runs.svg"],
  ]);
});

test("a configuration with a fault: the problem is named, exit code 1", async () => {
  const config = join(folder, "raw.yaml");
  writeFileSync(
    config,
    [
      "model: { name: mlp }",
      "optim: { name: adam, lr: 1e-3 }",
      "data: { name: digits, normalize: { mean: 0, std: 0.003 }, limit: 800 }",
    ].join("\n"),
  );
  const out = join(folder, "raw");
  const { code, out: text, err } = await gradus("doctor", config, "--quick", "--out", out);
  assert.equal(code, 1, text + err);
  assert.match(text, /✗ 1 First loss/);
  assert.match(
    text.replace(/\s+/g, " "),
    /The inputs have the mean [\d.]+ and the standard deviation/,
  );
  const [name] = readdirSync(out);
  const report = JSON.parse(readFileSync(join(out, name!, "report.json"), "utf8"));
  assert.equal(report.diagnoses[0].symptom, "unnormalizedInput");
});

/** A run's folder with a log of these losses. */
function writeRun(name: string, losses: readonly number[], more: readonly object[] = []): string {
  const path = join(folder, "runs", name);
  mkdirSync(path, { recursive: true });
  const lines = [
    ...losses.map((loss, i) => ({ type: "step", epoch: 1, step: i + 1, loss, lr: 1e-3 })),
    ...more,
  ];
  writeFileSync(join(path, "log.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

test("a run's log is read: findings with what to do, as text and as JSON", async () => {
  const still = Array.from({ length: 60 }, (_, i) => 2.3 + 0.01 * Math.sin(i));
  const dead = {
    ...{ type: "health", epoch: 1, step: 50, parameters: [], evalModules: [] },
    activations: [{ name: "evil\u001b[2J", kind: "ReLU", mean: 0, std: 0, dead: 1, saturated: 0 }],
  };
  const path = writeRun("still", still, [dead]);
  const { code, out: text } = await gradus("doctor", path);
  assert.equal(code, 1);
  assert.match(text, /60 steps, 1 look inside/);
  assert.match(text, /✗ lossNotFalling problem/);
  assert.match(text, /✗ deadUnits problem/);
  assert.ok(!text.includes("\u001b"), "control characters of a log reach the screen");
  const json = await gradus("doctor", "still", "--runs", join(folder, "runs"), "--json");
  const { diagnoses } = JSON.parse(json.out);
  assert.deepEqual(diagnoses.map(({ symptom }: { symptom: string }) => symptom).sort(), [
    "deadUnits",
    "lossNotFalling",
  ]);
});

test("a healthy log: nothing is found, exit code 0, and how to see more", async () => {
  const path = writeRun(
    "good",
    Array.from({ length: 200 }, (_, i) => 0.1 + 2.2 * Math.exp(-i / 30)),
  );
  const { code, out: text } = await gradus("doctor", path);
  assert.equal(code, 0);
  assert.match(text, /✓ No symptom was found\./);
  assert.match(text, /train\.monitor\.everySteps/);
});

test("a run that died is read with the classes of its configuration: it has no model", async () => {
  const runs = join(folder, "died");
  const set = ["optim.name=sgd", "optim.lr=1e8", "data.limit=400", "train.monitor.everySteps=2"];
  const config = join(folder, "died.yaml");
  writeFileSync(config, "model: mlp\ndata: digits\n");
  const sets = set.flatMap((one) => ["--set", one]);
  const trained = await gradus("train", config, "--runs", runs, "--name", "dead", ...sets);
  assert.equal(trained.code, 1, trained.err);
  assert.ok(!existsSync(join(runs, "dead", "model.safetensors")));
  const { code, out: text } = await gradus("doctor", "dead", "--runs", runs, "--json");
  assert.equal(code, 1);
  const { facts, diagnoses } = JSON.parse(text);
  assert.deepEqual(facts, { classes: 10 });
  const names = diagnoses.map(({ symptom }: { symptom: string }) => symptom);
  assert.ok(names.includes("rateTooHigh"), text);
});

test("wrong input is refused with exit code 2 and nothing is written", async () => {
  const out = join(folder, "nothing");
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["no-such-run"], /no run "no-such-run"/],
    [["lenet", "--budget", "soon"], /Expected a time, such as 90s/],
    [[join(folder, "none.yaml")], /no run/],
    [["lenet", "--set", "optim.rl=1"], /optim\.rl is unknown/],
  ];
  for (const [words, message] of cases) {
    const { code, err } = await gradus("doctor", ...words, "--out", out);
    assert.equal(code, 2, err);
    assert.match(err, message);
  }
  assert.ok(!existsSync(out));
});

test("Ctrl-C ends it with what is known then, exit code 130", async () => {
  const out = join(folder, "stopped");
  const words = ["doctor", "lenet", "--out", out, "--set", "data.limit=4000"];
  const { child, done } = startGradus(words);
  let seen = "";
  let isSent = false;
  child.stdout!.on("data", (text: string) => {
    seen += text;
    if (isSent || !/ 2 Overfit/.test(seen)) return;
    isSent = true;
    child.kill("SIGINT");
  });
  const { code, out: text } = await done;
  assert.equal(code, 130);
  assert.match(text.replace(/\s+/g, " "), /Not finished: it was stopped\./);
  assert.equal(readdirSync(out).length, 1);
});
