/** scripts/checkLayers.ts finds planted violations of each rule, and none in the project itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSources, importsOf, readSources, type Violation } from "../scripts/checkLayers.js";

const withComment = (text: string) => `/** A planted file. */\n${text}`;

function check(files: Record<string, string>): Violation[] {
  const sources = Object.entries(files).map(([file, text]) => [file, withComment(text)] as const);
  return checkSources(new Map(sources));
}

function assertOne(violations: readonly Violation[], rule: Violation["rule"], pattern: RegExp) {
  assert.deepEqual(
    violations.map((violation) => [violation.rule, violation.severity]),
    [[rule, "error"]],
  );
  assert.match(violations[0]!.message, pattern);
}

test("the project keeps its own rules", () => {
  const errors = checkSources(readSources(new URL("../", import.meta.url)))
    .filter(({ severity }) => severity === "error")
    .map(({ file, line, message }) => `${file}:${line}: ${message}`);
  assert.deepEqual(errors, []);
});

test("an import that goes up is found, with its line", () => {
  const violations = check({
    "src/core/a.ts": 'import { b } from "../ops/b.js";\nexport const a = b;\n',
    "src/ops/b.ts": "export const b = 1;\n",
  });
  assertOne(violations, "layer", /core\/ may not import ops\//);
  assert.equal(violations[0]!.line, 2);
});

test("a type from a higher room counts as an import that goes up", () => {
  const text = 'import type { B } from "../nn/b.js";\nexport type A = B;\n';
  assertOne(check({ "src/tensor/a.ts": text }), "layer", /tensor\/ may not import nn\//);
});

test("data and io stay closed to nn, and rooms of one row to each other", () => {
  const intoNn = check({ "src/data/a.ts": 'import "../nn/b.js";\n' });
  assertOne(intoNn, "layer", /data\/ may not import nn\//);
  const across = check({ "src/vision/a.ts": 'import "../text/b.js";\n' });
  assertOne(across, "layer", /vision\/ may not import text\//);
});

test("a circle of value imports is found; one of types is not", () => {
  const b = "export const b = 1;\n";
  const circle = check({
    "src/ir/a.ts": 'import { b } from "./b.js";\nexport const a = b;\n',
    "src/ir/b.ts": `import { a } from "./a.js";\nexport const c = a;\n${b}`,
  });
  assertOne(circle, "cycle", /src\/ir\/a\.ts → src\/ir\/b\.ts → src\/ir\/a\.ts/);
  const types = check({
    "src/ir/a.ts": 'import { b } from "./b.js";\nexport const a = b;\n',
    "src/ir/b.ts": `import type { A } from "./a.js";\nexport type C = A;\n${b}`,
  });
  assert.deepEqual(types, []);
});

test("Node's modules outside the Node-only files are found, dynamic imports too", () => {
  const fixed = check({ "src/ops/a.ts": 'import { readFileSync } from "node:fs";\n' });
  assertOne(fixed, "node", /node:fs/);
  const dynamic = check({ "src/ops/a.ts": 'const fs = await import("node:fs");\n' });
  assertOne(dynamic, "node", /node:fs/);
});

test("a browser entry that reaches a Node-only file is found, with the way there", () => {
  const violations = check({
    "src/index.ts": 'export { a } from "./backend/a.js";\n',
    "src/backend/a.ts": 'export { loadNative as a } from "./cpu/native.js";\n',
    "src/backend/cpu/native.ts": "export const loadNative = 1;\n",
  });
  assertOne(violations, "node", /src\/index\.ts → src\/backend\/a\.ts → src\/backend\/cpu\/native/);
});

test("a runtime dependency in the core is found", () => {
  const violations = check({ "src/core/a.ts": 'import { Command } from "commander";\n' });
  assertOne(violations, "dependency", /commander/);
});

test("a long file fails, a slightly long one is a warning, and a comment must come first", () => {
  const lines = (count: number) => "export {};\n".repeat(count);
  assertOne(check({ "src/core/a.ts": lines(460) }), "length", /461 lines/);
  const [warning] = check({ "src/core/a.ts": lines(410) });
  assert.deepEqual([warning?.rule, warning?.severity], ["length", "warning"]);
  const bare = checkSources(new Map([["src/core/a.ts", "export const a = 1;\n"]]));
  assertOne(bare, "comment", /does not open with a comment/);
});

test("imports inside docstrings are not imports", () => {
  const text = '/**\n * import { x } from "gradus";\n */\nimport type { Y } from "./y.js";\n';
  assert.deepEqual(importsOf(text), [{ specifier: "./y.js", line: 4, typeOnly: true }]);
});
