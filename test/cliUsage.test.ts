/** Wrong input to the command line: what is said, which exit code, what nearest choice is named. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageVersion, runCommandLine } from "../src/cli/program.js";
import { nearest, shellWord } from "../src/cli/terminal/format.js";
import { Screen } from "../src/cli/terminal/screen.js";
import { clip, plain, styleFor } from "../src/cli/terminal/style.js";
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

test("words are compared and quoted", () => {
  assert.equal(nearest("natvie", ["native", "wasm"]), "native");
  assert.equal(nearest("inter", ["native", "interpreter"]), "interpreter");
  assert.equal(nearest("zzz", ["native", "wasm"]), undefined);
  assert.equal(shellWord("runs/a-1"), "runs/a-1");
  assert.equal(shellWord("my run's"), "'my run'\\''s'");
});
