/** Pictures of bytes: functions, operations of the policies, their magnitudes and tables against torchvision's; random transforms of bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  DTypeError,
  Generator,
  nn,
  rand,
  stack,
  type Tensor,
  tensor,
  ValueError,
  vision,
} from "../src/index.js";
import { mixSpace } from "../src/vision/transforms/augMix.js";
import { paperSpace, trivialSpace } from "../src/vision/transforms/auto.js";
import { choiceOf, none, runChoices, type Space } from "../src/vision/transforms/choices.js";
import { policies } from "../src/vision/transforms/policies.js";
import { backends, use } from "./support/backends.js";
import { readFixture } from "./support/fixtures.js";
import { bilinear, corners, displacement, moved } from "./support/transformPlaces.js";

const { functional: T } = vision;

interface Picture {
  readonly shape: number[];
  readonly values: number[];
}

const fixtures = readFixture<{
  cases: Record<string, Picture>;
  operations: Record<string, Picture & { magnitude: number }>;
  spaces: Record<string, Record<string, { values: number[]; isSigned: boolean }>>;
  policies: Record<string, unknown>;
}>("transformsBytes.json.gz");

function bytes(shape: readonly number[], value: (i: number) => number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Uint8Array.from({ length: count }, (_, i) => value(i)),
    { shape: [...shape] },
  );
}

/** As in scripts/fixtures/makeTransformsBytes.py. */
const pixels = (...shape: number[]) => bytes(shape, (i) => (i * 73 + ((i * i) % 251)) % 256);

function smooth(channels: number, height: number, width: number): Tensor {
  return bytes([channels, height, width], (i) => {
    const [c, h, w] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    return Math.floor(
      ((Math.sin(0.9 * c) + Math.sin(0.31 * h) + Math.cos(0.23 * w)) / 6 + 0.5) * 255,
    );
  });
}

const [x, y, grey] = [pixels(3, 11, 14), smooth(3, 13, 18), pixels(1, 9, 9)];
const base = smooth(3, 20, 20);
const dark = bytes(base.shape, (i) => Math.floor(base.data[i]! / 2) + 20);

/** How many pixels may be off by one level, where a fraction close to a whole or a half is cut or rounded; the others are equal. */
const [exact, nearly] = [0, 0.02];

const cases: Record<string, readonly [share: number, run: () => Tensor]> = {
  horizontalFlip: [exact, () => T.horizontalFlip(x)],
  verticalFlip: [exact, () => T.verticalFlip(x)],
  adjustBrightness: [nearly, () => T.adjustBrightness(x, 1.4)],
  adjustContrast: [nearly, () => T.adjustContrast(x, 0.3)],
  "adjustContrast grey": [nearly, () => T.adjustContrast(grey, 1.7)],
  adjustSaturation: [nearly, () => T.adjustSaturation(x, 2)],
  adjustHue: [nearly, () => T.adjustHue(x, 0.2)],
  adjustSharpness: [nearly, () => T.adjustSharpness(x, 2.5)],
  rgbToGrayscale: [nearly, () => T.rgbToGrayscale(x, { numOutputChannels: 3 })],
  invert: [exact, () => T.invert(x)],
  solarize: [exact, () => T.solarize(x, 150)],
  posterize: [exact, () => T.posterize(x, 3)],
  autocontrast: [nearly, () => T.autocontrast(dark)],
  equalize: [exact, () => T.equalize(dark)],
  gaussianBlur: [nearly, () => T.gaussianBlur(x, [3, 5], { sigma: 1.1 })],
  rotate: [nearly, () => T.rotate(y, 33, { ...bilinear, fill: [20, 40, 200] })],
  affine: [
    nearly,
    () => T.affine(y, { ...bilinear, angle: 25, translate: [2, -3], scale: 1.3, shear: [10, -15] }),
  ],
  perspective: [nearly, () => T.perspective(y, corners, moved)],
  elastic: [nearly, () => T.elastic(y, displacement)],
  pad: [exact, () => T.pad(x, [1, 2, 3, 4], { fill: 77 })],
  crop: [exact, () => T.crop(x, -2, 9, 8, 9)],
  centerCrop: [exact, () => T.centerCrop(x, [6, 5])],
  resize: [nearly, () => T.resize(y, [5, 7])],
  "resize bicubic": [
    nearly,
    () => T.resize(x, [20, 9], { interpolation: "bicubic", antialias: false }),
  ],
  resizedCrop: [nearly, () => T.resizedCrop(y, 1, 2, 11, 15, [4, 6])],
  tenCrop: [exact, () => stack(T.tenCrop(x, [5, 6]))],
  erase: [exact, () => T.erase(x, 2, 3, 4, 5, [10, 20, 30])],
};

