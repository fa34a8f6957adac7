/** `gradus predict`: right answers for pictures of any size and colour, and clear errors for what is no picture. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { runCommandLine } from "../src/cli/program.js";
import { Screen } from "../src/cli/terminal/screen.js";
import { encodePng } from "../src/io/index.js";
import { lenetRecipe } from "../src/train/index.js";
import { experimentFrom, loadClassifier, readPicture, startRun } from "../src/train/node/index.js";
import { gradus, temporaryFolder, writeShapes } from "./trainSupport.js";

const parent = temporaryFolder();
const runs = join(parent, "runs");
const pictures = join(parent, "pictures");
const classNames = ["upper", "second", "third", "lowest"];

/** A grey picture with a block like those that the network learned; sizes are shares of the picture's. */
async function drawBlock(
  name: string,
  options: { size?: [number, number]; top: number; left?: number; ink?: number; paper?: number },
): Promise<string> {
  const [width, height] = options.size ?? [28, 28];
  const { top, left = 5 / 28, ink = 200, paper = 30 } = options;
  const pixels = new Uint8Array(width * height).fill(paper);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [v, h] = [y / height - top, x / width - left];
      if (v >= 0 && v < 5 / 28 && h >= 0 && h < 6 / 28) pixels[y * width + x] = ink;
    }
  const path = join(pictures, name);
  writeFileSync(path, await encodePng({ width, height, channels: 1, data: pixels }));
  return path;
}

const third = 15.5 / 28;

async function run(...words: string[]) {
  let [out, err] = ["", ""];
  const io = {
    out: new Screen({ write: (text) => (out += text) }, {}),
    err: new Screen({ write: (text) => (err += text) }, {}),
  };
  const code = await runCommandLine([...words, "--runs", runs], { io });
  return { code, out, err };
}

before(async () => {
  mkdirSync(pictures);
  await startRun({
    runs,
    name: "blocks",
    experiment: experimentFrom(
      lenetRecipe({
        ...{ epochs: 6, batchSize: 8, seed: 1 },
        data: { path: writeShapes(parent, "shapes", { train: 160 }), classNames },
      }),
      "lenet",
    ),
  });
});

test("it names the class, with probabilities as bars", async () => {
  const file = await drawBlock("third.png", { top: third });
  const { code, out, err } = await run("predict", "blocks", file);
  assert.equal(code, 0, err);
  const lines = out.trimEnd().split("\n");
  assert.ok(lines[0]!.startsWith(file));
  assert.match(lines[1]!, /^ {2}third {3}━+[╸─]* +[\d.]+%$/);
  assert.equal(lines.length, 4);
  const one = await run("predict", join(runs, "blocks", "model.safetensors"), file, "--top", "1");
  assert.equal(one.out.trimEnd().split("\n").length, 2);
});

test("dark on light is inverted, and the output says so", async () => {
  const size: [number, number] = [140, 140];
  const light = { size, top: third, ink: 25, paper: 235 };
  const { out } = await run("predict", "blocks", await drawBlock("light.png", light));
  assert.match(out, /dark and light swapped/);
  assert.match(out, /\n {2}third /);
  const large = await drawBlock("large.png", { size, top: third });
  const plain = await run("predict", "blocks", large);
  assert.doesNotMatch(plain.out, /swapped/);
  assert.match(plain.out, /\n {2}third /);
});

test("a small drawing is enlarged to the frame that the network knows", async () => {
  const { card } = await loadClassifier(join(runs, "blocks"));
  const size: [number, number] = [280, 280];
  const path = await drawBlock("small.png", { size, top: 0.8, left: 0.1, ink: 0, paper: 255 });
  const small = await readPicture(path, { ...card, extent: 20 / 28 });
  assert.deepEqual(small.changes, ["inverted", "framed"]);
  assert.deepEqual(small.image.shape, [1, 28, 28]);
  const rows = Array.from({ length: 28 }, (_, y) =>
    Math.max(...(small.image.data.subarray(y * 28, y * 28 + 28) as Float32Array)),
  );
  const inked = rows.flatMap((value, y) => (value > 0.5 ? [y] : []));
  // The block is 50 × 60 pixels: 20 wide in the frame, so 17 high, in the middle.
  assert.ok(inked.length >= 16 && inked.length <= 18, `${inked.length} rows`);
  assert.ok(Math.abs(inked[0]! + inked.at(-1)! - 27) <= 1, `rows ${inked[0]} to ${inked.at(-1)}`);
});

