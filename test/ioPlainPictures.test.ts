/** Netpbm's pictures and Windows bitmaps, pixel for pixel as Pillow reads them; damaged ones are refused. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FormatError } from "../src/core/errors.js";
import { ImageFolder } from "../src/data/node.js";
import { decodeImage, readGreyscale } from "../src/io/index.js";
import { makeRandom } from "./trainSupport.js";

interface Case {
  readonly file: string;
  readonly planes: readonly (readonly number[])[];
}

/** Written by scripts/fixtures/makePlainPictures.py. */
const cases = JSON.parse(
  readFileSync(new URL("fixtures/plainPictures.json", import.meta.url), "utf8"),
) as Record<string, Case>;

const [width, height] = [11, 5];
const bytesOf = ({ file }: Case) => new Uint8Array(Buffer.from(file, "base64"));

test("every kind is read as Pillow reads it", async () => {
  for (const [name, one] of Object.entries(cases)) {
    const { shape, data } = await decodeImage(bytesOf(one), { source: name });
    assert.deepEqual(shape, [3, height, width], name);
    assert.deepEqual([...data], one.planes.flat(), name);
  }
  assert.equal(Object.keys(cases).length, 18);
});

test("other modes, sizes and depths are had of them too", async () => {
  const grey = await decodeImage(bytesOf(cases["grey.pgm"]!), { mode: "grey" });
  assert.deepEqual([...grey.data], cases["grey.pgm"]!.planes[0]);
  const deep = await decodeImage(bytesOf(cases["deep.pgm"]!), { mode: "grey", dtype: "int32" });
  assert.ok(deep.data.some((value: number) => value > 255));
  assert.deepEqual(
    [...deep.data].map((value) => value >> 8),
    cases["deep.pgm"]!.planes[0],
  );
  const small = await decodeImage(bytesOf(cases["colour.bmp"]!), { size: [3, 4], mode: "rgba" });
  assert.deepEqual(small.shape, [4, 3, 4]);
});

const folder = mkdtempSync(join(tmpdir(), "gradus-plain-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("folders of pictures hold them", async () => {
  for (const [name, one] of Object.entries(cases)) {
    const place = join(folder, name.split(".")[1]!);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, name), bytesOf(one));
  }
  const dataset = await ImageFolder.open(folder);
  assert.deepEqual(dataset.classes, ["bmp", "pbm", "pgm", "ppm"]);
  assert.equal(dataset.length, Object.keys(cases).length);
  for (let i = 0; i < dataset.length; i++)
    assert.deepEqual((await dataset.get(i))[0].shape, [3, height, width]);
  const drawn = await readGreyscale(join(folder, "bmp/colour.bmp"), { width: 4, height: 4 });
  assert.equal(drawn.data.length, 16);
});

test("what is cut off, changed or too large is refused, never half read", async () => {
  const random = makeRandom(3);
  let refused = 0;
  for (const [name, one] of Object.entries(cases)) {
    const whole = bytesOf(one);
    // A plain text without its last letters may still be one: more is taken off.
    for (const length of [3, 20, 40, Math.max(3, whole.length - 12)].filter(
      (n) => n < whole.length,
    ))
      await assert.rejects(decodeImage(whole.slice(0, length)), FormatError, `${name} ${length}`);
    await assert.rejects(decodeImage(whole, { maxPixels: 54 }), /picture: .*pixels/, name);
    for (let i = 0; i < 60; i++) {
      const bytes = whole.slice();
      bytes[2 + Math.floor(random() * 60)] = Math.floor(random() * 256);
      try {
        const { shape, data } = await decodeImage(bytes, { maxPixels: 4096 });
        assert.equal(data.length, shape[0]! * shape[1]! * shape[2]!);
      } catch (error) {
        assert.ok(error instanceof FormatError, `${name}: ${(error as Error).stack}`);
        refused++;
      }
    }
  }
  assert.ok(refused > 200, `${refused}`);
  const text = (words: string) => decodeImage(new TextEncoder().encode(words));
  await assert.rejects(text("P3 2 1 255 1 2 3 4 5 256 "), /a value is 256; expected 0 to 255/);
  await assert.rejects(text("P2 1 1 0 0"), /the highest value is 0; expected 1 to 65535/);
  await assert.rejects(text("P2 99999 99999 9 1"), /99999 × 99999 pixels; at most/);
  await assert.rejects(text("P5 -1 1 9 1"), /the width is "-"/);
  const packed = bytesOf(cases["palette.bmp"]!);
  packed[30] = 1;
  await assert.rejects(decodeImage(packed), /is compressed as RLE8; expected none or bit fields/);
});
