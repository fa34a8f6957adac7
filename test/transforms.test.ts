/** Transforms as functions against torchvision's, pixel by pixel, on every backend; one parameter a picture; refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  DTypeError,
  manualSeed,
  rand,
  ShapeError,
  stack,
  type Tensor,
  tensor,
  ValueError,
  vision,
} from "../src/index.js";
import { backends, everywhere, use } from "./support/backends.js";
import { readFixture } from "./support/fixtures.js";
import { bilinear, corners, displacement, moved } from "./support/transformPlaces.js";

const { functional: T } = vision;
const fixtures =
  readFixture<Record<string, { shape: number[]; values: number[] }>>("transforms.json.gz");

/** As in scripts/fixtures/makeTransforms.py. */
function pixels(...shape: number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from(
    { length: count },
    (_, i) => ((i * 73 + ((i * i) % 251)) % 256) / 255,
  );
  return tensor(values, { shape });
}

function smooth(channels: number, height: number, width: number): Tensor {
  const at = (i: number) => {
    const [c, h, w] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    return (Math.sin(0.9 * c) + Math.sin(0.31 * h) + Math.cos(0.23 * w)) / 6 + 0.5;
  };
  const values = Float32Array.from({ length: channels * height * width }, (_, i) => at(i));
  return tensor(values, { shape: [channels, height, width] });
}

const byLevels = (x: Tensor) =>
  tensor(x.data.map((v: number) => Math.round(v * 255) / 255) as Float32Array, { shape: x.shape });

const x = pixels(3, 11, 14);
const y = smooth(3, 13, 18);
const grey = pixels(1, 9, 9);
const dark = byLevels(x.mul(0.37).add(0.1013));
const large = byLevels(pixels(1, 40, 40).mul(0.4371));
const jagged = { antialias: false } as const;

/** Exact up to rounding; where places are computed, up to a slope times their rounding. */
const [close, placed] = [3e-6, 3e-5];

const cases: Record<string, readonly [bound: number, run: () => Tensor]> = {
  horizontalFlip: [0, () => T.horizontalFlip(x)],
  verticalFlip: [0, () => T.verticalFlip(x)],
  "adjustBrightness 1.4": [close, () => T.adjustBrightness(x, 1.4)],
  "adjustContrast 0.3": [close, () => T.adjustContrast(x, 0.3)],
  "adjustContrast grey 1.7": [close, () => T.adjustContrast(grey, 1.7)],
  "adjustSaturation 2": [close, () => T.adjustSaturation(x, 2)],
  "adjustHue 0.2": [close, () => T.adjustHue(x, 0.2)],
  "adjustHue -0.45": [close, () => T.adjustHue(x, -0.45)],
  "adjustSharpness 0": [close, () => T.adjustSharpness(x, 0)],
  "adjustSharpness 2.5": [close, () => T.adjustSharpness(x, 2.5)],
  rgbToGrayscale: [close, () => T.rgbToGrayscale(x)],
  "rgbToGrayscale 3": [close, () => T.rgbToGrayscale(x, { numOutputChannels: 3 })],
  invert: [close, () => T.invert(x)],
  solarize: [close, () => T.solarize(x, 0.6)],
  autocontrast: [close, () => T.autocontrast(dark)],
  equalize: [close, () => T.equalize(dark)],
  "equalize large": [close, () => T.equalize(large)],
  gaussianBlur: [close, () => T.gaussianBlur(x, [3, 5], { sigma: 1.1 })],
  "gaussianBlur default": [close, () => T.gaussianBlur(x, [7, 3])],
  normalize: [close, () => T.normalize(x, [0.4, 0.5, 0.6], [0.2, 0.3, 0.25])],
  rotate: [placed, () => T.rotate(y, 33, bilinear)],
  "rotate expand": [placed, () => T.rotate(y, -70, { ...bilinear, expand: true })],
  "rotate center fill": [
    placed,
    () => T.rotate(y, 20, { ...bilinear, center: [3, 4], fill: [0.1, 0.2, 0.7] }),
  ],
  "rotate nearest": [close, () => T.rotate(y, 17)],
  "rotate nearest fill": [close, () => T.rotate(y, 17, { fill: 0.5 })],
  affine: [
    placed,
    () => T.affine(y, { ...bilinear, angle: 25, translate: [2, -3], scale: 1.3, shear: [10, -15] }),
  ],
  "affine center": [
    placed,
    () =>
      T.affine(y, {
        ...bilinear,
        angle: -40,
        translate: [0, 1],
        scale: 0.7,
        shear: [0, 5],
        center: [5, 2],
      }),
  ],
  perspective: [placed, () => T.perspective(y, corners, moved)],
  "perspective fill": [placed, () => T.perspective(y, corners, moved, { fill: [0.3, 0.2, 0.1] })],
  elastic: [placed, () => T.elastic(y, displacement)],
  pad: [0, () => T.pad(x, [1, 2, 3, 4], { fill: 0.5 })],
  "pad reflect": [0, () => T.pad(x, [3, 2], { paddingMode: "reflect" })],
  "pad edge": [0, () => T.pad(x, 2, { paddingMode: "edge" })],
  "pad symmetric": [0, () => T.pad(x, [3, 11, 14, 2], { paddingMode: "symmetric" })],
  crop: [0, () => T.crop(x, 2, 3, 5, 6)],
  "crop outside": [0, () => T.crop(x, -2, 9, 8, 9)],
  centerCrop: [0, () => T.centerCrop(x, [6, 5])],
  "centerCrop larger": [0, () => T.centerCrop(x, [20, 9])],
  resize: [placed, () => T.resize(y, [7, 21], jagged)],
  "resize shorter": [placed, () => T.resize(y, 20, jagged)],
  "resize bicubic": [placed, () => T.resize(y, [20, 9], { ...jagged, interpolation: "bicubic" })],
  "resize smooth": [placed, () => T.resize(y, [5, 7])],
  "resize smooth shorter": [placed, () => T.resize(y, 6)],
  "resize smooth larger": [placed, () => T.resize(y, [20, 9])],
  "resize smooth bicubic": [placed, () => T.resize(y, [6, 25], { interpolation: "bicubic" })],
  "resize at most": [placed, () => T.resize(y, 9, { maxSize: 11 })],
  "resizedCrop smooth": [placed, () => T.resizedCrop(y, 1, 2, 11, 15, [4, 6])],
  "resizedCrop smooth mixed": [placed, () => T.resizedCrop(y, 0, 3, 13, 6, [5, 10])],
  resizedCrop: [placed, () => T.resizedCrop(y, 2, 3, 7, 9, [12, 10], jagged)],
  fiveCrop: [0, () => stack(T.fiveCrop(x, [5, 6]))],
  tenCrop: [0, () => stack(T.tenCrop(x, [5, 6]))],
  "tenCrop vertical": [0, () => stack(T.tenCrop(x, [5, 6], { vertical: true }))],
  erase: [0, () => T.erase(x, 2, 3, 4, 5, [0.1, 0.2, 0.3])],
};

