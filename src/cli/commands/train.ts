/** `gradus train`: trains a model in a run's folder, or goes on with a run. */
import * as fs from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { BackendName } from "../../backend/contract.js";
import { fashionMnistClasses } from "../../data/sources/labelled.js";
import { defaultRates, type OptimizerName, optimizerNames } from "../../train/index.js";
import {
  type CheckpointInterval,
  checkRunName,
  type DataSource,
  maxShift,
  type RunConfig,
  type RunHandlers,
  type RunOutcome,
  resumeRun,
  runFiles,
  startRun,
} from "../../train/node/index.js";
import { backendNames, useBackend } from "../backend.js";
import { type StopSignal, signalExitCodes, UsageError } from "../errors.js";
import { type Interrupts, listenForInterrupts } from "../interrupts.js";
import { interval, nameList, oneOf, positive, whole } from "../options.js";
import type { Context } from "../program.js";
import { findRun } from "../runs.js";
import { shellWord } from "../terminal/format.js";
import { showSummary } from "../terminal/runSummary.js";
import { TrainDisplay } from "../terminal/trainDisplay.js";

interface TrainOptions {
  readonly data?: string;
  readonly classes?: readonly string[];
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr?: number;
  readonly optimizer: OptimizerName;
  readonly seed: number;
  readonly shift: number;
  readonly name?: string;
  readonly runs: string;
  readonly resume?: string;
  readonly backend?: BackendName;
  readonly threads?: number;
  readonly checkpointEvery: CheckpointInterval;
  readonly quiet?: boolean;
}

const models = ["lenet"] as const;

/** Options that leave the result of a run alone, so that they may change when it goes on. */
const freeOptions = ["runs", "resume", "backend", "threads", "checkpointEvery", "quiet"];

const examples = `
Examples:
  $ gradus train lenet
      learn the handwritten digits that come with the package
  $ gradus train lenet --data fashion-mnist --epochs 3
      learn from a folder with MNIST's four files (…-images-idx3-ubyte, …-labels-idx1-ubyte)
  $ gradus train lenet --optimizer sgd --lr 0.05 --name first-try
  $ gradus train lenet --resume first-try
      go on with a run that was stopped; it ends as if it never had been

Ctrl-C saves the run and prints how to go on; a second Ctrl-C leaves at once.`;

/** Adds the command to the program. */
export function addTrain(program: Command, context: Context): void {
  const rates = optimizerNames.map((name) => `${defaultRates[name]} for ${name}`).join(", ");
  program
    .command("train")
    .summary("train a model")
    .description("Train a model. Weights, log, curves and mistakes go to the run's folder.")
    .argument("<model>", `which model: ${models.join(", ")}`, oneOf(models))
    .option("--data <folder>", "folder with MNIST's four files, gzipped or not (default: digits)")
    .option("--classes <names>", "what the classes are called, with commas between", nameList)
    .option("--epochs <n>", "how often to go through the training pictures", whole(1, 100_000), 12)
    .option("--batch-size <n>", "pictures in a step", whole(1, 1_000_000), 64)
    .option("--lr <rate>", `highest learning rate (default: ${rates})`, positive)
    .addOption(
      new Option("--optimizer <name>", optimizerNames.join(", "))
        .argParser(oneOf(optimizerNames))
        .default("adam", "adam"),
    )
    .option("--seed <n>", "decides first weights and order of pictures", whole(0), 0)
    .option("--shift <n>", "pixels to move training pictures by, at random", whole(0, maxShift), 1)
    .option("--name <name>", "what to call the run (default: model, date and a number)")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option("--resume <run>", "go on with a run, given by name or path")
    .option("--backend <name>", backendNames.join(", "), oneOf(backendNames))
    .option("--threads <n>", "threads of native code (default: one a core)", whole(1, 1024))
    .addOption(
      new Option("--checkpoint-every <interval>", "save after steps (200) or seconds (30s)")
        .argParser(interval)
        .default({ seconds: 30 }, "30s"),
    )
    .option("--quiet", "print the result only")
    .addHelpText("after", examples)
    .action((model: (typeof models)[number], options: TrainOptions, command: Command) =>
      train(model, options, command, context),
    );
}

