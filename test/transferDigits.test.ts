/** Transfer on real pictures: what was learned on some classes helps with others of which there are few examples. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { LabelledImages } from "../src/data/index.js";
import { loadDigits, loadIdxFolder } from "../src/data/node.js";
import { data, manualSeed, nn, optim, tensor, vision } from "../src/index.js";
import {
  accuracy,
  cosineSchedule,
  embed,
  evaluate,
  fit,
  freeze,
  loadWeights,
  replaceHead,
} from "../src/train/index.js";
import { backends, use } from "./support/backends.js";

const fashion = fileURLToPath(new URL("../../shared/data/fashion-mnist", import.meta.url));
const noFashion = existsSync(fashion) ? false : "data: Fashion-MNIST is not there";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);

type Part = LabelledImages["train"];

/** The first `perClass` pictures of each of five classes, with labels from 0 to 4. */
function choose({ images, labels }: Part, first: number, perClass: number) {
  const size = 28 * 28;
  const taken = new Map<number, number>();
  const [pixels, classes]: [number[], number[]] = [[], []];
  labels.data.forEach((label, i) => {
    const count = taken.get(label) ?? 0;
    if (label < first || label >= first + 5 || count >= perClass) return;
    taken.set(label, count + 1);
    for (const value of images.data.subarray(i * size, (i + 1) * size))
      pixels.push(value / 255 - 0.3);
    classes.push(label - first);
  });
  const shape = [classes.length, 1, 28, 28];
  return new data.TensorDataset(
    tensor(Float32Array.from(pixels), { shape }),
    tensor(Int32Array.from(classes)),
  );
}

const loader = (set: ReturnType<typeof choose>, batchSize: number, shuffle: boolean) =>
  new data.DataLoader(set, { batchSize, shuffle, seed: 1 });

const seeds = [2, 3, 4];

/** Mean accuracy on the other five classes, with the convolutions of a network that learned the first five and without. */
async function compare(images: LabelledImages, { teaching, perClass }: Record<string, number>) {
  const asked = loader(choose(images.test, 5, 200), 250, false);
  const few = choose(images.train, 5, perClass!);
  manualSeed(1);
  const teacher = new vision.LeNet5({ classes: 5 });
  await fit(teacher, {
    optimizer: new optim.Adam(teacher.parameters(), { lr: 3e-3 }),
    train: loader(choose(images.train, 0, teaching!), 50, true),
    epochs: 3,
  });
  const train = async (seed: number, isTransfer: boolean) => {
    manualSeed(seed);
    const model = new vision.LeNet5({ classes: 10 });
    const { head } = replaceHead(model, 5);
    if (isTransfer) {
      loadWeights(model, teacher.stateDict(), { only: "conv*" });
      assert.deepEqual(freeze(model, "conv*").frozen, 2572);
    }
    await fit(model, {
      optimizer: new optim.Adam(model.parameters(), { lr: 3e-3 }),
      train: loader(few, 10, true),
      epochs: 20,
      schedule: cosineSchedule({ warmup: 0.1 }),
    });
    assert.equal(model.fc3, head);
    if (isTransfer) assert.deepEqual([...model.conv1.weight.data], [...teacher.conv1.weight.data]);
    return (await evaluate(model, asked, { metrics: { accuracy } })).accuracy!;
  };
  const mean = async (isTransfer: boolean) => {
    let sum = 0;
    for (const seed of seeds) sum += await train(seed, isTransfer);
    return sum / seeds.length;
  };
  const [scratch, transfer] = [await mean(false), await mean(true)];
  return { teacher, asked, few, scratch, transfer };
}

test("five digits learned help with five others, of five pictures each", async () => {
  const options = { teaching: 500, perClass: 5 };
  const { teacher, asked, few, scratch, transfer } = await compare(await loadDigits(), options);
  assert.ok(transfer > scratch + 0.03, `${transfer} with transfer, ${scratch} from scratch`);
  // A linear classifier on frozen embeddings, trained on them as ordinary data.
  freeze(teacher);
  const tensorsOf = async (source: typeof asked) => {
    const { embeddings, labels } = await embed(teacher, source, { module: "conv2" });
    const { shape } = embeddings;
    return new data.TensorDataset(tensor(embeddings.data, { shape }), tensor(labels!.data));
  };
  const known = await tensorsOf(loader(few, 10, false));
  const probe = new nn.Linear(16 * 100, 5);
  await fit(probe, {
    optimizer: new optim.AdamW(probe.parameters(), { lr: 1e-2 }),
    train: new data.DataLoader(known, { batchSize: 10, shuffle: true, seed: 1 }),
    epochs: 10,
  });
  const probed = await evaluate(
    probe,
    new data.DataLoader(await tensorsOf(asked), { batchSize: 250 }),
    {
      metrics: { accuracy },
    },
  );
  assert.ok(probed.accuracy! > 0.65, `${probed.accuracy} on embeddings`);
});

test("five kinds of clothes help with five others", { skip: noFashion }, async () => {
  const options = { teaching: 1500, perClass: 5 };
  const { scratch, transfer } = await compare(await loadIdxFolder(fashion), options);
  assert.ok(transfer > scratch, `${transfer} with transfer, ${scratch} from scratch`);
});