function assertNear(
  name: string,
  actual: Tensor,
  expected: ArrayLike<number>,
  bound: number,
): void {
  assert.equal(actual.size, expected.length, name);
  // The fixtures have seven digits.
  const slack = bound + 1e-7;
  const worst = Array.from(expected).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - actual.data[i]!)),
    0,
  );
  assert.ok(worst <= slack, `${name}: off by ${worst}`);
}

test("every fixture has its case", () => {
  assert.deepEqual(Object.keys(cases).sort(), Object.keys(fixtures).sort());
});

for (const place of backends)
  test(`as torchvision, pixel by pixel (${place.name})`, () => {
    use(place);
    for (const [name, [bound, run]] of Object.entries(cases)) {
      const result = run();
      assert.deepEqual(result.shape, fixtures[name]!.shape, name);
      assertNear(name, result, fixtures[name]!.values, bound);
    }
  });

everywhere("one parameter a picture gives what each picture gets alone, compiled too", async () => {
  manualSeed(5);
  const batch = rand([2, 3, 9, 12]);
  const two = (a: number, b: number) => tensor([a, b], { dtype: "float64" });
  const points = tensor([corners, moved].map((list) => list.map(([a, b]) => [a / 2, b / 2])));
  const unmoved = corners.map(([a, b]) => [a / 2, b / 2] as const);
  type Run = (x: Tensor, pick: (a: number, b: number) => Tensor | number, i: number) => Tensor;
  const runs: Record<string, Run> = {
    brightness: (p, pick) => T.adjustBrightness(p, pick(0.5, 1.5)),
    contrast: (p, pick) => T.adjustContrast(p, pick(0.5, 1.5)),
    saturation: (p, pick) => T.adjustSaturation(p, pick(0, 1.5)),
    hue: (p, pick) => T.adjustHue(p, pick(-0.3, 0.4)),
    sharpness: (p, pick) => T.adjustSharpness(p, pick(0, 2)),
    posterize: (p, pick) => T.posterize(p, pick(2, 5)),
    solarize: (p, pick) => T.solarize(p, pick(0.2, 0.8)),
    blur: (p, pick) => T.gaussianBlur(p, 5, { sigma: pick(0.4, 1.9) }),
    equalize: (p) => T.equalize(p),
    autocontrast: (p) => T.autocontrast(p),
    rotate: (p, pick) => T.rotate(p, pick(10, -50), bilinear),
    affine: (p, pick) =>
      T.affine(p, {
        ...bilinear,
        scale: pick(0.7, 1.4),
        translate: [pick(1, -2), 1],
        shear: [0, pick(3, 9)],
      }),
    "shift in x": (p, pick) => T.affine(p, { ...bilinear, translate: [pick(1, -2), 0] }),
    "shift in y": (p, pick) => T.affine(p, { ...bilinear, translate: [0, pick(1, -2)] }),
    perspective: (p, _pick, i) =>
      T.perspective(p, unmoved, i < 0 ? points : points.narrow(0, i, 1), bilinear),
    crop: (p, pick) => T.crop(p, pick(0, 3), pick(4, 2), 5, 6),
    resizedCrop: (p, pick) => T.resizedCrop(p, pick(0, 3), pick(4, 2), pick(5, 6), pick(8, 3), 7),
    "resizedCrop jagged": (p, pick) =>
      T.resizedCrop(p, pick(0, 3), pick(4, 2), pick(5, 6), pick(8, 3), 7, jagged),
    "resizedCrop smaller": (p, pick) =>
      T.resizedCrop(p, pick(0, 3), pick(4, 2), pick(5, 6), pick(8, 3), 2),
    erase: (p, pick) => T.erase(p, pick(0, 3), pick(4, 2), pick(5, 6), pick(8, 3), 0.5),
  };
  for (const [name, run] of Object.entries(runs)) {
    const together = run(batch, two, -1);
    const compiled = await compile((images: Tensor) => run(images, two, -1))(batch);
    assertNear(`${name} compiled`, compiled, together.data, 2e-6);
    for (const i of [0, 1]) {
      const alone = run(batch.select(0, i), (a, b) => [a, b][i]!, i);
      assertNear(`${name} ${i}`, together.select(0, i), alone.data, 2e-6);
    }
  }
});

