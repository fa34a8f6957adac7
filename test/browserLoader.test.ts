/** Pictures decoded by a real browser, and batches made in its workers, under a strict content policy. Read support/loader/page.ts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import sharp from "sharp";
import { decodeImage, encodePng } from "../src/io/index.js";
import { buildPage } from "./support/buildPage.js";
import { leftOut, missing, openTab, program, type Tab } from "./support/chromium.js";
import type { Walked } from "./support/loader/page.js";
import { makeRandom } from "./trainSupport.js";

const source = "test/support/loader";
const folder = mkdtempSync(join(tmpdir(), "gradus-loader-"));
let tab: Tab;

const [width, height, count] = [28, 26, 10];

/** Smooth colours, so that JPEG keeps them, with noise on top. */
function draw(seed: number, noise: number): Buffer {
  const random = makeRandom(seed);
  const data = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        data[3 * (y * width + x) + c] = 40 + 4 * x + c * 10 + 2 * y + random() * noise;
  return data;
}

const raw = { width, height, channels: 3 } as const;

/** Opaque on the left, half transparent in the middle, clear on the right. */
const drawClear = () => {
  const data = Uint8Array.from({ length: 4 * 6 }, (_, i) => [200, 100, 40, 0][i % 4]!);
  for (let x = 0; x < 6; x++) data[4 * x + 3] = [255, 255, 128, 128, 0, 0][x]!;
  return encodePng({ width: 6, height: 1, channels: 4, data });
};

async function writePictures(): Promise<void> {
  for (let i = 0; i < count; i++) {
    const png = await encodePng({ width, height, channels: 3, data: draw(i, 60) });
    writeFileSync(join(folder, `${i}.png`), png);
  }
  const jpeg = await sharp(draw(1, 4), { raw }).jpeg({ quality: 90 }).toBuffer();
  writeFileSync(join(folder, "smooth.jpg"), jpeg);
  writeFileSync(join(folder, "clear.png"), await drawClear());
  writeFileSync(join(folder, "broken.png"), jpeg.subarray(0, 40));
}

before(async () => {
  if (leftOut) return;
  assert.ok(!missing, `there is no ${program}`);
  await buildPage(source, folder, { base: "/", worker: { format: "es" } });
  await writePictures();
  tab = await openTab(folder);
  await tab.page.goto(`${tab.origin}/${source}/`);
  await tab.page.waitForFunction(() => "loaderPage" in globalThis, undefined, { timeout: 30_000 });
});

after(async () => {
  await tab?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("the browser decodes as Node does", { skip: leftOut }, async () => {
  const decode = (name: string) =>
    tab.page.evaluate((url) => globalThis.loaderPage.decode(url), `/${name}`);
  const [png, jpeg] = [await decode("3.png"), await decode("smooth.jpg")];
  const read = async (bytes: Buffer | Uint8Array) => [...(await decodeImage(bytes)).data];
  assert.deepEqual(
    [png.shape, jpeg.shape],
    [
      [3, height, width],
      [3, height, width],
    ],
  );
  const image = await encodePng({ width, height, channels: 3, data: draw(3, 60) });
  assert.deepEqual(png.pixels, await read(image));
  const clear = await decode("clear.png");
  const laid = await read(await drawClear());
  // Opacity of 128 is rounded on the way.
  assert.ok(
    clear.pixels.every((value, i) => Math.abs(value - laid[i]!) <= 2),
    `${clear.pixels}`,
  );
  const expected = await read(await sharp(draw(1, 4), { raw }).jpeg({ quality: 90 }).toBuffer());
  const errors = jpeg.pixels.map((value, i) => Math.abs(value - expected[i]!));
  // Decoders may round chroma differently.
  assert.ok(Math.max(...errors) <= 4, `${Math.max(...errors)}`);
  assert.ok(errors.reduce((a, b) => a + b, 0) / errors.length < 1);
});

const urls = Array.from({ length: count }, (_, i) => `/${i}.png`);

const walk = (
  options: { urls: readonly string[]; augment?: boolean },
  workers: number,
): Promise<Walked> =>
  tab.page.evaluate(([given, n]) => globalThis.loaderPage.walkPictures(given, n), [
    options,
    workers,
  ] as const);

test("an epoch is the same on the page and in any number of workers", {
  skip: leftOut,
}, async () => {
  const alone = await walk({ urls, augment: true }, 0);
  assert.deepEqual(alone.shape, [4, 3, 24, 24]);
  assert.deepEqual(
    alone.labels.map(({ length }) => length),
    [4, 4, 2],
  );
  assert.deepEqual(alone.labels.flat().sort(), [...Array(count).keys()]);
  assert.equal(alone.pixels.length, count * 3 * 24 * 24);
  for (const workers of [1, 3])
    assert.deepEqual(await walk({ urls, augment: true }, workers), alone);
});

test("a broken picture is named, and the epoch goes on", { skip: leftOut }, async () => {
  const broken = [...urls.slice(0, 4), "/broken.png", ...urls.slice(4)];
  const walked = await walk({ urls: broken }, 2);
  assert.equal(walked.labels.flat().length, count);
  assert.equal(walked.broken.length, 1);
  assert.match(walked.broken[0]!, /\/broken\.png: is no picture/);
});

test("a stream is decoded by workers, the same for any number of them", {
  skip: leftOut,
}, async () => {
  const given = [...urls.slice(0, 7), "/broken.png"];
  const stream = (count: number) =>
    tab.page.evaluate(([all, n]) => globalThis.loaderPage.walkStream(all, n), [
      given,
      count,
    ] as const);
  const one = await stream(1);
  assert.deepEqual(
    [one.shape, one.labels],
    [
      [4, 3, 6, 5],
      [
        [0, 1, 2, 3],
        [4, 5, 6],
      ],
    ],
  );
  assert.match(one.broken[0]!, /\/broken\.png: is no picture/);
  assert.deepEqual(await stream(3), one);
});

test("a picture comes in the size asked for", { skip: leftOut }, async () => {
  const decode = (options: { size: number | [number, number]; maxPixels?: number }) =>
    tab.page.evaluate(([given]) => globalThis.loaderPage.decode("/smooth.jpg", given), [
      options,
    ] as const);
  const shorter = Math.min(width, height);
  const half = await decode({ size: shorter / 2 });
  assert.deepEqual(half.shape, [3, height / 2, width / 2]);
  const jpeg = await sharp(draw(1, 4), { raw }).jpeg({ quality: 90 }).toBuffer();
  const expected = (await decodeImage(jpeg, { size: shorter / 2 })).data;
  const errors = half.pixels.map((value, i) => Math.abs(value - expected[i]!));
  // Other filters than sharp's.
  assert.ok(errors.reduce((a, b) => a + b, 0) / errors.length < 3, `${errors}`);
  assert.deepEqual((await decode({ size: [3, 50] })).shape, [3, 3, 50]);
  await assert.rejects(decode({ size: 0 }), /size is 0; expected sides from 1 to 16384/);
  await assert.rejects(
    decode({ size: 4, maxPixels: 10 }),
    /picture: has 28 × 26 pixels; at most 10/,
  );
});

test("nothing was complained about, and nothing came from elsewhere", { skip: leftOut }, () => {
  assert.deepEqual(tab.complaints, []);
});

test("a worker that is not there is an error, not a silence", { skip: leftOut }, async () => {
  const message = await tab.page.evaluate(() => globalThis.loaderPage.openNowhere());
  assert.match(message, /WebWorkerDataset: a worker could not be started/);
});
