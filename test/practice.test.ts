/** The walk of labs/08-practice: each command of its page is run as it stands there, in this process, on a few made-up pictures. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { projectRoot } from "../scripts/lib/process.js";
import { runCommandLine } from "../src/cli/program.js";
import { Screen } from "../src/cli/terminal/screen.js";

const root = fs.mkdtempSync(join(tmpdir(), "gradus-practice-"));
const home = process.cwd();
const given = process.env.GRADUS_DATA;
after(() => {
  process.chdir(home);
  if (given === undefined) delete process.env.GRADUS_DATA;
  else process.env.GRADUS_DATA = given;
  fs.rmSync(root, { recursive: true });
});

const classes = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");

/** CIFAR-10's files with so many pictures, each class a brightness of its own. */
function records(count: number): Uint8Array {
  const bytes = new Uint8Array(count * 3073);
  for (let i = 0; i < count; i++) {
    const label = i % 10;
    bytes[i * 3073] = label;
    for (let j = 1; j < 3073; j++) bytes[i * 3073 + j] = 20 * label + ((i * 31 + j * 17) % 50);
  }
  return bytes;
}

before(() => {
  const folder = join(root, "data", "cifar10", "cifar-10-batches-bin");
  fs.mkdirSync(folder, { recursive: true });
  for (const n of [1, 2, 3, 4, 5])
    fs.writeFileSync(join(folder, `data_batch_${n}.bin`), records(40));
  fs.writeFileSync(join(folder, "test_batch.bin"), records(20));
  fs.writeFileSync(join(folder, "batches.meta.txt"), `${classes.join("\n")}\n`);
  process.env.GRADUS_DATA = join(root, "data");
  fs.cpSync(join(projectRoot, "labs", "08-practice"), join(root, "labs", "08-practice"), {
    recursive: true,
  });
  // The processes of the search inherit Node's flags, which name packages.
  fs.symlinkSync(join(projectRoot, "node_modules"), join(root, "node_modules"));
  process.chdir(root);
});

const page = fs.readFileSync(join(projectRoot, "labs", "08-practice", "README.md"), "utf8");
const commands = Array.from(page.matchAll(/^ {4}npx gradus (.+)$/gm), ([, words]) => words!);

/** What makes each command a matter of a second. */
const smaller: Readonly<Record<string, readonly string[]>> = {
  doctor: ["--quick", "--budget", "3s", "--set", "model.channels=[4]"],
  sweep: ["--set", "model.channels=[4]", "--set", "train.epochs=1"],
  train: ["--set", "model.channels=[4]", "--set", "train.epochs=2"],
};

async function run(words: readonly string[]) {
  let [out, err] = ["", ""];
  const io = {
    out: new Screen({ columns: 120, write: (text) => (out += text) }, {}),
    err: new Screen({ columns: 120, write: (text) => (err += text) }, {}),
  };
  return { code: await runCommandLine(words, { io }), text: () => `${out}${err}` };
}

for (const command of commands) {
  // Its files are here already; test/dataGet.test.ts fetches.
  if (command.startsWith("data get")) continue;
  test(`npx gradus ${command}`, async () => {
    const words = command.split(" ");
    const isRun = words[0] === "doctor" && !words[1]!.endsWith(".yaml");
    const { code, text } = await run([...words, ...(isRun ? [] : (smaller[words[0]!] ?? []))]);
    // The doctor answers with 1 where it finds something, as it does in so few pictures.
    assert.ok(code === 0 || (words[0] === "doctor" && code === 1), text());
    assert.doesNotMatch(text(), /error:|NaN/);
  });
}

test("the walk leaves the files that it tells of", () => {
  const left = Array.from(page.matchAll(/`(runs\/[\w./-]+)`/g), ([, path]) => path!);
  assert.ok(left.length > 3);
  for (const path of left) assert.ok(fs.existsSync(join(root, path)), path);
});
