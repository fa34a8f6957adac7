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
  gradualUnfreezing,
  layerwiseGroups,
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

async function compare(images: LabelledImages, perClass: number) {
  const test = loader(choose(images.test, 5, 200), 250, false);
  const few = () => loader(choose(images.train, 5, perClass), 10, true);
  manualSeed(1);
  const teacher = new vision.LeNet5({ classes: 5 });
  await fit(teacher, {
    optimizer: new optim.Adam(teacher.parameters(), { lr: 3e-3 }),
    train: loader(choose(images.train, 0, 500), 50, true),
    epochs: 3,
  });
  const train = async (isTransfer: boolean) => {
    manualSeed(2);
    const model = new vision.LeNet5({ classes: 10 });
    const { head } = replaceHead(model, 5, { init: "small" });
    if (isTransfer) loadWeights(model, teacher.stateDict(), { exclude: "fc3" });
    const unfreezing = isTransfer ? gradualUnfreezing(model, { start: 2 }) : undefined;
    const groups = isTransfer
      ? layerwiseGroups(model, { lr: 3e-3, decay: 0.7 })
      : [{ params: model.parameters(), lr: 3e-3 }];
    await fit(model, {
      optimizer: new optim.Adam(groups),
      train: few(),
      epochs: 10,
      schedule: cosineSchedule({ warmup: 0.1 }),
      ...(unfreezing && { onEvent: unfreezing.onEvent }),
    });
    assert.equal(head.weight.shape[0], 5);
    return (await evaluate(model, test, { metrics: { accuracy } })).accuracy!;
  };
  return { teacher, test, few, scratch: await train(false), transfer: await train(true) };
}

test("five digits learned help with five others, ten pictures each", async () => {
  const { teacher, test, few, scratch, transfer } = await compare(await loadDigits(), 10);
  assert.ok(transfer > scratch + 0.02, `${transfer} with transfer, ${scratch} from scratch`);
  assert.ok(transfer > 0.8, `${transfer}`);
  // A linear classifier on frozen embeddings, trained on them as ordinary data.
  freeze(teacher);
  const tensorsOf = async (source: typeof test) => {
    const { embeddings, labels } = await embed(teacher, source, { module: "conv2" });
    const { shape } = embeddings;
    return new data.TensorDataset(tensor(embeddings.data, { shape }), tensor(labels!.data));
  };
  const [known, asked] = [await tensorsOf(few()), await tensorsOf(test)];
  const probe = new nn.Linear(16 * 100, 5);
  await fit(probe, {
    optimizer: new optim.AdamW(probe.parameters(), { lr: 1e-2 }),
    train: new data.DataLoader(known, { batchSize: 10, shuffle: true, seed: 1 }),
    epochs: 10,
  });
  const probed = await evaluate(probe, new data.DataLoader(asked, { batchSize: 250 }), {
    metrics: { accuracy },
  });
  assert.ok(probed.accuracy! > 0.7, `${probed.accuracy} on embeddings`);
});

test("five kinds of clothes help with five others", { skip: noFashion }, async () => {
  const { scratch, transfer } = await compare(await loadIdxFolder(fashion), 5);
  assert.ok(transfer > scratch, `${transfer} with transfer, ${scratch} from scratch`);
});
