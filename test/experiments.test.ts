/** Every experiment under labs/experiments in its short form, on the digits of the package and on CIFAR-10 where it is there. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cifarFeatures } from "../labs/experiments/cifarFeatures.js";
import { cifarSoftmax } from "../labs/experiments/cifarSoftmax.js";
import { convolutionalNetwork } from "../labs/experiments/convolutionalNetwork.js";
import { hogSvm } from "../labs/experiments/hogSvm.js";
import { nearestNeighbours } from "../labs/experiments/nearestNeighbours.js";
import { residualNetwork } from "../labs/experiments/residualNetwork.js";
import { softmaxRegression } from "../labs/experiments/softmaxRegression.js";
import { transformSheet } from "../labs/experiments/transformSheet.js";
import { twoLayerNetwork } from "../labs/experiments/twoLayerNetwork.js";
import type { Lab } from "../labs/lab.js";
import { writePng } from "../src/io/index.js";
import { backends, use } from "./support/backends.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);
const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const digits = pathOf("../assets/mnist");
const cifar = pathOf("../../shared/data/cifar10-images.tar.gz");
const noCifar = existsSync(cifar) ? false : "data: CIFAR-10 is not there";
const out = mkdtempSync(join(tmpdir(), "gradus-experiments-"));
after(() => rmSync(out, { recursive: true }));

const onDigits: Record<string, readonly [Lab, least: number]> = {
  nearestNeighbours: [nearestNeighbours, 0.8],
  softmaxRegression: [softmaxRegression, 0.4],
  hogSvm: [hogSvm, 0.8],
  twoLayerNetwork: [twoLayerNetwork, 0.7],
  convolutionalNetwork: [convolutionalNetwork, 0.3],
};

for (const [name, [run, least]] of Object.entries(onDigits))
  test(`${name} in its short form`, async () => {
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const { measures, sentence } = await run({ data: digits, short: true, out, log });
    assert.ok(measures.accuracy! >= least, `${measures.accuracy}`);
    assert.match(sentence, /^[A-Z1].*\d\d%.*\.$/);
    assert.ok(lines.length > 0);
  });

test("templates are drawn", () => {
  const png = readFileSync(join(out, "templates.png"));
  assert.equal(png.subarray(1, 4).toString(), "PNG");
});

for (const [name, run] of Object.entries({ cifarSoftmax, cifarFeatures, residualNetwork }))
  test(`${name} in its short form`, { skip: noCifar }, async () => {
    const { measures, sentence } = await run({ data: cifar, short: true });
    assert.ok(measures.accuracy! > 0.13, `${measures.accuracy}`);
    assert.match(sentence, /\d\d%/);
  });

test("an experiment ends when it is told to", async () => {
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  const options = { data: digits, short: true, signal: stop.signal };
  for (const [run] of Object.values(onDigits)) await assert.rejects(run(options), /stopped/);
});

test("the sheet shows every transform", async () => {
  const picture = join(out, "picture.png");
  const data = Uint8Array.from({ length: 30 * 20 * 3 }, (_, i) => (i * 7) % 256);
  await writePng(picture, { width: 30, height: 20, channels: 3, data });
  assert.ok((await transformSheet(picture, join(out, "sheet.png"))) >= 30);
  assert.ok(existsSync(join(out, "sheet.png")));
});
