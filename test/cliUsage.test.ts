/** Wrong input to the command line: what is said, which exit code, what nearest choice is named. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageVersion, runCommandLine } from "../src/cli/program.js";
import { nearest, shellWord } from "../src/cli/terminal/format.js";
import { Screen } from "../src/cli/terminal/screen.js";
import { clip, plain, styleFor } from "../src/cli/terminal/style.js";
import { TrainDisplay } from "../src/cli/terminal/trainDisplay.js";
import type { TrainEvent } from "../src/train/index.js";
import { temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();

/** Runs a command line in this process. */
async function run(...words: string[]) {
  let [out, err] = ["", ""];
  const io = {
    out: new Screen({ write: (text) => (out += text) }, {}),
    err: new Screen({ write: (text) => (err += text) }, {}),
  };
  const code = await runCommandLine(words, { io });
  return { code, out, err };
}

test("wrong input exits with 2 and names the nearest choice", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const cases: [string[], RegExp][] = [
    [["trian"], /unknown command 'trian'\n\(Did you mean train\?\)/],
    [["train"], /missing required argument 'model'/],
    [["train", "lennet"], /Expected lenet; did you mean "lenet"\?/],
    [["train", "lenet", "extra"], /too many arguments/],
    [["train", "lenet", "--epoch", "3"], /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
    [["train", "lenet", "--epochs", "0"], /Expected a whole number from 1 to/],
    [["train", "lenet", "--epochs", "2.5"], /Expected a whole number/],
    [["train", "lenet", "--epochs"], /argument missing/],
    [["train", "lenet", "--lr", "fast"], /Expected a number above 0/],
    [["train", "lenet", "--lr", "-1"], /argument/],
    [["train", "lenet", "--batch-size", "1e3"], /Expected a whole number/],
    [["train", "lenet", "--seed", "-1"], /argument/],
    [["train", "lenet", "--optimizer", "adm"], /adam, adamw, sgd; did you mean "adam"\?/],
    [["train", "lenet", "--backend", "wsam"], /did you mean "wasm"\?/],
    [["train", "lenet", "--checkpoint-every", "0s"], /Expected steps, such as 200/],
    [["train", "lenet", "--classes", "a,b"], /--classes needs --data/],
    [["train", "lenet", "--data", join(folder, "gone")], /--data .*gone: no such folder/],
    [["train", "lenet", "--data", file], /is no folder/],
    [["train", "lenet", "--name", "../up"], /cannot name a run/],
    [["train", "lenet", "--runs", folder, "--resume", "x"], /no run "x"; there are no runs in/],
    [["train", "lenet", "--resume", folder], /is not a run: it holds no config.json/],
    [["train", "lenet", "--resume", "x", "--lr", "1"], /--lr cannot be given with --resume/],
    [["predict"], /missing required argument 'run'/],
    [["predict", "x", "y.png", "--runs", folder], /no run "x"/],
    [["predict", "x", "y.png", "--top", "0"], /Expected a whole number/],
  ];
  for (const [words, message] of cases) {
    const { code, out, err } = await run(...words);
    assert.equal(code, 2, words.join(" "));
    assert.match(err, message, words.join(" "));
    assert.equal(out, "", words.join(" "));
  }
});

test("help has an example for every command and the version is the package's", async () => {
  for (const words of [
    [],
    ["--help"],
    ["train", "--help"],
    ["predict", "--help"],
    ["help", "info"],
  ]) {
    const { code, out, err } = await run(...words);
    assert.equal(code, 0, words.join(" "));
    assert.equal(err, "", words.join(" "));
    assert.match(out, /^Usage: gradus/);
    assert.match(out, /Examples:\n {2}\$ (GRADUS_BACKEND=\w+ )?gradus /);
  }
  assert.deepEqual(await run("--version"), { code: 0, out: `${packageVersion()}\n`, err: "" });
});

