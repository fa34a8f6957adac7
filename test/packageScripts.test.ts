/** The scripts that decide whether a build or a test run is good: counts of a report, and what makes a build step stale. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fingerprint } from "../scripts/lib/fingerprint.js";
import { capture, projectRoot } from "../scripts/lib/process.js";
import { countTap } from "../scripts/test.js";

async function report(body: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "gradus-report-"));
  try {
    const file = join(folder, "planted.test.mjs");
    writeFileSync(file, `import { test } from "node:test";\n${body}`);
    const { NODE_TEST_CONTEXT, ...env } = process.env;
    const flags = ["--test", "--test-reporter=tap", file];
    return (await capture(process.execPath, flags, { env })).output;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("passed, failed and skipped tests are counted, with the reasons", async () => {
  const counts = countTap(
    await report(`
      test("good", () => {});
      test("bad", () => { throw new Error("planted"); });
      test("left out", { skip: "no time" }, () => {});
      test("not here", { skip: "platform: needs another processor" }, () => {});
    `),
  );
  const skipped = [
    { name: "left out", reason: "no time" },
    { name: "not here", reason: "platform: needs another processor" },
  ];
  assert.deepEqual(counts, { passed: 1, failed: 1, skipped });
});

test("a report that was cut off counts as nothing passed", () => {
  const { passed } = countTap("TAP version 13\nok 1 - good\n");
  assert.ok(!(passed > 0));
});

test("a fingerprint changes with contents, names and facts, and not with built files", () => {
  mkdirSync(join(projectRoot, ".examples"), { recursive: true });
  const folder = mkdtempSync(join(projectRoot, ".examples", "fingerprint-"));
  try {
    const path = relative(projectRoot, folder);
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write("a.h", "one");
    const first = fingerprint([path]);
    assert.equal(fingerprint([path]), first);
    assert.notEqual(fingerprint([path], ["arm64"]), first);
    mkdirSync(join(folder, "build"));
    write("build/a.o", "object");
    assert.equal(fingerprint([path]), first);
    write("a.h", "two");
    assert.notEqual(fingerprint([path]), first);
    write("a.h", "one");
    write("b.h", "");
    assert.notEqual(fingerprint([path]), first);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the build names its steps when asked for one that it does not have", async () => {
  const { code, output } = await capture(process.execPath, [
    "--import=tsx",
    "scripts/build.ts",
    "nativ",
  ]);
  assert.equal(code, 1);
  assert.match(output, /no step nativ: opcodes, native, wasm, library/);
});