test("posterize keeps the levels that torchvision's second version keeps of floats", () => {
  const levels = T.posterize(tensor([[[0, 0.2, 0.5, 0.99, 1]]]), 2);
  assert.deepEqual(levels.flatten().toArray(), [0, 0, 0.5, 0.75, 0.75]);
});

test("outputs are averaged over crops", () => {
  const images = rand([2, 3, 8, 10]);
  const model = (part: Tensor) => part.mean([2, 3]);
  for (const crops of [5, 10] as const) {
    const parts = crops === 5 ? T.fiveCrop(images, 6) : T.tenCrop(images, 6);
    const expected = stack(parts.map(model)).mean(0);
    assertNear("average", vision.averageCrops(model, images, 6, { crops }), expected.data, 1e-6);
  }
});

test("bytes become floats and go back", () => {
  const bytes = tensor(
    Uint8Array.from({ length: 256 }, (_, i) => i),
    { shape: [1, 16, 16] },
  );
  assert.deepEqual(T.toBytes(T.toFloat(bytes)).data, bytes.data);
});

test("what does not fit is refused", () => {
  assert.throws(() => T.invert(tensor([[1]])), ShapeError);
  assert.throws(() => T.invert(tensor(new Int32Array(4), { shape: [1, 2, 2] })), DTypeError);
  assert.throws(() => T.adjustBrightness(x, -1), ValueError);
  assert.throws(() => T.adjustBrightness(x, tensor([1, 2])), /factor is \[2\]; expected \[1\]/);
  assert.throws(() => T.adjustHue(x, 0.6), ValueError);
  assert.throws(() => T.adjustSaturation(rand([2, 4, 4]), 1), /2 channels; expected 1 or 3/);
  assert.throws(() => T.posterize(x, 9), ValueError);
  assert.throws(() => T.gaussianBlur(x, 4), /expected odd/);
  assert.throws(() => T.gaussianBlur(x, 3, { sigma: 0 }), ValueError);
  assert.throws(() => T.gaussianBlur(x, 31), /too large/);
  assert.throws(() => T.normalize(x, 0, [1, 0, 1]), ValueError);
  assert.throws(() => T.rotate(x, Number.NaN), ValueError);
  assert.throws(() => T.rotate(x, tensor([3]), { expand: true }), ValueError);
  assert.throws(() => T.rotate(x, 3, { fill: [1, 2] }), /expected 1 or 3 numbers/);
  assert.throws(() => T.affine(x, { scale: 0 }), ValueError);
  assert.throws(() => T.perspective(x, corners, [[1, 2]]), ShapeError);
  assert.throws(() => T.elastic(x, displacement), ShapeError);
  assert.throws(() => T.pad(x, -1), ValueError);
  assert.throws(() => T.pad(x, [1, 2, 3] as never), /one, two or four/);
  assert.throws(() => T.perspective(x, corners, [corners[0], ...corners.slice(0, 3)]), /in a line/);
  assert.throws(() => T.resizedCrop(x, 8, 0, 4, 5, 6), /rows 8 to 12 are not inside of 0 to 11/);
  assert.throws(() => T.crop(x, 0.5, 0, 2, 2), ValueError);
  assert.throws(() => T.fiveCrop(x, 12), ShapeError);
  assert.throws(() => T.resize(x, 0), ValueError);
  assert.throws(() => T.resize(x, [3, 4], { maxSize: 9 }), /maxSize is 9/);
  assert.throws(() => T.resize(x, 8, { maxSize: 8 }), /maxSize is 8/);
  assert.throws(() => T.pad(x, 12, { paddingMode: "symmetric" }), /at most 11 pixels/);
  assert.throws(() => T.permuteChannels(x, [0, 0, 1]), ValueError);
});
