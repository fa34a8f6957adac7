/**
 * Every example in docstrings and documents is a program: it is type-checked, run against the source, and must print what
 * its comments say. scripts/lib/examples.ts describes the form.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Example, extractExamples, meets } from "../scripts/lib/examples.js";
import { capture, projectRoot } from "../scripts/lib/process.js";
import type { Printed, RunReport } from "../scripts/lib/runExamples.js";

const processes = 2;

function findDocuments(): string[] {
  const list = (folder: string, ending: string) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(ending))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`);
  const top = readdirSync(projectRoot).filter((name) => name.endsWith(".md"));
  return [...list("src", ".ts"), ...top, ...list("docs", ".md")].sort();
}

const examples = findDocuments().flatMap((file) =>
  extractExamples(file, readFileSync(join(projectRoot, file), "utf8")),
);
// Inside the project, so that "gradus" names the project itself.
const folder = join(projectRoot, ".examples", String(process.pid));
const scratch = mkdtempSync(join(tmpdir(), "gradus-examples-"));
const programOf = ({ file, line }: Example): string =>
  join(folder, `${file.replaceAll("/", "-").replace(/\.\w+$/, "")}-${line}.ts`);

async function typecheck(): Promise<Map<string, string[]>> {
  const config = {
    extends: "../../tsconfig.tools.json",
    compilerOptions: { rootDir: "../..", noUnusedLocals: false, noUnusedParameters: false },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiler = join(projectRoot, "node_modules/typescript/bin/tsc");
  const { output } = await capture(process.execPath, [compiler, "-p", folder, "--pretty", "false"]);
  const problems = new Map<string, string[]>();
  for (const [, file, line, message] of output.matchAll(/^(\S+\.ts)\((\d+),\d+\): (error .*)$/gm)) {
    const program = join(projectRoot, file!);
    problems.set(program, [...(problems.get(program) ?? []), `line ${line}: ${message}`]);
  }
  return problems;
}

async function runGroup(programs: readonly string[], index: number): Promise<RunReport[]> {
  const report = join(scratch, `report-${index}.jsonl`);
  const place = join(scratch, `work-${index}`);
  mkdirSync(place);
  writeFileSync(report, "");
  const runner = join(projectRoot, "scripts/lib/runExamples.ts");
  const loader = import.meta.resolve("tsx");
  const flags = ["--conditions=gradus-source", "--import", loader];
  const options = { cwd: place };
  const { output } = await capture(
    process.execPath,
    [...flags, runner, report, ...programs],
    options,
  );
  const lines = readFileSync(report, "utf8").split("\n").filter(Boolean);
  const entries = lines.map((line) => JSON.parse(line) as RunReport);
  return entries.map((entry) => ({ message: output, ...entry }));
}

/** The last word on each program: its result, or that it started and ended the process. */
async function runAll(programs: readonly string[]): Promise<Map<string, RunReport>> {
  const groups = Array.from({ length: processes }, (_, i) =>
    programs.filter((_, at) => at % processes === i),
  );
  const reports = await Promise.all(groups.map(runGroup));
  return new Map(reports.flat().map((report) => [report.program, report]));
}

function checkRun(example: Example, report: RunReport | undefined): void {
  assert.ok(report, "did not run, because an example before it ended the process");
  assert.notEqual(report.state, "started", `ended the process: ${report.message}`);
  assert.equal(report.state, "finished", report.message);
  for (const expectation of example.expectations) {
    const printed: Printed | undefined = report.printed?.findLast(
      ({ line }) => line === expectation.line,
    );
    const place = `${example.file}:${expectation.line}`;
    assert.ok(printed, `${place} printed nothing, expected ${expectation.text}`);
    if (!meets(expectation, printed.text))
      assert.fail(`${place} printed ${printed.text}, expected ${expectation.text}`);
  }
}

mkdirSync(folder, { recursive: true });
for (const example of examples) writeFileSync(programOf(example), example.code);
after(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(scratch, { recursive: true, force: true });
});
const [typeProblems, reports] =
  examples.length === 0
    ? [new Map<string, string[]>(), new Map<string, RunReport>()]
    : await Promise.all([typecheck(), runAll(examples.map(programOf))]);

for (const example of examples) {
  test(`${example.file}:${example.line}`, () => {
    const program = programOf(example);
    const problems = [...example.problems, ...(typeProblems.get(program) ?? [])];
    if (problems.length > 0) assert.fail(problems.join("\n"));
    checkRun(example, reports.get(program));
  });
}

test("the project has examples, and every @example has a block", () => {
  assert.ok(examples.length > 0);
  const bare = findDocuments()
    .filter((file) => file.endsWith(".ts"))
    .filter((file) =>
      /@example(?!\s*(?:\*\s*)?```ts)/.test(readFileSync(join(projectRoot, file), "utf8")),
    );
  assert.deepEqual(bare, []);
});

test("a block's lines, expectations and problems are found", () => {
  const text = "/**\n * @example\n * ```ts\n * console.log(1 + 1); // → 2\n * ```\n */\n";
  const [example] = extractExamples("a.ts", text);
  assert.equal(example?.line, 4);
  assert.match(example.code, /^\n\n\nconsole\.log\(1 \+ 1\)/);
  assert.deepEqual(example.expectations, [{ line: 4, text: "2", approximate: false }]);
  const loose = extractExamples("a.md", "```ts\nconst a = 1; // → 1\n```\n```ts ignore\nx\n```\n");
  assert.deepEqual(
    loose.map(({ problems }) => problems.length),
    [1],
  );
});

test("printed text is compared without regard to line breaks, and rounded after ≈", () => {
  const exact = { line: 1, text: "[1, 2.5]", approximate: false };
  assert.ok(meets(exact, "[\n  1, 2.5\n]"));
  assert.ok(!meets(exact, "[1, 2.51]"));
  const rounded = { line: 1, text: "loss 0.33", approximate: true };
  assert.ok(meets(rounded, "loss 0.33333334"));
  assert.ok(!meets(rounded, "loss 0.34"));
  const open = { line: 1, text: "native…", approximate: false };
  assert.ok(meets(open, "native (AVX-512)"));
  assert.ok(!meets(open, "wasm"));
});
