/** `gradus runs rm`: deletes runs, after asking. Read ../runs.ts for how they are found. */
import * as fs from "node:fs";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { fileError } from "../../io/fileSystem.js";
import type { RunRecord } from "../../train/index.js";
import { readRun } from "../../train/node/index.js";
import { UsageError } from "../errors.js";
import type { Context } from "../program.js";
import { findRun } from "../runs.js";
import { plural } from "../terminal/format.js";
import { bytesText, progressText } from "../terminal/runText.js";
import { printable, printTable } from "../terminal/table.js";

interface RemoveOptions {
  readonly runs: string;
  readonly yes?: boolean;
}

/** Adds the subcommand. */
export function addRunsRemove(runs: Command, context: Context): void {
  runs
    .command("rm")
    .summary("delete runs")
    .description("Delete runs with all that is in their folders, after asking.")
    .argument("<runs...>", "which, by full name or path")
    .option("--yes", "do not ask")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .action((wanted: readonly string[], options: RemoveOptions) =>
      remove(wanted, options, context),
    );
}

async function remove(
  wanted: readonly string[],
  options: RemoveOptions,
  { io }: Context,
): Promise<void> {
  const paths = [...new Set(wanted.map((name) => findRun(name, options.runs, { whole: true })))];
  const runs = paths.map((path) => readRun(path, { curves: false }));
  for (const run of runs) check(run);
  printTable(io.out, [
    { title: "run", cells: runs.map(({ path }) => printable(path)) },
    { title: "status", cells: runs.map(({ status }) => status) },
    { title: "epochs", cells: runs.map(progressText), right: true },
    { title: "size", cells: runs.map(sizeText), right: true },
  ]);
  if (!options.yes && !(await agreed(runs.length))) {
    io.out.line("Nothing was deleted.");
    return;
  }
  for (const { path } of runs) {
    try {
      fs.rmSync(path, { recursive: true });
    } catch (error) {
      throw fileError("runs rm", path, error);
    }
  }
  io.out.line(`Deleted ${plural(runs.length, "run")}.`);
}

const sizeText = ({ files }: RunRecord): string =>
  bytesText(files.reduce((sum, { bytes }) => sum + bytes, 0));

function check({ path, status }: RunRecord): void {
  if (fs.lstatSync(path).isSymbolicLink())
    throw new UsageError(`${path} is a link; remove what it points to, or the link itself`);
  if (status === "running") throw new UsageError(`${path} is running; stop it first`);
}

/** Asks on the terminal; where there is none, it must be said beforehand. */
async function agreed(count: number): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UsageError("there is no terminal to ask on; add --yes to delete");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`Delete ${plural(count, "run")} for good? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
