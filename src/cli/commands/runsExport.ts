/** `gradus runs export`: runs as CSV, as TensorBoard's event files, or as JSON. Read ../../train/node/exportRuns.ts for how. */
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { exportCsv, exportTensorBoard, readRun } from "../../train/node/index.js";
import { UsageError } from "../errors.js";
import { interruptible } from "../interrupts.js";
import type { Context } from "../program.js";
import { findRun } from "../runs.js";
import { percent, shellWord } from "../terminal/format.js";
import { bar } from "../terminal/style.js";
import { printable, printableJson } from "../terminal/table.js";
import { toJson } from "./runsList.js";

interface ExportOptions {
  readonly runs: string;
  readonly csv?: string;
  readonly steps?: boolean;
  readonly tensorboard?: string;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ gradus runs export first-try --csv epochs.csv           a row for each epoch
  $ gradus runs export first-try --csv steps.csv --steps    a row for each step
  $ gradus runs export first-try second-try --tensorboard tb && tensorboard --logdir tb
  $ gradus runs export first-try --json > run.json`;

/** Adds the subcommand. */
export function addRunsExport(runs: Command, context: Context): void {
  runs
    .command("export")
    .summary("write runs for other programs")
    .description("Write runs as CSV, as TensorBoard's event files, or as JSON.")
    .argument("<runs...>", "which, by name or path")
    .option("--csv <file>", "one table of all of them")
    .option("--steps", "with --csv: a row for each step, not for each epoch")
    .option("--tensorboard <folder>", "event files, a folder for each run")
    .option("--json", "print settings, results, epochs and curves")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .addHelpText("after", examples)
    .action((wanted: readonly string[], options: ExportOptions) =>
      exportRuns(wanted, options, context),
    );
}

async function exportRuns(
  wanted: readonly string[],
  options: ExportOptions,
  context: Context,
): Promise<void> {
  const { csv, steps, tensorboard, json } = options;
  if (csv === undefined && tensorboard === undefined && !json)
    throw new UsageError("say how: --csv FILE, --tensorboard FOLDER or --json");
  if (steps && csv === undefined) throw new UsageError("--steps needs --csv");
  const paths = [...new Set(wanted.map((name) => findRun(name, options.runs)))];
  const { io } = context;
  if (json) {
    const runs = paths.map((path) => readRun(path));
    const full = runs.map((run) => ({ ...toJson(run), losses: run.losses, rates: run.rates }));
    io.out.line(printableJson(full));
  }
  await interruptible(context, "Stopped; the file at hand is not written.", (signal) =>
    writeFiles(paths, options, context, signal),
  );
}

async function writeFiles(
  paths: readonly string[],
  { csv, steps, tensorboard, json }: ExportOptions,
  { io }: Context,
  signal: AbortSignal,
): Promise<void> {
  // Where JSON is printed, nothing else is.
  const say = (text: string) => {
    io.err.clearStatus();
    (json ? io.err : io.out).line(text);
  };
  const onProgress = (run: string, share: number) =>
    io.err.status(`${printable(run, 60)}  ${bar(share, 24, io.err.style)} ${percent(share, 0)}`);
  if (csv !== undefined) {
    await exportCsv(paths, csv, { rows: steps ? "steps" : "epochs", signal, onProgress });
    say(`Written: ${printable(csv)}`);
  }
  if (tensorboard === undefined) return;
  for (const { path, name } of foldersOf(paths))
    await exportTensorBoard(path, join(tensorboard, name), { signal, onProgress });
  const command = `tensorboard --logdir ${shellWord(tensorboard)}`;
  say(`Written to ${printable(tensorboard)}. To see it: ${printable(command)}`);
}

/** A folder's name for each run; those of the same name from different places get a number. */
function foldersOf(paths: readonly string[]): { path: string; name: string }[] {
  const taken = new Set<string>();
  return paths.map((path) => {
    const own = basename(resolve(path));
    let name = own;
    for (let n = 2; taken.has(name); n++) name = `${own}-${n}`;
    taken.add(name);
    return { path, name };
  });
}
