/** Embeddings: of a named module or of the last layer, from a loader and by `gradus embed`. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { loadIdxFolder } from "../src/data/node.js";
import { data, nn, type Tensor, tensor } from "../src/index.js";
import { loadNpy, loadNpz, saveNpy, saveNpz } from "../src/io/index.js";
import { embed, lenetRecipe, type RunDefinition } from "../src/train/index.js";
import { experimentFrom, loadClassifier, startRun } from "../src/train/node/index.js";
import { differ } from "./support/compare.js";
import { wave } from "./support/golden.js";
import { runInProcess, temporaryFolder, writeShapes } from "./trainSupport.js";

const folder = temporaryFolder();
const bounds = { relative: 2e-4, absolute: 2e-5 };

test("embeddings are those of a named module, with labels beside, as NPY", async () => {
  class Net extends nn.Module {
    conv = new nn.Conv2d(1, 3, 3);
    drop = new nn.Dropout(0.5);
    fc = new nn.Linear(3 * 16, 2);
    forward(x: Tensor): Tensor {
      return this.fc.forward(this.drop.forward(this.conv.forward(x).relu()).flatten(1));
    }
  }
  const model = new Net().train();
  const x = wave([5, 1, 6, 6], 1, 1);
  const y = tensor([4, 3, 2, 1, 0], { dtype: "int32" });
  const loader = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 2 });
  const done: number[] = [];
  const plain = await embed(model, loader, { onProgress: (n) => done.push(n) });
  assert.equal(model.training, true);
  assert.deepEqual(
    [done, plain.embeddings.shape],
    [
      [2, 4, 5],
      [5, 48],
    ],
  );
  assert.deepEqual([...plain.labels!.data], [4, 3, 2, 1, 0]);
  model.eval();
  const expected = model.conv.forward(x);
  assert.equal(differ(plain.embeddings.data, expected.relu().data, bounds), null);
  const mean = await embed(model, loader, { module: "conv", pool: "mean" });
  assert.equal(differ(mean.embeddings.data, expected.mean([2, 3]).data, bounds), null);
  saveNpy(join(folder, "e.npy"), mean.embeddings);
  assert.deepEqual(loadNpy(join(folder, "e.npy")), { ...mean.embeddings });
  await assert.rejects(embed(model, loader, { module: "neck" }), /has no module "neck"/);
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(embed(model, loader, { signal }), /enough/);
});

const runs = join(folder, "runs");
const shapes = writeShapes(folder, "shapes", { train: 160, test: 24 });
const table = join(folder, "rows.csv");

const gradus = (...words: string[]) => runInProcess(...words, "--runs", runs);

before(async () => {
  const settings = { epochs: 2, batchSize: 16, seed: 1, data: { path: shapes } };
  await startRun({ runs, name: "blocks", experiment: experimentFrom(lenetRecipe(settings), "l") });
  const rows = Array.from(
    { length: 40 },
    (_, i) => `${i},${(i * 7) % 5},${i % 2 ? "odd" : "even"}`,
  );
  writeFileSync(table, `a,b,kind\n${rows.join("\n")}\n`);
  const definition = {
    model: { name: "mlp", hidden: [6] as number[] },
    data: { path: table, target: "kind", name: "csv" },
    train: { epochs: 1 },
  } satisfies RunDefinition;
  await startRun({ runs, name: "rows", experiment: experimentFrom(definition, "rows") });
});

test("the command writes what goes into the last layer, with labels beside", async () => {
  const out = join(folder, "test.npy");
  const { code, text } = await gradus("embed", "blocks", "--out", out, "--part", "test");
  assert.equal(code, 0, text);
  assert.match(text, /24 × 84 embeddings of pictures/);
  const [embeddings, labels] = [loadNpy(out), loadNpy(join(folder, "test-labels.npy"))];
  assert.deepEqual([embeddings.shape, embeddings.dtype], [[24, 84], "float32"]);
  assert.deepEqual(
    [...labels.data],
    Array.from({ length: 24 }, (_, i) => i % 4),
  );
  // The last layer on them gives what the classifier says of the pictures.
  const { model, card } = await loadClassifier(join(runs, "blocks"));
  const { fc3 } = model as unknown as { fc3: nn.Linear };
  const given = tensor(embeddings.data, { shape: embeddings.shape });
  const loaded = await loadIdxFolder(shapes);
  const pixels = loaded.test.images
    .float()
    .div(255)
    .sub(card.mean as number)
    .div(card.std as number);
  const expected = model.eval().forward(pixels.unsqueeze(1));
  assert.equal(differ(fc3.forward(given).data, expected.data, bounds), null);
});

test("it takes other pictures, other parts and other modules", async () => {
  const out = join(folder, "all.npz");
  const train = await gradus("embed", "blocks", "--part", "train", "--out", out);
  assert.equal(train.code, 0, train.text);
  const kept = (await loadNpz(out)).get("labels")!;
  const other = await gradus("embed", "blocks", "--data", shapes, "--part", "train", "--out", out);
  assert.equal(other.code, 0, other.text);
  const arrays = await loadNpz(out);
  assert.deepEqual(arrays.get("embeddings")!.shape, [160, 84]);
  assert.deepEqual([...arrays.get("labels")!.data.slice(0, 5)], [0, 1, 2, 3, 0]);
  assert.ok(kept.shape[0]! <= 160 && kept.shape[0]! > 100);
  const file = join(runs, "blocks", "model.safetensors");
  const place = ["--data", shapes, "--module", "conv2", "--pool", "mean", "--out", out];
  assert.equal((await gradus("embed", file, ...place)).code, 0);
  assert.deepEqual((await loadNpz(out)).get("embeddings")!.shape, [24, 16]);
  const rows = await gradus("embed", "rows", "--part", "train", "--out", out);
  assert.equal(rows.code, 0, rows.text);
  assert.equal((await loadNpz(out)).get("embeddings")!.shape[1], 6);
});

test("what cannot be done is said before anything is written", async () => {
  const out = join(folder, "never.npy");
  const refused = async (pattern: RegExp, code: number, ...words: string[]) => {
    const result = await gradus("embed", ...words, "--out", out);
    assert.match(result.text, pattern);
    assert.equal(result.code, code, result.text);
    assert.ok(!existsSync(out));
  };
  await refused(/no run "blcks"; did you mean "blocks"/, 2, "blcks");
  await refused(/has no module "neck"/, 1, "blocks", "--module", "neck");
  await refused(/no such file or folder/, 1, "blocks", "--data", join(folder, "nowhere"));
  await refused(/are no pictures|no classifier|has no description/, 1, "rows", "--data", shapes);
  await refused(/say data\.name|no pictures/, 1, "blocks", "--data", join(runs, "rows/log.jsonl"));
  await refused(/the network takes \[1, 28, 28\]/, 1, "blocks", "--data", await colours());
  await refused(/does not tell pictures/, 1, "blocks", "--data", table);
  const { code } = await gradus("embed", "blocks", "--out", join(folder, "x.txt"));
  assert.equal(code, 2);
});

async function colours(): Promise<string> {
  const path = join(folder, "colours.npz");
  await saveNpz(path, [
    ["x", { shape: [4, 3, 8, 8], dtype: "uint8", data: new Uint8Array(4 * 3 * 64) }],
    ["y", { shape: [4], dtype: "int32", data: Int32Array.of(0, 1, 0, 1) }],
  ]);
  return path;
}
