/**
 * Pictures of a run: charts that are well-formed whatever the numbers, and mistakes drawn pixel by
 * pixel.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ShapeError, ValueError } from "../src/core/errors.js";
import type { ArrayData } from "../src/io/arrayData.js";
import { confusionSvg } from "../src/train/draw/confusion.js";
import { curvesSvg } from "../src/train/draw/curves.js";
import { fitText, fontHeight, glyphOf, textWidth } from "../src/train/draw/font.js";
import { mistakesPicture } from "../src/train/draw/mistakes.js";
import { drawPanels } from "../src/train/draw/panels.js";
import { Raster } from "../src/train/draw/raster.js";
import { makeScale } from "../src/train/draw/scale.js";

/** Fails unless every element is closed in order and no coordinate is NaN or infinite. */
function assertDrawing(svg: string): void {
  const open: string[] = [];
  for (const [, close, name, selfClosing] of svg.matchAll(
    /<(\/?)([a-z]+)(?:[^<>"]|"[^"<]*")*?(\/?)>/g,
  )) {
    if (close) assert.equal(open.pop(), name);
    else if (!selfClosing) open.push(name!);
  }
  assert.deepEqual(open, []);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
  assert.doesNotMatch(svg.replace(/<title>.*?<\/title>/g, ""), /="[^"]*(NaN|Infinity)[^"]*"/);
  assert.doesNotMatch(svg, /&(?!amp;|lt;|gt;|quot;)/);
}

const steps = (losses: number[]) => losses.map((loss, i) => ({ step: i + 1, loss }));

test("curves are well-formed whatever was measured", () => {
  const anyNumber = fc.oneof(fc.double(), fc.constantFrom(0, 1, -1, 1e-300, Number.NaN));
  const epoch = fc.record(
    {
      trainLoss: anyNumber,
      validationLoss: anyNumber,
      trainAccuracy: anyNumber,
      validationAccuracy: anyNumber,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.array(anyNumber, { maxLength: 40 }),
      fc.array(epoch, { maxLength: 4 }),
      fc.string({ unit: "binary" }),
      fc.constantFrom("linear" as const, "log" as const),
      (losses, measured, title, lossScale) => {
        const epochs = measured.map((record, i) => ({ epoch: i + 1, step: i, ...record }));
        assertDrawing(curvesSvg({ steps: steps(losses), epochs }, { title, lossScale }));
      },
    ),
    { numRuns: 200 },
  );
});

test("curves of a run show both panels, both parts and the last accuracy", () => {
  const losses = Array.from({ length: 100 }, (_, i) => 2 / (i + 1));
  const epochs = [
    { epoch: 1, step: 50, validationLoss: 0.2, trainAccuracy: 0.9, validationAccuracy: 0.88 },
    { epoch: 2, step: 100, validationLoss: 0.1, trainAccuracy: 0.98, validationAccuracy: 0.9625 },
  ];
  const svg = curvesSvg({ steps: steps(losses), epochs }, { title: "A < B & C" });
  assertDrawing(svg);
  assert.match(svg, /A &lt; B &amp; C/);
  assert.match(svg, /Accuracy: 96\.25% on validation data/);
  assert.equal(svg.match(/>training</g)?.length, 2);
  assert.equal(svg.match(/>validation</g)?.length, 2);
  // A pale raw line, a smoothed one, and one each for the other three.
  assert.equal(svg.match(/<path /g)?.length, 5);
});

test("a share that never changes is drawn on an axis from bound to bound", () => {
  const points = [0, 1, 2].map((x) => [x, 0] as const);
  const panel = { title: "Dead units", xLabel: "step", percent: true, yBounds: [0, 1] as const };
  const svg = drawPanels([{ ...panel, lines: [{ name: "relu", points }] }], { title: "Health" });
  assertDrawing(svg);
  assert.match(svg, />0%<.*>60%<.*>100%</s);
});

test("a loss that is not finite is said, an empty run too", () => {
  const svg = curvesSvg({ steps: steps([1, 2, Number.NaN, 1]), epochs: [] });
  assertDrawing(svg);
  assert.match(svg, /not finite at step 3/);
  const empty = curvesSvg({ steps: [], epochs: [] });
  assertDrawing(empty);
  assert.equal(empty.match(/no values yet/g)?.length, 2);
  assert.throws(() => curvesSvg({ steps: [], epochs: [] }, { smoothing: 1 }), ValueError);
});

test("long runs are thinned, but their peaks stay", () => {
  const losses = Array.from({ length: 200_000 }, (_, i) => (i === 123_456 ? 50 : 1));
  const svg = curvesSvg({ steps: steps(losses), epochs: [] }, { smoothing: 0 });
  assertDrawing(svg);
  assert.ok(svg.length < 60_000, `${svg.length}`);
  assert.match(svg, />40</);
});

test("axes are marked at round numbers", () => {
  const place = { from: 0, to: 100 };
  const labels = (low: number, high: number, options = {}) => {
    const scale = makeScale(low, high, { ...place, ...options });
    return scale.ticks.map((tick) => scale.label(tick));
  };
  assert.deepEqual(labels(0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  assert.deepEqual(labels(1, 4, { whole: true }), ["1", "2", "3", "4"]);
  assert.deepEqual(labels(0, 20_000), ["0", "5k", "10k", "15k", "20k"]);
  assert.deepEqual(labels(0.001, 10, { kind: "log" }), ["0.001", "0.01", "0.1", "1", "10"]);
  assert.ok(labels(3, 3).length > 0);
  assert.ok(labels(Number.NaN, Number.NaN).length > 0);
});

test("a confusion matrix shows its counts, shares and names", () => {
  const svg = confusionSvg(
    [
      [9, 1],
      [0, 0],
    ],
    ["cat <1>", "a dog of a very long and noble name"],
  );
  assertDrawing(svg);
  assert.match(svg, /9 of 10 right \(90\.00%\)/);
  assert.match(svg, /cat &lt;1&gt; taken for a dog.*: 1 \(10\.0%\)/);
  assert.equal(svg.match(/>90\.0%</g)?.length, 1);
  assertDrawing(confusionSvg([[0]], [""]));
  assert.throws(() => confusionSvg([[1, 2]], ["a"]), ShapeError);
  assert.throws(() => confusionSvg([[1]], ["a", "b"]), ShapeError);
  assert.throws(() => confusionSvg([], []), ShapeError);
  assert.throws(() => confusionSvg([[Number.NaN]], ["a"]), ValueError);
});

test("every printable character has a glyph of its own", () => {
  const missing = String(glyphOf("☃"));
  assert.equal(missing, String(glyphOf("?")));
  const characters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
  const seen = new Set([...characters, "→", "…", "·", "×"].map((c) => String(glyphOf(c))));
  assert.equal(seen.size, 98);
  for (const c of characters) for (const bits of glyphOf(c)) assert.ok(bits < 1 << fontHeight);
  assert.deepEqual(glyphOf("é"), glyphOf("e"));
  assert.equal(textWidth("ii"), 3);
  assert.equal(fitText("Ankle boot", 1000), "Ankle boot");
  assert.ok(textWidth(fitText("Ankle boot", 30)) <= 30);
});

test("text is drawn dot by dot", () => {
  const canvas = new Raster(6, 11, [0, 0, 0]);
  canvas.text("T", 1, 1, 1, [255, 255, 255]);
  const { data, width } = canvas.finish();
  const rows = Array.from({ length: 9 }, (_, y) =>
    Array.from({ length: 6 }, (_, x) => (data[((y + 1) * width + x) * 3] ? "#" : ".")).join(""),
  );
  assert.deepEqual(rows.slice(0, 3), [".#####", "...#..", "...#.."]);
  assert.deepEqual(rows.slice(6), ["...#..", "......", "......"]);
});

test("mistakes are drawn surest first, and only they", () => {
  const side = 4;
  const data = new Uint8Array(3 * side * side).map((_, i) => 40 + 60 * Math.floor(i / 16));
  const images: ArrayData = { shape: [3, side, side], dtype: "uint8", data };
  const shared = { images, labels: [1, 2, 3], confidences: [0.6, 0.99, 0.8] };
  const picture = mistakesPicture({ ...shared, predictions: [0, 2, 0] });
  assert.equal(picture.data.length, picture.width * picture.height * 3);
  const greys = [40, 100, 160].map((grey) => findGrey(picture, grey));
  assert.equal(greys[1], -1);
  assert.ok(greys[2]! >= 0 && greys[2]! < greys[0]!);
  const right = mistakesPicture({ ...shared, predictions: [1, 2, 3] });
  assert.ok(right.height < picture.height);
  const one = mistakesPicture({ ...shared, predictions: [0, 2, 0], limit: 1 });
  assert.equal(findGrey(one, 40), -1);
});

/** The column in which a patch of one grey begins, or −1. */
function findGrey({ data, width }: { data: Uint8Array; width: number }, grey: number): number {
  for (let i = 0; i + 2 < data.length; i += 3)
    if (data[i] === grey && data[i + 1] === grey && data[i + 2] === grey) return (i / 3) % width;
  return -1;
}

test("mistakes come in colour and as numbers, and what does not fit is refused", () => {
  const data = new Float32Array(3 * 4).fill(0);
  data.fill(2, 0, 4);
  const images: ArrayData = { shape: [1, 3, 2, 2], dtype: "float32", data };
  const options = { images, labels: [0], predictions: [1], confidences: [1] };
  const picture = mistakesPicture(options);
  const red = picture.data.findIndex(
    (value, i) => i % 3 === 0 && value === 255 && picture.data[i + 1] === 0,
  );
  assert.ok(red >= 0);
  assert.throws(() => mistakesPicture({ ...options, labels: [] }), /0 labels for 1 images/);
  const flat: ArrayData = { shape: [1, 12], dtype: "float32", data };
  assert.throws(() => mistakesPicture({ ...options, images: flat }), /images are \[1, 12\]/);
  assert.throws(() => mistakesPicture({ ...options, limit: 0 }), /limit is 0/);
});

test("panels lie in a grid, their lines in colours of their own, their legends in rows", () => {
  const line = (name: string) => ({ name, points: [[0, 1] as const, [1, 2] as const] });
  const names = Array.from({ length: 9 }, (_, i) => `momentum ${i}`);
  const panels = [names, ["one"], ["two"]].map((list, i) => ({
    ...{ title: `Panel ${i}`, xLabel: "step", lines: list.map(line) },
  }));
  const svg = drawPanels(panels, { title: "A < B", width: 300, height: 200 });
  assertDrawing(svg);
  assert.match(svg, /viewBox="0 0 672 512"/);
  const colours = Array.from(svg.matchAll(/<path [^>]*stroke="(#\w+)"/g), ([, colour]) => colour);
  assert.equal(colours.length, 11);
  assert.equal(new Set(colours.slice(0, 9)).size, 9);
  assert.equal(colours[9], colours[0]);
  const places = names.map((name) => new RegExp(`<text x="([\\d.]+)" y="([\\d.]+)"[^>]*>${name}<`));
  const found = places.map((place) => place.exec(svg)!.slice(1).map(Number) as [number, number]);
  assert.ok(new Set(found.map(([, y]) => y)).size > 2);
  for (const [x] of found) assert.ok(x > 24 && x + 60 < 324, `${x}`);
  assert.throws(() => drawPanels([], { title: "" }), /got no panel/);
  assert.throws(() => drawPanels(panels, { title: "", columns: 0 }), /columns is 0/);
});