test("JSON holds every answer", async () => {
  const files = [
    await drawBlock("a.png", { top: third }),
    await drawBlock("b.png", { top: 3.5 / 28, ink: 0, paper: 255 }),
  ];
  const { code, out } = await run("predict", "blocks", ...files, "--json", "--top", "4");
  assert.equal(code, 0);
  const answers = JSON.parse(out);
  assert.deepEqual(
    answers.map(({ file }: { file: string }) => file),
    files,
  );
  assert.equal(answers[0].predictions[0].class, "third");
  assert.deepEqual(answers[1].changes.slice(0, 1), ["inverted"]);
  for (const { predictions } of answers) {
    const sum = predictions.reduce((n: number, p: { probability: number }) => n + p.probability, 0);
    assert.ok(Math.abs(sum - 1) < 1e-5);
  }
});

test("a blank picture is said to be blank", async () => {
  const { code, out } = await run("predict", "blocks", await drawBlock("blank.png", { top: 2 }));
  assert.equal(code, 0);
  assert.match(out, /the picture is blank/);
});

test("what is no picture is named, and the others get their answers", async () => {
  const text = join(pictures, "notes.png");
  writeFileSync(text, "not a picture");
  const cut = await drawBlock("cut.png", { size: [300, 300], top: third });
  truncateSync(cut, Math.floor(readFileSync(cut).length / 2));
  const good = await drawBlock("good.png", { top: third });
  const { code, out, err } = await run("predict", "blocks", text, cut, good, pictures);
  assert.equal(code, 1);
  assert.match(out, /good\.png\n {2}third/);
  const errors = err.trimEnd().split("\n");
  assert.equal(errors.length, 3);
  assert.match(errors[0]!, /^error: .*notes\.png/);
  assert.match(errors[1]!, /^error: .*cut\.png/);
  assert.match(errors[2]!, /^error: .*pictures/);
});

test("a missing picture, and a run that has no model, are wrong input", async () => {
  const file = await drawBlock("x.png", { top: third });
  const missing = await run("predict", "blocks", join(pictures, "gone.png"));
  assert.equal(missing.code, 2);
  assert.match(missing.err, /no picture .*gone\.png/);
  const nearest = await run("predict", "blosck", file);
  assert.equal(nearest.code, 2);
  assert.match(nearest.err, /no run "blosck"; did you mean "blocks"\?/);
  mkdirSync(join(runs, "empty"));
  writeFileSync(join(runs, "empty", "config.json"), "{}");
  const empty = await run("predict", "empty", file);
  assert.equal(empty.code, 2);
  assert.match(empty.err, /has no model\.safetensors/);
});

test("a damaged model is refused with its file's name", async () => {
  const file = await drawBlock("y.png", { top: third });
  const model = readFileSync(join(runs, "blocks", "model.safetensors"));
  const damaged = join(parent, "damaged.safetensors");
  for (const bytes of [Buffer.alloc(0), model.subarray(0, 500), Buffer.alloc(64, 255)]) {
    writeFileSync(damaged, bytes);
    const { code, err } = await run("predict", damaged, file);
    assert.equal(code, 1);
    assert.match(err, /^error: .*damaged\.safetensors: [^\n]+\n$/);
  }
});

test("it works as a program, from another folder", async () => {
  const file = await drawBlock("program.png", { top: third });
  const { code, out, err } = await gradus("predict", join(runs, "blocks"), file);
  assert.equal(code, 0, err);
  assert.match(out, /\n {2}third /);
});
