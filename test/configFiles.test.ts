/** Configurations in files: YAML, JSON and TypeScript; lines of problems; data told from what lies at a path. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { capture, projectRoot } from "../scripts/lib/process.js";
import type { Tensor } from "../src/index.js";
import { encodePng, saveNpz } from "../src/io/index.js";
import { ConfigError } from "../src/train/index.js";
import {
  experimentFromSource,
  gitStateOf,
  loadExperiment,
  parseSetting,
} from "../src/train/node/index.js";
import { makeRandom, temporaryFolder, writeShapes } from "./trainSupport.js";

const folder = temporaryFolder();
let files = 0;

function write(text: string, name = `run${++files}.yaml`): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const refusal = async (path: string, changes = {}): Promise<string> => {
  try {
    await loadExperiment(path, changes);
  } catch (error) {
    assert.ok(error instanceof ConfigError, `${error}`);
    return error.message;
  }
  return "";
};

test("YAML, JSON and TypeScript say the same", async () => {
  const yaml = write("model: { name: mlp, hidden: [8] }\ndata: digits\noptim: sgd\n");
  const json = write(
    '{ "model": { "name": "mlp", "hidden": [8] }, "data": "digits", "optim": "sgd" }',
    "same.json",
  );
  const typed = write(
    `import { defineRun } from "gradus/train";
const hidden: readonly number[] = [8];
export default defineRun({ model: { name: "mlp", hidden: [...hidden] }, data: "digits", optim: "sgd" });`,
    "same.ts",
  );
  const [a, b, c] = await Promise.all([yaml, json, typed].map((path) => loadExperiment(path)));
  assert.deepEqual(a!.config, b!.config);
  assert.deepEqual(a!.config, c!.config);
  assert.deepEqual([b!.name, b!.path], ["same", json]);
});

test("problems have lines: of keys, of list items, of what is missing the line above", async () => {
  const path = write(`model: mlp
data:
  name: digits
  augment:
    - shift
    - name: cutout
optim:
  name: adam
  lr: -1
# a comment
trian:
  epochs: 3
`);
  assert.deepEqual(
    (await refusal(path)).split("\n").map((line) => line.trim()),
    [
      `configuration: run${files}.yaml: 3 problems`,
      "line 6: data.augment.1.length is missing; expected a whole number ≥ 1",
      "line 9: optim.lr is -1; expected a number ≥ 0",
      'line 11: trian is unknown; did you mean "train"?',
    ],
  );
});

test("what a setting from outside put there has no line; the others come in the order of theirs", async () => {
  const path = write("data: digits\noptim: { name: adam, lr: fast }\nname: a/b\nmodel: mlpp\n");
  const changes = { "train.seed": true, "optim.eps": Number.NaN };
  const [, ...problems] = (await refusal(path, changes)).split("\n").map((line) => line.trim());
  assert.deepEqual(problems, [
    'line 2: optim.lr is "fast"; expected a number ≥ 0',
    'line 3: name is "a/b"; expected letters, digits, - _ . and at most 80 of them',
    'line 4: model is "mlpp"; expected cnn, lenet, mlp, resnet, custom; did you mean "mlp"?',
    "optim.eps is NaN; expected a number ≥ 0",
    "train.seed is true; expected a whole number ≥ 0",
  ]);
  const deep = `model: ${"[".repeat(20_000)}${"]".repeat(20_000)}`;
  assert.match(await refusal(write(deep)), /line 1: is nested too deeply/);
});

test("YAML that is none, twice the same key, or unfolds to too much is refused with its line", async () => {
  assert.match(await refusal(write("model: mlp\ndata: [digits\n")), /line [23]: /);
  assert.match(await refusal(write("model: mlp\nmodel: cnn\ndata: digits\n")), /line 2: .*unique/i);
  assert.match(await refusal(write("\t- x")), /line 1: /);
  assert.match(await refusal(write("")), /expected settings such as model/);
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++) {
    const [own, below] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)];
    bomb.push(`${own}: &${own} [${Array(10).fill(`*${below}`).join(", ")}]`);
  }
  assert.match(await refusal(write(bomb.join("\n"))), /alias/i);
  await assert.rejects(loadExperiment(write(`# ${"x".repeat(2 ** 20)}`)), /bytes/);
});

test("a file that is not there, or no configuration by its ending, is refused", async () => {
  await assert.rejects(loadExperiment(join(folder, "none.yaml")), /no such file/);
  await assert.rejects(loadExperiment(write("", "run.txt")), /ends in ".txt"; expected .yaml/);
});

test("a TypeScript configuration has the running package, and modules beside it", async () => {
  write(
    'import { nn } from "gradus";\nexport const make = (n: number) => new nn.Linear(784, n);',
    "parts.ts",
  );
  const path = write(
    `import { nn, type Tensor } from "gradus";
import { defineRun } from "gradus/train";
import { make } from "./parts.js";
class Net extends nn.Module {
  fc = make(10);
  forward(x: Tensor): Tensor { return this.fc.forward(x.flatten(1)); }
}
export default defineRun({ model: () => new Net(), data: { name: "digits", limit: 40 }, train: { epochs: 1 } });`,
    "net.ts",
  );
  const loaded = await loadExperiment(path);
  const { model, options } = await loaded.build();
  const { nn } = await import("../src/index.js");
  assert.ok(model instanceof nn.Module);
  assert.deepEqual([...model.stateDict().keys()], ["fc.weight", "fc.bias"]);
  assert.equal(options.train.dataset.length, 40);
  // The kept text counts, not what the file says by now.
  writeFileSync(path, "throw new Error('changed');");
  const again = await (await experimentFromSource(loaded.source!)).build();
  assert.deepEqual([...again.model.parameters()[0]!.data], [...model.parameters()[0]!.data]);
});

test("mistakes in TypeScript are told with their place", async () => {
  assert.match(
    await refusal(write("export default {{;", "syntax.ts")),
    /syntax.ts: line 1: .*nexpected/,
  );
  assert.match(
    await refusal(write("\n\nexport default (null as any).x;", "throws.ts")),
    /throws.ts: .*null/,
  );
  assert.match(
    await refusal(write('import { x } from "./away.js";\nexport default x;', "gone.ts")),
    /away.js/,
  );
  assert.match(await refusal(write("export const run = {};", "named.ts")), /no default export/);
  assert.match(
    await refusal(write('export default { model: "mlp", data: "digits", optm: 1 };', "typo.ts")),
    /optm is unknown; did you mean "optim"\?/,
  );
});

test("the same changes build the same experiment, bit for bit, from data that are read once", async () => {
  const shapes = writeShapes(folder, "shapes");
  const path = write(
    "model: { name: mlp, hidden: [8] }\ndata: { path: shapes, validation: test }\n",
  );
  const { build, config } = await loadExperiment(path, { "train.seed": 3 });
  assert.equal(config.data.name, "idx");
  assert.equal(config.data.path, shapes);
  const bits = ({ model }: { model: { parameters(): Tensor[] } }) =>
    model.parameters().map((p) => [...p.data]);
  const [a, b, c] = [await build(), await build({}), await build({ "train.seed": 4 })];
  assert.deepEqual(bits(a), bits(b));
  assert.notDeepEqual(bits(a), bits(c));
  assert.equal(a.fingerprint, c.fingerprint);
  assert.equal(a.data.finalPair, b.data.finalPair);
  assert.equal((await build({ "optim.lr": 0.5 })).options.optimizer.paramGroups[0]!.lr, 0.5);
  await assert.rejects(build({ "optim.lrr": 0.5 }), /did you mean "lr"/);
});

async function drawPictures(root: string): Promise<void> {
  const random = makeRandom(1);
  for (const part of ["train", "test"])
    for (const name of ["cat", "dog"]) {
      mkdirSync(join(root, part, name), { recursive: true });
      for (let i = 0; i < 6; i++) {
        const pixels = new Uint8Array(3 * 9 * 7).map(() => random() * 256);
        const png = await encodePng({ width: 9, height: 7, channels: 3, data: pixels });
        writeFileSync(join(root, part, name, `${i}.png`), png);
      }
    }
}

test("tables, archives of arrays and folders of pictures are told by what lies there", async () => {
  writeFileSync(
    join(folder, "table.csv"),
    `a,b,kind\n${Array.from({ length: 20 }, (_, i) => `${i},${i * i},${i % 2 ? "odd" : "even"}`).join("\n")}\n`,
  );
  const csv = await loadExperiment(write("model: mlp\ndata: { path: table.csv, target: kind }\n"));
  const table = await csv.build();
  assert.deepEqual(table.data.classNames, ["even", "odd"]);
  assert.deepEqual([...table.model.stateDict().values()].at(-1)!.shape, [2]);
  const numbers = await csv.build({ "data.task": "regression", "data.target": "b" }).catch(String);
  assert.match(String(numbers), /column "kind" is "even"; expected a number/);
  const told = { "data.task": "regression", "data.target": "b", "data.columns": ["a"] };
  assert.equal((await csv.build(told)).config.loss?.name, "mse");
  await assert.rejects(csv.build({ "data.target": "c" }), /no column "c", only a, b, kind/);

  await saveNpz(join(folder, "arrays.npz"), [
    ["x", { shape: [12, 3], dtype: "float64", data: Float64Array.from({ length: 36 }, Math.sqrt) }],
    ["y", { shape: [12], dtype: "int32", data: Int32Array.from({ length: 12 }, (_, i) => i % 3) }],
  ]);
  const arrays = await (await loadExperiment(write("model: mlp\ndata: arrays.npz\n"))).build();
  assert.deepEqual([arrays.classes, arrays.data.hasTest], [3, false]);
  const wrong = await loadExperiment(write("model: mlp\ndata: { path: arrays.npz, y: z }\n"));
  await assert.rejects(wrong.build(), /has no array "z", only x, y/);

  await drawPictures(join(folder, "pictures"));
  const pictures = await loadExperiment(
    write("model: { name: cnn, channels: [4] }\ndata: { path: pictures, size: [8, 6] }\n"),
  );
  const { card, data: about, options } = await pictures.build();
  assert.deepEqual(card && [card.channels, card.height, card.width, card.classes], [
    3,
    8,
    6,
    ["cat", "dog"],
  ]);
  assert.ok(about.hasTest);
  for await (const [batch] of options.train.iterateAsync())
    assert.deepEqual(batch!.shape.slice(1), [3, 8, 6]);
  assert.match(await refusal(write("model: mlp\ndata: pictures\n")), /data.size is missing/);
  await assert.rejects(
    loadExperiment(write("model: mlp\ndata: gone/away\n")),
    /no such file or folder/,
  );
});

test("settings of the command line are a path and YAML", () => {
  assert.deepEqual(parseSetting("optim.lr=3e-4"), ["optim.lr", 3e-4]);
  assert.deepEqual(parseSetting("model.hidden=[64, 32]"), ["model.hidden", [64, 32]]);
  assert.deepEqual(parseSetting("data.path=some/folder"), ["data.path", resolve("some/folder")]);
  assert.deepEqual(parseSetting("data.path=a=b"), ["data.path", resolve("a=b")]);
  assert.deepEqual(parseSetting("data.augment=false"), ["data.augment", false]);
  for (const text of ["optim.lr", "=3", "", "a b=1", "a..b=1", "a=[1"])
    assert.throws(() => parseSetting(text), /is no setting|is not YAML/, text);
});

test("the state of the code is told by git, and nothing where there is none", async () => {
  const repository = join(folder, "code");
  mkdirSync(repository);
  const git = async (...words: string[]) => {
    const who = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    const { code, output } = await capture("git", [...who, ...words], { cwd: repository });
    assert.equal(code, 0, output);
    return output.trim();
  };
  assert.equal(await gitStateOf(join(folder, "nowhere")), null);
  await git("init", "-q", "-b", "work");
  assert.equal(await gitStateOf(repository), null);
  writeFileSync(join(repository, "a.txt"), "one\n");
  await git("add", ".");
  await git("commit", "-q", "-m", "first");
  const commit = await git("rev-parse", "HEAD");
  assert.deepEqual(await gitStateOf(repository), {
    ...{ state: { commit, branch: "work", dirty: false }, diff: null },
  });
  writeFileSync(join(repository, "a.txt"), "two\n");
  const dirty = await gitStateOf(join(folder, "nowhere"), repository);
  assert.equal(dirty?.state.dirty, true);
  assert.match(dirty?.diff ?? "", /-one\n\+two/);
  await git("checkout", "-q", "--detach");
  assert.equal((await gitStateOf(repository))?.state.branch, undefined);
  // A difference that is data rather than code is left out.
  writeFileSync(join(repository, "a.txt"), "x\n".repeat(2 ** 20));
  assert.deepEqual((await gitStateOf(repository))?.diff, null);
});

test("a run can be loaded from anywhere", async () => {
  const script = `import { loadExperiment } from "gradus/train/node";
const { config } = await loadExperiment(process.argv[1]);
console.log(config.model.name);`;
  const flags = ["--conditions=gradus-source", "--import", import.meta.resolve("tsx")];
  const { code, output } = await capture(
    process.execPath,
    [...flags, "--input-type=module", "-e", script, join(projectRoot, "examples/fashion-cnn.ts")],
    { cwd: projectRoot },
  );
  assert.deepEqual([code, output.trim()], [0, "custom"]);
});
