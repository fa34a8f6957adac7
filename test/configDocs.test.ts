/** docs/configuration-keys.md and the schema for editors say what the schema says; docs/configuration.md names no key that is not there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { generatedFiles } from "../scripts/configDocs.js";
import { projectRoot } from "../scripts/lib/process.js";
import { resolveConfig } from "../src/train/config/resolve.js";

for (const [path, text] of Object.entries(generatedFiles()))
  test(`${path} is up to date`, () => {
    const written = readFileSync(join(projectRoot, path), "utf8");
    assert.ok(written === text, `${path} is not up to date: run npm run docs:config`);
  });

const guide = readFileSync(join(projectRoot, "docs/configuration.md"), "utf8");
const blocks = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text!);

test("the YAML in docs/configuration.md is checked: whole configurations and parts of one", () => {
  assert.ok(blocks.length >= 4);
  for (const text of blocks) {
    const part = parse(text) as Record<string, unknown>;
    const whole = { model: "mlp", data: "digits", ...part };
    assert.doesNotThrow(() =>
      resolveConfig(whole, text, { completeData: (data) => ({ name: "idx", ...data }) }),
    );
  }
});