function assertLevels(name: string, actual: Tensor, expected: ArrayLike<number>, share: number) {
  assert.equal(actual.dtype, "uint8", name);
  assert.equal(actual.size, expected.length, name);
  const off = Array.from(expected, (value, i) => Math.abs(value - actual.data[i]!));
  const some = off.filter((n) => n > 0);
  assert.ok(Math.max(...off) <= 1 && some.length <= share * off.length, `${name}: off by ${some}`);
}

test("every function of bytes has its fixture", () => {
  assert.deepEqual(Object.keys(cases).sort(), Object.keys(fixtures.cases).sort());
});

for (const place of backends)
  test(`bytes as torchvision, pixel by pixel (${place.name})`, () => {
    use(place);
    for (const [name, [share, run]] of Object.entries(cases)) {
      const [result, expected] = [run(), fixtures.cases[name]!];
      assert.deepEqual(result.shape, expected.shape, name);
      assertLevels(name, result, expected.values, share);
    }
  });

for (const place of backends)
  test(`operations of the policies as torchvision's (${place.name})`, async () => {
    use(place);
    const sampling = { ...bilinear, fill: [9, 90, 190] };
    const batch = y.unsqueeze(0);
    for (const [name, { magnitude, values }] of Object.entries(fixtures.operations)) {
      const given = name === "Solarize" ? magnitude / 255 : magnitude;
      const [kinds, magnitudes] = [[0], [given]].map((list) => tensor(list, { dtype: "float64" }));
      const drawn = { names: [name], kinds: kinds!, magnitudes: magnitudes! };
      const run = (pictures: Tensor) => runChoices(pictures, drawn, sampling);
      assertLevels(name, run(batch), values, nearly);
      assertLevels(`${name} compiled`, await compile(run)(batch), values, nearly);
    }
  });

test("magnitudes and policies are torchvision's", () => {
  const size = [40, 60] as const;
  const ours: Record<string, Space> = {
    AutoAugment: { ...paperSpace(size), Invert: none },
    RandAugment: { Identity: none, ...paperSpace(size) },
    TrivialAugmentWide: trivialSpace,
    AugMix: mixSpace(size),
    "AugMix of few": mixSpace(size, false),
  };
  for (const [kind, rows] of Object.entries(fixtures.spaces)) {
    assert.deepEqual(Object.keys(ours[kind]!).sort(), Object.keys(rows).sort(), kind);
    for (const [name, { values, isSigned }] of Object.entries(rows)) {
      // Without strengths there is one number; Solarize's are levels of bytes.
      const places = values.map((_, i) => (values.length === 1 ? 0 : i / (values.length - 1)));
      const unit = name === "Solarize" ? 255 : 1;
      for (const [i, place] of places.entries()) {
        const choice = choiceOf(ours[kind]!, name, place);
        const off = Math.abs(choice.magnitude * unit - values[i]!);
        assert.ok(off <= 1e-5 * Math.max(1, Math.abs(values[i]!)), `${kind} ${name} ${i}: ${off}`);
        assert.equal(choice.isSigned ?? false, isSigned, `${kind} ${name}`);
      }
    }
  }
  assert.deepEqual(policies, fixtures.policies);
});