async function train(
  model: (typeof models)[number],
  options: TrainOptions,
  command: Command,
  context: Context,
): Promise<void> {
  const { io } = context;
  const isGiven = (name: string) => command.getOptionValueSource(name) === "cli";
  const start = options.resume
    ? prepareResume(options.resume, options, command)
    : prepareStart(model, options, context.version);
  const backend = useBackend(options);
  const quiet = options.quiet ?? false;
  const display = new TrainDisplay(io.out, { backend, quiet });
  const interrupts = listenForInterrupts(() => {
    io.out.clearStatus();
    if (!quiet) io.err.line("Stopping after this step … (once more to leave at once)");
  });
  try {
    const outcome = await start({
      signal: interrupts.signal,
      onReady: (folder, config, images) => {
        display.introduce(folder, config, images);
        if (options.resume && config.backend !== backendOf(backend) && !quiet)
          io.err.line(
            `The run began on ${config.backend}: on another backend it rounds differently.`,
          );
      },
      onEvent: (event) => display.onEvent(event),
      ...(options.resume && isGiven("checkpointEvery") && { every: options.checkpointEvery }),
    });
    io.out.clearStatus();
    if (outcome.status === "stopped") reportStop(outcome, interrupts, context);
    else showSummary(io.out, outcome, { quiet, program: context.program });
  } finally {
    io.out.clearStatus();
    interrupts.dispose();
  }
}

const backendOf = (description: string): string => description.replace(/: chosen with .*$/, "");

type Start = (
  handlers: RunHandlers & { readonly every?: CheckpointInterval },
) => Promise<RunOutcome>;

function prepareResume(wanted: string, options: TrainOptions, command: Command): Start {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli" || freeOptions.includes(name)) continue;
    throw new UsageError(
      `${option.long} cannot be given with --resume: a run goes on with the settings it began with`,
    );
  }
  const path = findRun(wanted, options.runs);
  return ({ every, ...handlers }) =>
    resumeRun({ path, ...handlers, ...(every && { checkpointEvery: every }) });
}

function dataSource({ data, classes }: TrainOptions): DataSource {
  if (data === undefined) {
    if (classes) throw new UsageError("--classes needs --data: the digits have their names");
    return { kind: "digits" };
  }
  if (!(fs.statSync(data, { throwIfNoEntry: false })?.isDirectory() ?? false))
    throw new UsageError(
      `--data ${data}: ${fs.existsSync(data) ? "is no folder" : "no such folder"}`,
    );
  const path = resolve(data);
  const names = classes ?? (basename(path) === "fashion-mnist" ? fashionMnistClasses : undefined);
  return { kind: "folder", path, ...(names && { classNames: names }) };
}

function checkName(options: TrainOptions): void {
  const { name, runs } = options;
  if (name === undefined) return;
  try {
    checkRunName(name);
  } catch (error) {
    throw new UsageError(`--name: ${(error as Error).message}`);
  }
  const path = join(runs, name);
  if (!fs.existsSync(path)) return;
  const hint = fs.existsSync(join(path, runFiles.config))
    ? `go on with it by --resume ${shellWord(name)}, or choose another name`
    : "choose another name";
  throw new UsageError(`--name ${name}: ${path} exists already; ${hint}`);
}

function prepareStart(
  model: (typeof models)[number],
  options: TrainOptions,
  version: string,
): Start {
  checkName(options);
  const { epochs, batchSize, optimizer, seed, shift, runs, name } = options;
  const lr = options.lr ?? defaultRates[optimizer];
  const config: Omit<RunConfig, "name" | "backend" | "created"> = {
    model,
    settings: { epochs, batchSize, optimizer, lr, seed, shift },
    data: dataSource(options),
    checkpointEvery: options.checkpointEvery,
    versions: { gradus: version, node: process.versions.node },
  };
  return (handlers) => startRun({ runs, config, ...(name && { name }), ...handlers });
}

function reportStop(outcome: RunOutcome, interrupts: Interrupts, { io, ...rest }: Context): void {
  const signal: StopSignal = interrupts.received() ?? "SIGINT";
  rest.setExitCode(signalExitCodes[signal]);
  const command = `${rest.program} train ${outcome.config.model} --resume ${shellWord(outcome.folder.path)}`;
  io.out.line(`Saved after step ${outcome.step}. To go on:`);
  io.out.line(`  ${io.out.style.bold(command)}`);
}
