/** Event files: the bytes that TensorBoard itself writes, and files that its own reader has read (makeTensorBoard.py). */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { data, manualSeed, nn, ones, optim } from "../src/index.js";
import { crc32c } from "../src/io/crc32.js";
import { type FileSystem, nodeFileSystem } from "../src/io/index.js";
import { fit, type TrainEvent } from "../src/train/index.js";
import {
  exportCsv,
  exportTensorBoard,
  type SummaryValue,
  SummaryWriter,
  tensorBoard,
} from "../src/train/node/index.js";
import {
  eventRecord,
  fileHeader,
  restartRecord,
  sessionEnd,
  sessionStart,
} from "../src/train/tensorboard/events.js";
import { histogramOf } from "../src/train/tensorboard/histogram.js";
import {
  craftedEpochs,
  craftedLosses,
  interruptedEvents,
  writeCraftedRun,
} from "./support/craftedRun.js";
import { temporaryFolder } from "./trainSupport.js";

interface RecordCase {
  readonly record: string;
  readonly time: number;
  readonly step?: number;
  readonly header?: true;
  readonly restart?: true;
  readonly values?: readonly (SummaryValue & { scalar?: unknown; image?: { png: unknown } })[];
  readonly settings?: Record<string, string | number | boolean>;
  readonly ended?: "failure";
}

type Place = [time: number, step: number, value: string];

const fixture = JSON.parse(
  readFileSync(new URL("./fixtures/tensorboard.json", import.meta.url), "utf8"),
) as {
  records: RecordCase[];
  exported: {
    sha256: string;
    scalars: Record<string, Place[]>;
    images: object;
    hparams: object;
    resumed: number[][];
  };
};
const parent = temporaryFolder();
let folders = 0;
const newFolder = (): string => join(parent, `board${++folders}`);

function encode({
  header,
  restart,
  time,
  step = 0,
  values,
  settings,
  ended,
}: RecordCase): Uint8Array {
  if (header) return fileHeader(time);
  if (restart) return restartRecord({ step, time });
  if (settings) return eventRecord([sessionStart(settings, time)], { step, time });
  if (ended) return eventRecord([sessionEnd(ended, time)], { step, time });
  const real = values!.map((value) => {
    if ("scalar" in value) return { ...value, scalar: Number(value.scalar) };
    if (!("image" in value)) return value;
    return {
      ...value,
      image: { ...value.image, png: Buffer.from(value.image.png as never, "base64") },
    };
  });
  return eventRecord(real as SummaryValue[], { step, time });
}

/** The payloads of a file's records; throws where the framing is wrong. */
function payloads(path: string): Buffer[] {
  const bytes = readFileSync(path);
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    assert.ok(at + 16 + length <= bytes.length, "the last record is cut");
    records.push(bytes.subarray(at + 12, at + 12 + length));
    at += 16 + length;
  }
  return records;
}

test("records are those that TensorBoard's own writer makes, byte for byte", () => {
  assert.equal(fixture.records.length, 10);
  for (const one of fixture.records)
    assert.equal(
      Buffer.from(encode(one)).toString("base64"),
      one.record,
      JSON.stringify(one).slice(0, 200),
    );
  // RFC 3720, appendix B.4.
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
});

test("an exported run is the file that TensorBoard's own reader read, with the log's numbers", async () => {
  const folder = newFolder();
  const path = await exportTensorBoard(writeCraftedRun(parent), folder);
  assert.equal(
    createHash("sha256").update(readFileSync(path)).digest("hex"),
    fixture.exported.sha256,
  );
  const { scalars, images, hparams } = fixture.exported;
  assert.deepEqual(
    scalars["loss/step"]!.map(([, step, value]) => [step, Number(value)]),
    craftedLosses.map((loss, i) => [i + 1, Math.fround(loss)]),
  );
  for (const part of ["train", "validation"] as const)
    for (const measure of ["loss", "accuracy"] as const)
      assert.deepEqual(
        scalars[`${measure}/${part}`]!.map(([, step, value]) => [step, Number(value)]),
        craftedEpochs.map((epoch, i) => [3 * i + 3, Math.fround(epoch[part][measure])]),
      );
  assert.deepEqual(hparams, {
    epochs: 2,
    lr: 0.1,
    model: "lenet",
    note: "a|b, “c”",
    optimizer: "adam",
    shuffle: true,
  });
  assert.deepEqual(Object.keys(images), ["dots"]);
  // Again, it is replaced by the same file.
  await exportTensorBoard(join(parent, "crafted"), folder);
  assert.deepEqual(readdirSync(folder).length, 1);
});

test("histograms count every finite value in the bucket that holds it", () => {
  const values = [
    -1e30,
    -2,
    -1e-13,
    0,
    0,
    5e-13,
    1,
    1.5,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ];
  const { min, max, count, limits, counts, sum } = histogramOf(values)!;
  assert.deepEqual([min, max, count], [-1e30, 1e300, 9]);
  assert.equal(sum, 1e300);
  assert.equal(
    counts.reduce((a, b) => a + b),
    9,
  );
  assert.equal(limits.length, counts.length);
  for (const value of [-2, -1e-13, 0, 5e-13, 1, 1.5]) {
    const bucket = limits.findIndex((limit) => limit > value);
    assert.ok(counts[bucket]! > 0 && (bucket === 0 || limits[bucket - 1]! <= value), String(value));
  }
  assert.equal(histogramOf([Number.NaN]), null);
  assert.deepEqual(histogramOf([3, 3])!.counts, [0, 2]);
});

