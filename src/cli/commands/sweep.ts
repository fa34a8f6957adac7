/** `gradus sweep`: searches the settings of a configuration by processes side by side, goes on with a search, shows its results. */
import * as fs from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Command } from "commander";
import type { BackendName } from "../../backend/contract.js";
import { GradusError } from "../../core/errors.js";
import { FileError } from "../../io/fileSystem.js";
import { ConfigError } from "../../train/index.js";
import { checkRunName } from "../../train/node/index.js";
import {
  checkSweep,
  loadSweep,
  openStage,
  type ResolvedSweep,
  runStages,
  type StageInfo,
  type SweepResult,
  stageFolder,
  sweepFiles,
  withSettings,
} from "../../tune/node/index.js";
import { backendNames } from "../backend.js";
import { briefly, signalExitCodes, UsageError } from "../errors.js";
import { listenForInterrupts } from "../interrupts.js";
import { oneOf, whole } from "../options.js";
import type { Context } from "../program.js";
import { plural, shellWord } from "../terminal/format.js";
import { SweepDisplay, valueText } from "../terminal/sweepDisplay.js";
import { printTrials } from "../terminal/sweepTable.js";
import { settingsOf } from "./trainSettings.js";

interface SweepCommandOptions {
  readonly set: readonly string[];
  readonly trials?: number;
  readonly workers?: number;
  readonly threads?: number;
  readonly backend?: BackendName;
  readonly name?: string;
  readonly sweeps: string;
  readonly show?: boolean;
  readonly limit: number;
  readonly quiet?: boolean;
}

const examples = `
Examples:
  $ gradus sweep sweep.yaml
      search; the same command goes on with a search that was stopped
  $ gradus sweep sweep.yaml --trials 100 --workers 4
      until there are 100 trials, those that are done included
  $ gradus sweep sweep.yaml --set train.epochs=2 --name quick
  $ gradus sweep sweep.yaml --show
      a table of the trials, the best first

A file names a configuration, a space and a metric:
  run: digits.yaml
  space:
    optim.lr: { logUniform: [1e-5, 1e-1] }
    optim.name: [sgd, adam]
  metric: validation.accuracy
  trials: 30

Ctrl-C stops all trials after the step at hand; they are gone on with the next time.`;

const collect = (value: string, list: readonly string[]): string[] => [...list, value];

/** Adds the command to the program. */
export function addSweep(program: Command, context: Context): void {
  program
    .command("sweep")
    .summary("search the best settings")
    .description("Search the settings of a configuration with several processes.")
    .argument("<file>", "what to search: YAML, JSON or TypeScript")
    .option("--trials <n>", "trials in the end, those before included", whole(1, 1_000_000))
    .option("--workers <n>", "processes (default: one a core, at most 4)", whole(1, 1024))
    .option("--threads <n>", "threads of each (default: the cores divided)", whole(1, 1024))
    .option(
      "--set <setting>",
      "change a setting for all trials, as train.epochs=3; may be repeated",
      collect,
      [],
    )
    .option("--name <name>", "what the search is called (default: the file's name)")
    .option("--sweeps <folder>", "the folder that holds searches", join("runs", "sweeps"))
    .option("--backend <name>", backendNames.join(", "), oneOf(backendNames))
    .option("--show", "show what there is, and search nothing")
    .option("--limit <n>", "rows of the table", whole(1, 1_000_000), 20)
    .option("--quiet", "print the result only")
    .addHelpText("after", examples)
    .action((file: string, options: SweepCommandOptions) => sweep(file, options, context));
}

/** What is wrong with a file is wrong input. */
async function asUsage<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof ConfigError || error instanceof FileError)
      throw new UsageError(briefly(error));
    throw error;
  }
}

function withOptions(
  sweep: ResolvedSweep,
  { set, trials, name }: SweepCommandOptions,
): ResolvedSweep {
  const changed = withSettings(sweep, settingsOf(set));
  if (trials !== undefined && sweep.stages.length > 1)
    throw new UsageError("--trials: this search has stages, whose trials are in its file");
  const stages =
    trials === undefined ? changed.stages : changed.stages.map((stage) => ({ ...stage, trials }));
  try {
    return { ...changed, stages, name: checkRunName(name ?? sweep.name) };
  } catch (error) {
    if (error instanceof GradusError) throw new UsageError(`--name: ${briefly(error)}`);
    throw error;
  }
}

async function sweep(file: string, options: SweepCommandOptions, context: Context): Promise<void> {
  const loaded = withOptions(await asUsage(() => loadSweep(file)), options);
  const folder = join(options.sweeps, loaded.name);
  if (options.show) return await show(loaded, folder, options, context);
  await asUsage(() => checkSweep(loaded));
  await search(loaded, folder, file, options, context);
}

