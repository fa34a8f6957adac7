/** Pictures: PNG out and in again, decoding for a model, and files that are no pictures. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { FormatError } from "../src/core/errors.js";
import { FileError } from "../src/io/fileSystem.js";
import { readGreyscale, writePng } from "../src/io/images.js";
import { encodePng, type PixelImage } from "../src/io/png.js";

const scratch = fs.mkdtempSync(join(tmpdir(), "gradus-images-"));
after(() => fs.rmSync(scratch, { recursive: true }));
const samples = new URL("../../shared/data/images/", import.meta.url);
const noSamples = fs.existsSync(samples) ? false : "data: the sample pictures are not there";

const noise = (length: number) => new Uint8Array(length).map((_, i) => (i * 2654435761) >>> 13);

test("PNG pictures come back pixel for pixel, grey, coloured and transparent", async () => {
  for (const channels of [1, 3, 4] as const) {
    const image: PixelImage = { width: 13, height: 7, channels, data: noise(13 * 7 * channels) };
    const space = channels === 1 ? "b-w" : "srgb";
    const decoded = sharp(await encodePng(image)).toColourspace(space);
    const { data, info } = await decoded.raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [13, 7, channels]);
    assert.deepEqual(new Uint8Array(data), image.data);
  }
});

test("pictures whose size and data differ are refused", async () => {
  const image: PixelImage = { width: 2, height: 2, channels: 1, data: new Uint8Array(3) };
  await assert.rejects(encodePng(image), /data has 3 bytes; expected 4 for 2 × 2 × 1/);
  await assert.rejects(encodePng({ ...image, width: 0 }), /size is 0 × 2/);
  await assert.rejects(encodePng({ ...image, channels: 2 as 1 }), /channels is 2/);
});

test("a picture is read as grey values of the size asked for", async () => {
  const path = join(scratch, "a.png");
  const data = Uint8Array.of(0, 51, 102, 255);
  await writePng(path, { width: 2, height: 2, channels: 1, data });
  const same = await readGreyscale(path, { width: 2, height: 2 });
  assert.deepEqual(same, {
    shape: [2, 2],
    dtype: "float32",
    data: Float32Array.of(0, 0.2, 0.4, 1),
  });
  const inverted = await readGreyscale(path, { width: 2, height: 2, invert: true });
  assert.deepEqual(inverted.data, Float32Array.of(1, 0.8, 0.6, 0));
});

test("a contained picture keeps its proportions, on the background", async () => {
  const path = join(scratch, "wide.png");
  await writePng(path, { width: 4, height: 2, channels: 3, data: new Uint8Array(24).fill(255) });
  const { data } = await readGreyscale(path, { width: 4, height: 4 });
  assert.deepEqual([...data], [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
  const clear = { width: 1, height: 1, channels: 4, data: new Uint8Array(4) } as const;
  await writePng(path, clear);
  const seen = await readGreyscale(path, { width: 1, height: 1, background: 1 });
  assert.deepEqual([...seen.data], [1]);
});

test("16-bit pictures keep their brightness", async () => {
  const path = join(scratch, "deep.png");
  const values = Uint16Array.of(0, 32896, 65535, 257);
  const deep = sharp(values, { raw: { width: 4, height: 1, channels: 1 } });
  fs.writeFileSync(path, await deep.toColourspace("grey16").png().toBuffer());
  const { data } = await readGreyscale(path, { width: 4, height: 1 });
  for (const [i, expected] of [0, 0.502, 1, 0.004].entries())
    assert.ok(Math.abs(data[i]! - expected) < 0.01, `${[...data]}`);
});

test("files that are no pictures are refused by name", async () => {
  const size = { width: 4, height: 4 };
  const refuses = async (name: string, content: string | Uint8Array, pattern: RegExp) => {
    fs.writeFileSync(join(scratch, name), content);
    await assert.rejects(
      readGreyscale(join(scratch, name), size),
      (error) => error instanceof FormatError && pattern.test(error.message),
    );
  };
  await refuses("empty.png", "", /empty\.png: /);
  await refuses("text.png", "hello", /text\.png: .*unsupported/);
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>';
  await refuses("drawing.png", svg, /drawing\.png: is svg; expected one of png/);
  const image: PixelImage = { width: 64, height: 64, channels: 3, data: noise(64 * 64 * 3) };
  const bytes = await encodePng(image);
  await refuses("cut.png", bytes.subarray(0, bytes.length >> 1), /cut\.png: /);
  await assert.rejects(readGreyscale(join(scratch, "none.png"), size), FileError);
  const large = { ...size, maxPixels: 1000 };
  fs.writeFileSync(join(scratch, "large.png"), bytes);
  await assert.rejects(readGreyscale(join(scratch, "large.png"), large), /large\.png: .*pixel/i);
  const odd = { width: 0, height: 4 };
  await assert.rejects(readGreyscale(join(scratch, "large.png"), odd), /size is 0 × 4/);
});

test("photographs are read; one that is cut off is refused", { skip: noSamples }, async () => {
  const size = { width: 28, height: 28 };
  const read = (name: string) => readGreyscale(fileURLToPath(new URL(name, samples)), size);
  for (const name of ["camera.png", "flower.jpg", "palette_color.png"]) {
    const { data } = await read(name);
    assert.equal(data.length, 784);
    assert.ok(Math.max(...data) > 0.5 && Math.min(...data) >= 0, name);
  }
  // A 16-bit file whose largest value is 255 of 65,535 is almost black.
  assert.ok(Math.max(...(await read("chessboard_GRAY_U16.tif")).data) < 0.01);
  await assert.rejects(read("truncated.jpg"), FormatError);
});
