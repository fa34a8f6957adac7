/** docs/ops.md says what the samples say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectRoot } from "../scripts/lib/process.js";
import { opsFile, opsTable } from "../scripts/opsTable.js";

test("docs/ops.md is up to date", () => {
  const written = readFileSync(join(projectRoot, opsFile), "utf8").split("\n");
  const current = opsTable().split("\n");
  const at = current.findIndex((line, i) => line !== written[i]);
  const isEqual = at < 0 && written.length === current.length;
  const line = at < 0 ? current.length : at;
  assert.ok(
    isEqual,
    `${opsFile} is not up to date: run \`npm run docs:ops\`; line ${line + 1} is\n  ${written[line]}\nand should be\n  ${current[line]}`,
  );
});