async function show(
  { stages, metric, direction, name }: ResolvedSweep,
  folder: string,
  { limit }: SweepCommandOptions,
  { io }: Context,
): Promise<void> {
  let any = false;
  for (let stage = 1; stage <= stages.length; stage++) {
    const path = stageFolder(folder, stage, stages.length);
    const study = fs.existsSync(join(path, sweepFiles.study)) ? await openStage(path) : undefined;
    if (!study) continue;
    if (stages.length > 1) io.out.line(io.out.style.bold(`${any ? "\n" : ""}Stage ${stage}`));
    any = true;
    printTrials(io.out, await study.trials(), { direction, metric, limit });
    await study.storage.close?.();
  }
  if (!any) throw new UsageError(`there is no search "${name}" in ${folder} yet`);
}

function announce(screen: Context["io"]["out"], sweep: ResolvedSweep) {
  return ({ stage, stages, folder, space }: StageInfo): void => {
    const { style } = screen;
    if (stages > 1) screen.line(style.bold(`${stage > 1 ? "\n" : ""}Stage ${stage} of ${stages}`));
    const { sampler, pruner } = sweep.stages[stage - 1]!;
    const label = (text: string) => style.dim(text.padEnd(10));
    screen.line(`${label("Searching")}${space.names.join(", ")}`);
    const pruning = pruner.kind === "none" ? "" : `, pruned by ${pruner.kind}`;
    screen.line(
      `${label("By")}${sweep.direction} ${sweep.metric}, chosen by ${sampler.kind}${pruning}`,
    );
    screen.line(`${label("Folder")}${folder}`);
  };
}

async function search(
  sweep: ResolvedSweep,
  folder: string,
  file: string,
  options: SweepCommandOptions,
  context: Context,
): Promise<void> {
  const { io } = context;
  const quiet = options.quiet ?? false;
  const { workers, threads, backend } = options;
  const display = new SweepDisplay(io.out, io.err, { quiet, direction: sweep.direction });
  const interrupts = listenForInterrupts(() => {
    io.out.clearStatus();
    if (!quiet) io.err.line("Stopping all trials after this step … (once more to leave at once)");
  });
  let last: StageInfo | undefined;
  try {
    const tell = announce(io.out, sweep);
    const result = await runStages(sweep, {
      folder,
      signal: interrupts.signal,
      ...(workers !== undefined && { workers }),
      ...(threads !== undefined && { threads }),
      ...(backend && { backend }),
      onStage: (stage) => {
        last = stage;
        display.begin(stage.space.names);
        if (!quiet) tell(stage);
      },
      onEvent: (event) => display.onEvent(event),
    });
    io.out.clearStatus();
    if (result.status === "finished") return conclude(sweep, result, last!, options, context);
    context.setExitCode(signalExitCodes[interrupts.received() ?? "SIGINT"]);
    reportStop(result, file, options, context);
  } finally {
    io.out.clearStatus();
    interrupts.dispose();
  }
}

function reportStop(
  { trials }: SweepResult,
  file: string,
  { name, set, sweeps }: SweepCommandOptions,
  { io, program }: Context,
): void {
  const ended = trials.filter(({ ended }) => ended !== undefined).length;
  const words = [
    ...(name ? ["--name", name] : []),
    ...(sweeps === join("runs", "sweeps") ? [] : ["--sweeps", sweeps]),
    ...set.flatMap((setting) => ["--set", setting]),
  ];
  io.out.line(`Stopped; ${plural(ended, "trial")} ended. To go on:`);
  const command = [program, "sweep", ...[file, ...words].map(shellWord)].join(" ");
  io.out.line(`  ${io.out.style.bold(command)}`);
}

function conclude(
  { metric, direction, run, stages }: ResolvedSweep,
  { trials, best }: SweepResult,
  { folder, stages: count }: StageInfo,
  { quiet, limit }: SweepCommandOptions,
  { io, program }: Context,
): void {
  const { out } = io;
  if (!quiet) {
    out.line();
    printTrials(out, trials, { direction, metric, limit: Math.min(limit, 10) });
    out.line();
  }
  if (!best) {
    out.line(`None of ${plural(trials.length, "trial")} came to a value.`);
    return;
  }
  const { style } = out;
  out.line(
    `${style.bold(`Best ${metric} ${style.good(valueText(best.value))}`)}: trial ${best.number} of ${trials.length}`,
  );
  out.line(`Pictures and table: ${join(count > 1 ? dirname(folder) : folder, sweepFiles.page)}`);
  if (quiet || run.isInside) return;
  const { set } = stages.at(-1)!;
  const settings = Object.entries({ ...set, ...best.parameters }).map(
    ([path, value]) => `--set ${shellWord(`${path}=${settingText(value)}`)}`,
  );
  const file = shellWord(relative(process.cwd(), run.path));
  out.line("Train with its settings:");
  out.line(`  ${program} train ${file} ${settings.join(" ")}`);
}

/** A value as `--set` reads it. */
const settingText = (value: unknown): string =>
  typeof value === "string" && /^[a-z][\w-]*$/i.test(value) && !/^(true|false|null)$/i.test(value)
    ? value
    : JSON.stringify(value);