type Make = (generator: Generator) => { forward(x: Tensor): Tensor };

const random: Record<string, Make> = {
  flip: (generator) => new vision.RandomHorizontalFlip({ generator }),
  crop: (generator) => new vision.RandomCrop(12, { padding: 2, fill: 9, generator }),
  resizedCrop: (generator) => new vision.RandomResizedCrop(10, { generator }),
  affine: (generator) => new vision.RandomAffine(20, { ...bilinear, shear: 9, generator }),
  elastic: (generator) => new vision.ElasticTransform({ alpha: 9, sigma: 2, generator }),
  erasing: (generator) => new vision.RandomErasing({ p: 0.9, value: "random", generator }),
  AutoAugment: (generator) => new vision.AutoAugment({ generator }),
  RandAugment: (generator) => new vision.RandAugment({ generator }),
  AugMix: (generator) => new vision.AugMix({ generator }),
  "until floats": (generator) =>
    new vision.Compose(
      new vision.RandomVerticalFlip({ generator }),
      T.toFloat,
      new vision.ColorJitter({ brightness: 0.4, generator }),
      new vision.Normalize(0.5, 0.25),
    ),
};

for (const [name, make] of Object.entries(random))
  test(`${name} takes bytes, the same for a seed on every backend and compiled`, async () => {
    const batch = pixels(6, 3, 16, 16);
    use(backends[0]!);
    const first = make(new Generator(9)).forward(batch);
    assert.equal(first.dtype, name === "until floats" ? "float32" : "uint8");
    for (const place of backends) {
      use(place);
      const transform = make(new Generator(9));
      const results = [
        make(new Generator(9)).forward(batch),
        await compile((pictures: Tensor) => transform.forward(pictures))(batch),
      ];
      for (const { data } of results) {
        const off = Array.from(data, (v: number, i) => Math.abs(v - first.data[i]!));
        const most = name === "until floats" ? 1e-5 : 1;
        assert.ok(Math.max(...off) <= most, `${name}, ${place.name}: off by ${Math.max(...off)}`);
        assert.ok(off.filter((n) => n > 1e-5).length <= nearly * off.length, name);
      }
    }
  });

test("a pipeline of layers begins with bytes", () => {
  const layers = new nn.Sequential(new vision.CenterCrop(8), new vision.Resize(4));
  assert.equal(layers.forward(x).dtype, "uint8");
});

test("conversions leave what is already so, and refuse the rest", () => {
  const floats = rand([1, 2, 2]);
  assert.equal(T.toFloat(floats), floats);
  assert.equal(T.toBytes(x), x);
  assert.throws(() => T.toFloat(tensor([1, 2], { dtype: "int32" })), DTypeError);
  assert.throws(() => T.toBytes(tensor([1, 2], { dtype: "int32" })), DTypeError);
});

test("bytes are refused where they make no sense", () => {
  assert.throws(() => T.normalize(x, 0, 1), /normalize: pictures are uint8.*toFloat/);
  assert.throws(() => T.gaussianNoise(x), DTypeError);
  assert.throws(() => T.invert(tensor([[[1]]], { dtype: "int32" })), DTypeError);
  const labels = tensor(new Int32Array([0]));
  assert.throws(
    () => new vision.MixUp({ numClasses: 2 }).forward(x.unsqueeze(0), labels),
    DTypeError,
  );
  // A share of white in bytes is a mistake.
  assert.throws(() => T.pad(x, 1, { fill: 0.5 }), /whole numbers from 0 to 255/);
  assert.throws(() => T.rotate(x, 9, { fill: 256 }), ValueError);
  assert.throws(
    () => new vision.RandomApply([T.toFloat]).forward(x),
    /some pictures would be uint8/,
  );
  assert.throws(() => new vision.RandomChoice([T.toFloat, (p) => p]).forward(x), DTypeError);
});
