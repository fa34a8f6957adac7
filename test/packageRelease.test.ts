/** The tarballs of a release: with the platform's package installed beside Gradus, native code is used. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { addonFile, capture, projectRoot } from "../scripts/lib/process.js";
import { release } from "../scripts/release.js";

const folder = mkdtempSync(join(tmpdir(), "gradus-release-"));
const skip = existsSync(join(projectRoot, addonFile)) ? false : "there is no addon to pack";
after(() => rmSync(folder, { recursive: true, force: true }));

test("the released packages install together and run native code", { skip }, async () => {
  const tarballs = await release(join(folder, "npm"));
  assert.equal(tarballs.length, 2);
  const manifest = readFileSync(join(folder, "npm/gradus/package.json"), "utf8");
  assert.doesNotMatch(manifest, /gradus-source|devDependencies|"scripts"/);
  const { optionalDependencies, version } = JSON.parse(manifest) as {
    optionalDependencies: Record<string, string>;
    version: string;
  };
  assert.equal(optionalDependencies[`@gradus/native-${process.platform}-${process.arch}`], version);

  const place = join(folder, "consumer");
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), '{ "private": true, "type": "module" }\n');
  writeFileSync(
    join(place, "program.js"),
    `import { backendDescription, tensor } from "gradus";
console.log(tensor([1, 2, 3]).sum().item(), backendDescription());\n`,
  );
  const flags = ["--no-audit", "--no-fund", "--prefer-offline"];
  const installed = await capture("npm", ["install", ...tarballs, ...flags], { cwd: place });
  assert.equal(installed.code, 0, installed.output);
  const env = { ...process.env, GRADUS_BACKEND: "" };
  const { code, output } = await capture(process.execPath, ["program.js"], { cwd: place, env });
  assert.equal(code, 0, output);
  assert.match(output, /^6 native \(/);
});
