/** The table of ops in a real browser, on WASM, from the sources as a bundler packs them. Read support/tab/page.ts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { projectRoot } from "../scripts/lib/process.js";
import { buildPage } from "./support/buildPage.js";
import { leftOut, missing, openTab, program, type Tab } from "./support/chromium.js";
import { allCases, allOps, fingerprint } from "./support/samples.js";
import { sha256 } from "./support/sha256.js";
import type { TableReport } from "./support/tab/page.js";

const page = "test/support/tab";
const folder = mkdtempSync(join(tmpdir(), "gradus-tab-"));
let tab: Tab;

before(async () => {
  if (leftOut) return;
  assert.ok(!missing, `there is no ${program}`);
  await buildPage(page, folder, {
    base: "./",
    resolve: {
      alias: [{ find: /^\.\/opFiles\.js$/, replacement: join(projectRoot, page, "opFiles.ts") }],
    },
  });
  tab = await openTab(folder);
  await tab.page.goto(`${tab.origin}/test/support/tab/`);
});

after(async () => {
  await tab?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("every op runs on WASM in the tab as on the interpreter", { skip: leftOut }, async () => {
  await tab.page.waitForFunction(() => "runTable" in globalThis, undefined, { timeout: 30_000 });
  const report: TableReport = await tab.page.evaluate(() => globalThis.runTable());
  const { failures, runs, ...counts } = report;
  console.log(JSON.stringify({ ...counts, runs, failures: failures.length }));
  assert.deepEqual(failures.slice(0, 12), [], `${failures.length} failures`);
  assert.match(report.backend, /^WASM/);
  assert.equal(report.ops, allOps.length);
  assert.equal(report.samples, allCases.length);
  assert.equal(report.fingerprint, sha256(allCases.map(fingerprint).join()));
  const compiled = allCases.filter(({ op }) => op.eagerOnly === undefined).length;
  assert.deepEqual(runs, { eager: allCases.length, compiled, views: compiled });
  assert.ok(report.gradients > allCases.length);
});

test("nothing was complained about, and nothing came from elsewhere", { skip: leftOut }, () => {
  assert.deepEqual(tab.complaints, []);
});
