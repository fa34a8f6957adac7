/**
 * Runs the test suites and ends with one line of counts. `npm test` runs all but the browser's; words after it
 * (`npm test -- layers io`) choose suites by a part of their file names. Under CI=true a skipped test is a failure,
 * unless its reason begins with "platform:" or "data:": a processor or a large data set that not every machine has.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMain, projectRoot } from "./lib/process.js";

export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skipped[];
}

/** Counts the tests in a report in TAP, version 13, as Node writes it. */
export function countTap(report: string): Counts {
  const total = (name: string) => Number(report.match(new RegExp(`^# ${name} (\\d+)$`, "m"))?.[1]);
  const directives = report.matchAll(/^\s*(?:not )?ok \d+ - (.*?) # (?:SKIP|TODO)\b ?(.*)$/gm);
  const skipped = Array.from(directives, ([, name, reason]) => ({
    name: name!,
    reason: reason || "no reason given",
  }));
  const failed = total("fail") + total("cancelled");
  return { passed: total("pass"), failed, skipped };
}

/** What the names of the suites that need a browser begin with. */
const browserSuites = join("test", "browser");

function findSuites(words: readonly string[]): string[] {
  const suites = ["test", "src"]
    .flatMap((folder) =>
      readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((file) => file.endsWith(".test.ts"))
    .sort();
  if (words.length === 0) return suites.filter((file) => !file.startsWith(browserSuites));
  return suites.filter((file) => words.some((word) => file.includes(word)));
}

function runSuites(suites: readonly string[], report: string): Promise<number> {
  const parameters = [
    "--conditions=gradus-source",
    "--import=tsx",
    "--test",
    "--test-concurrency=2",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=tap",
    `--test-reporter-destination=${report}`,
    ...suites,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, { cwd: projectRoot, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function main(): Promise<void> {
  const suites = findSuites(process.argv.slice(2));
  if (suites.length === 0) throw new Error(`no suite matches ${process.argv.slice(2).join(" ")}`);
  const folder = mkdtempSync(join(tmpdir(), "gradus-test-"));
  try {
    const report = join(folder, "report.tap");
    const code = await runSuites(suites, report);
    const { passed, failed, skipped } = countTap(readFileSync(report, "utf8"));
    for (const { name, reason } of skipped) console.log(`skipped: ${name} (${reason})`);
    console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
    const unexpected = skipped.filter(({ reason }) => !/^(platform|data):/.test(reason));
    const incomplete = process.env.CI === "true" && unexpected.length > 0;
    process.exitCode = code !== 0 || failed > 0 || incomplete || !(passed > 0) ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) await main();