test("a callback writes a run as it goes on, a record an event", async () => {
  manualSeed(1);
  const model = new nn.Linear(2, 1);
  const folder = newFolder();
  const board = tensorBoard(folder, { settings: { optim: { lr: 0.1 } }, histogramEpochs: 2 });
  const found: number[] = [];
  await fit(model, {
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
    train: new data.DataLoader(new data.TensorDataset(ones([4, 2]), ones([4, 1])), {
      batchSize: 2,
    }),
    epochs: 2,
    loss: nn.functional.mseLoss,
    callbacks: [board],
    onEvent(event) {
      if (event.type === "step") found.push(payloads(join(folder, readdirSync(folder)[0]!)).length);
    },
  });
  // Header, settings twice, then a record for each step and epoch before this one.
  assert.deepEqual(found, [3, 4, 6, 7]);
  const records = payloads(join(folder, readdirSync(folder)[0]!));
  const tags = [
    "loss/step",
    "lr",
    "loss/train",
    "parameters/weight",
    "parameters/bias",
    "session_end_info",
  ];
  for (const tag of tags)
    assert.ok(
      records.some((record) => record.includes(tag)),
      tag,
    );
});

test("a run that goes on counts its steps once", () => {
  // TensorBoard's own reader found this in the two files that the callback writes here.
  assert.deepEqual(fixture.exported.resumed, [
    ...[
      [1, 1],
      [2, 2],
      [3, 3],
    ],
    ...[
      [4, 40],
      [5, 50],
      [6, 60],
    ],
  ]);
  const folder = newFolder();
  for (const events of interruptedEvents) {
    const board = tensorBoard(folder);
    for (const event of events) board.onEvent(event);
    board.close();
  }
  const [, second] = readdirSync(folder).sort();
  const restart = payloads(join(folder, second!))[1]!;
  // Step 4, and a session that begins.
  assert.deepEqual([...restart.subarray(9)], [0x10, 4, 0x3a, 2, 0x08, 1]);
});

test("an export that is stopped writes nothing", async () => {
  const path = writeCraftedRun(parent, "long");
  const line = JSON.stringify({ type: "step", epoch: 1, step: 7, loss: 1, lr: 1 });
  appendFileSync(join(path, "log.jsonl"), `${line}\n`.repeat(20_000));
  const folder = newFolder();
  const stop = new AbortController();
  const told: number[] = [];
  const onProgress = (run: string, share: number) => {
    assert.equal(run, "long");
    told.push(share);
    stop.abort();
  };
  const options = { signal: stop.signal, onProgress };
  await assert.rejects(exportTensorBoard(path, folder, options), { name: "AbortError" });
  assert.deepEqual(readdirSync(folder), []);
  const csv = join(folder, "steps.csv");
  await assert.rejects(exportCsv([path], csv, { rows: "steps", ...options }), {
    name: "AbortError",
  });
  assert.deepEqual(readdirSync(folder), []);
  assert.ok(told.length > 0 && told.every((share) => share <= 1));
});

test("a disk that is full ends with whole records", () => {
  let room = 200;
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    write(file, bytes) {
      if (room <= 0) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
      const part = bytes.subarray(0, Math.min(room, 30));
      room -= part.length;
      return nodeFileSystem.write(file, part);
    },
  };
  const folder = newFolder();
  const writer = new SummaryWriter(folder, { fileSystem });
  assert.throws(() => {
    for (let step = 0; ; step++) writer.addScalar("loss", step, { step });
  }, /ENOSPC|disk|room/);
  room = 1e6;
  writer.addScalar("after", 1, { step: 99 });
  writer.close();
  assert.throws(() => writer.addScalar("closed", 1, { step: 1 }), /is closed/);
  assert.throws(() => new SummaryWriter(folder).addScalar("x", 1, { step: 0.5 }), /step is 0.5/);
  const records = payloads(writer.path);
  assert.ok(records.at(-1)!.includes("after"));
});

test("damaged runs are exported as far as they go", async () => {
  const path = writeCraftedRun(parent, "damaged");
  truncateSync(join(path, "log.jsonl"), 700);
  writeFileSync(join(path, "config.json"), "{");
  writeFileSync(join(path, "broken.png"), "no picture");
  writeFileSync(join(path, "dots.png"), Buffer.alloc(40));
  const records = payloads(await exportTensorBoard(path, newFolder()));
  assert.ok(records.length >= 3);
  assert.ok(records.every((record) => !record.includes("broken")));
  await assert.rejects(exportTensorBoard(join(parent, "nowhere"), newFolder()), /no such run/);
});

test("events without numbers write nothing", () => {
  const folder = newFolder();
  const board = tensorBoard(folder);
  const event: TrainEvent = {
    type: "checkpoint",
    epoch: 1,
    step: 0,
    seconds: 1,
    reasons: ["start"],
  };
  board.onEvent(event);
  assert.throws(() => readdirSync(folder), /ENOENT/);
  board.close();
});