test("info says which backend is in use, and what else there is", async () => {
  for (const name of ["info", "backends"]) {
    const { code, out } = await run(name);
    assert.equal(code, 0);
    assert.match(out, /In use +\S/);
    for (const backend of ["native", "wasm", "interpreter"])
      assert.match(out, new RegExp(`^${backend} +\\S`, "m"));
  }
});

test("colours are for terminals, and NO_COLOR turns them off", () => {
  const write = () => true;
  const terminal = { isTTY: true, write };
  assert.equal(styleFor(terminal, {}).bold("x"), "\x1b[1mx\x1b[22m");
  assert.equal(styleFor(terminal, { NO_COLOR: "1" }).bold("x"), "x");
  assert.equal(styleFor(terminal, { TERM: "dumb" }).bold("x"), "x");
  assert.equal(styleFor({ write }, {}).bold("x"), "x");
});

test("a status line fits its terminal", () => {
  const written: string[] = [];
  const screen = new Screen(
    { isTTY: true, columns: 20, write: (text) => written.push(text) },
    { TERM: "xterm" },
  );
  screen.status(screen.style.bold("a line that is longer than the terminal"));
  assert.equal(plain(written[0]!).replace("\x1b[K", ""), "\ra line that is lon…");
  screen.line("done");
  assert.deepEqual(written.slice(1), ["\r\x1b[K", "done\n"]);
  assert.equal(clip("short", 10), "short");
});

/** What a run shows, on a terminal where its status can be redrawn. */
function shown(events: readonly TrainEvent[]): string[] {
  let text = "";
  const stream = { isTTY: true, columns: 80, write: (piece: string) => (text += piece) };
  const screen = new Screen(stream, { TERM: "xterm" });
  const display = new TrainDisplay(screen, { backend: "native", quiet: false });
  for (const event of events) display.onEvent(event);
  return plain(text)
    .replaceAll("\x1b[K", "\n")
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "");
}

test("a run's steps and epochs are shown with the measure that tells most", () => {
  const start: TrainEvent = {
    type: "start",
    ...{ epochs: 2, batches: 8, totalSteps: 4, trainExamples: 32, validationExamples: 8 },
    ...{ backend: "native", resumed: true, step: 2 },
  };
  const running = { loss: 0.5, r2: 0.25 };
  const step: TrainEvent = {
    type: "step",
    ...{ epoch: 2, step: 3, batch: 4, batches: 8, loss: 0.5, lr: 0.1, running },
    ...{ examplesPerSecond: 1000, secondsLeft: 2 },
  };
  const epoch = { type: "epoch", epoch: 2, step: 4, lr: 0.1, seconds: 3 } as const;
  const validation = { loss: 0.4, r2: 0.5, "f1.0": 0.1 };
  const lines = shown([start, step, { ...epoch, train: running, validation }]);
  assert.equal(lines[0], "Going on after step 2 of 4");
  assert.match(lines[1]!, /^epoch 2\/2 .* 75% {2}loss 0.5000 {2}r2 0.2500 {2}1,000 examples\/s/);
  assert.deepEqual(lines.slice(2), [
    "  epoch  train loss        r2  val. loss        r2      time",
    "    2/2      0.5000    0.2500     0.4000    0.5000     3.0 s",
  ]);
  const plainLoss = shown([start, { ...epoch, train: { loss: 0.5, "f1.0": 0.2 } }]);
  assert.deepEqual(plainLoss.slice(1), [
    "  epoch  train loss      time",
    "    2/2      0.5000     3.0 s",
  ]);
});

test("words are compared and quoted", () => {
  assert.equal(nearest("natvie", ["native", "wasm"]), "native");
  assert.equal(nearest("inter", ["native", "interpreter"]), "interpreter");
  assert.equal(nearest("zzz", ["native", "wasm"]), undefined);
  assert.equal(shellWord("runs/a-1"), "runs/a-1");
  assert.equal(shellWord("my run's"), "'my run'\\''s'");
});
