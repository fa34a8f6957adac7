/** Tables: CSV and Parquet as Apache Arrow writes it, damaged and of wrong types. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { FormatError, GradusError } from "../src/core/errors.js";
import { readCsv, readParquet } from "../src/data/node.js";
import { loadOptional } from "../src/io/optionalPackage.js";
import { makeRandom, temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();

function make(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  fs.writeFileSync(path, content);
  return path;
}

/** Written by scripts/fixtures/makeTables.py. */
const readFixtures = (name: string): Record<string, string> =>
  JSON.parse(fs.readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), "utf8"));
const kinds = readFixtures("tableKinds");

test("tables are read; rows that do not fit are named", async () => {
  const csv = await readCsv(make("a.csv.gz", gzipSync('x,kind\n1.5,"b, c"\n-2,a\n')));
  assert.deepEqual([...csv.numbers(["x"]).data], [1.5, -2]);
  const { labels, classes } = csv.categories("kind");
  assert.deepEqual(
    [[...labels.data], classes],
    [
      [1, 0],
      ["a", "b, c"],
    ],
  );
  assert.throws(() => csv.numbers(), /row 1, column "kind" is "b, c"; expected a number/);
  assert.throws(() => csv.column("z"), /has no column "z", only x, kind/);
  await assert.rejects(readCsv(make("b.csv", "a,b\n1\n")), /b\.csv: .*line 2/);
  await assert.rejects(readCsv(make("c.csv", 'a,b\n"1,2\n')), FormatError);
  for (const [codec, text] of Object.entries(readFixtures("tables"))) {
    const bytes = Buffer.from(text, "base64");
    const table = await readParquet(make(`${codec}.parquet`, bytes));
    assert.deepEqual([...table.numbers(["x", "n"]).data], [0.5, 1, -1.25, 2, 3, 3], codec);
    assert.deepEqual(table.categories("name").classes, ["cat", "dog"], codec);
    assert.deepEqual([...(table.column("image")[0] as Uint8Array)], [0x89, 80, 78, 71], codec);
    const cut = make("cut.parquet", bytes.subarray(0, bytes.length - 9));
    await assert.rejects(readParquet(cut), FormatError);
  }
  const path = make("whole.parquet", Buffer.from(readFixtures("tables").none!, "base64"));
  await assert.rejects(readParquet(path, { columns: ["z"] }), /no column "z"/);
});

test("values that are no number or no class are refused by row and column, never guessed", async () => {
  const table = await readParquet(make("kinds.parquet", Buffer.from(kinds.kinds!, "base64")));
  const numbers = (name: string) => [...table.numbers([name]).data];
  assert.deepEqual(
    [numbers("flag"), numbers("decimal")],
    [
      [1, 0],
      [1, 2],
    ],
  );
  assert.deepEqual(
    [numbers("infinite"), numbers("long")],
    [
      [Number.POSITIVE_INFINITY, 1],
      [2 ** 62, -1],
    ],
  );
  const refused: [string, RegExp][] = [
    ["list", /row 1, column "list" is a list; expected a number/],
    ["struct", /is no single value/],
    ["date", /is a date/],
    ["missing", /row 2, column "missing" is missing/],
    ["nan", /is "NaN"; expected a number/],
    ["large", /is "1e\+300"; expected a number that fits float32/],
    ["plain", /is no single value; expected a number/],
  ];
  for (const [name, pattern] of refused)
    assert.throws(
      () => table.numbers([name]),
      (e) => e instanceof FormatError && pattern.test(e.message),
    );
  assert.deepEqual(table.categories("plain").classes, ["cat", "dog"]);
  assert.deepEqual([...table.categories("dictionary").labels.data], [1, 0]);
  for (const name of ["list", "struct", "missing", "bytes"])
    assert.throws(
      () => table.categories(name),
      new RegExp(`column "${name}" is .*; expected a class`),
    );
  const empty = await readParquet(make("empty.parquet", Buffer.from(kinds.empty!, "base64")), {
    columns: ["x", "n"],
  });
  assert.deepEqual([empty.columns, empty.length, empty.numbers().shape], [["x", "n"], 0, [0, 2]]);
});

test("classes that are numbers are in the order of their values", async () => {
  const rows = ["label", ...Array.from({ length: 12 }, (_, i) => String(11 - i))];
  const { labels, classes } = (await readCsv(make("labels.csv", rows.join("\n")))).categories(
    "label",
  );
  assert.deepEqual(
    [...labels.data],
    Array.from({ length: 12 }, (_, i) => 11 - i),
  );
  assert.equal(classes[10], "10");
});

test("damaged Parquet is a FormatError or a table, never anything else", async () => {
  const random = makeRandom(3);
  const bytes = Buffer.from(kinds.kinds!, "base64");
  for (let run = 0; run < 30; run++) {
    const damaged = Buffer.from(bytes);
    for (let i = 0; i < 3; i++)
      damaged[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const path = make("damaged.parquet", damaged);
    try {
      const table = await readParquet(path);
      for (const name of table.columns) assert.equal(table.column(name).length, table.length);
    } catch (error) {
      assert.ok(error instanceof FormatError && error.message.includes(path), String(error));
    }
  }
  const none = readParquet(make("none.parquet", "a,b\n1,2\n"));
  await assert.rejects(none, /none\.parquet: is damaged or no Parquet file/);
});

test("a package that is not installed is said by name", async () => {
  const missing = loadOptional(import(`no-such-${"package"}`), "csv-parse", "reading CSV");
  await assert.rejects(
    missing,
    (e) =>
      e instanceof GradusError && /reading CSV takes .*: npm install csv-parse \(/.test(e.message),
  );
});
