/** `gradus train`: trains what a configuration describes in a run's folder, or goes on with a run. Read trainSettings.ts next. */
import { join } from "node:path";
import type { Command } from "commander";
import { defaultRates, maxShift, optimizerNames } from "../../train/index.js";
import {
  type CheckpointInterval,
  type FileCallback,
  type RunHandlers,
  type RunOutcome,
  resumeRun,
  startRun,
  tensorBoard,
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
import { checkRunFolder, openExperiment, presetNames, type TrainOptions } from "./trainSettings.js";

/** Options that leave the result of a run alone, so that they may change when it goes on. */
const freeOptions = [
  ...["runs", "resume", "backend", "threads", "checkpointEvery", "tensorboard", "quiet"],
];

const examples = `
Examples:
  $ gradus train lenet
      learn the handwritten digits that come with the package
  $ gradus train lenet --data fashion-mnist --epochs 3
      learn from a folder with MNIST's four files (…-images-idx3-ubyte, …-labels-idx1-ubyte)
  $ gradus train lenet --optimizer sgd --lr 0.05 --name first-try
  $ gradus train cnn.yaml --set optim.lr=3e-4 --set train.epochs=20
      train what a configuration describes (YAML, JSON, TypeScript), with some settings changed
  $ gradus train --resume first-try
      go on with a run that was stopped; it ends as if it never had been

Ctrl-C saves the run and prints how to go on; a second Ctrl-C leaves at once.
docs/configuration.md explains configurations.`;

const collect = (value: string, list: readonly string[]): string[] => [...list, value];

/** Adds the command to the program. */
export function addTrain(program: Command, context: Context): void {
  const rates = optimizerNames.map((name) => `${defaultRates[name]} for ${name}`).join(", ");
  program
    .command("train")
    .summary("train a model")
    .description("Train a model. Weights, log, curves and mistakes go to the run's folder.")
    .argument("[model]", `a configuration's file; or a recipe: ${presetNames.join(", ")}`)
    .option("--set <setting>", "change a setting, as optim.lr=3e-4; may be repeated", collect, [])
    .option("--data <folder>", "folder with MNIST's four files, gzipped or not (default: digits)")
    .option("--classes <names>", "what the classes are called, with commas between", nameList)
    .option("--epochs <n>", "how often to go through the examples (lenet: 12)", whole(1, 100_000))
    .option("--batch-size <n>", "examples in a step (default: 64)", whole(1, 1_000_000))
    .option("--lr <rate>", `highest learning rate (lenet: ${rates})`, positive)
    .option(
      "--optimizer <name>",
      `${optimizerNames.join(", ")} (lenet: adam)`,
      oneOf(optimizerNames),
    )
    .option("--seed <n>", "decides first weights and order of examples (default: 0)", whole(0))
    .option("--shift <n>", "lenet: pixels to move pictures by (default: 1)", whole(0, maxShift))
    .option("--name <name>", "what to call the run (default: model, date and a number)")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option("--resume <run>", "go on with a run, given by name or path")
    .option("--backend <name>", backendNames.join(", "), oneOf(backendNames))
    .option("--threads <n>", "threads of native code (default: one a core)", whole(1, 1024))
    .option("--checkpoint-every <interval>", "save after steps (200) or seconds (30s)", interval)
    .option("--tensorboard <folder>", "also write event files for TensorBoard as it goes on")
    .option("--quiet", "print the result only")
    .addHelpText("after", examples)
    .action((model: string | undefined, options: TrainOptions, command: Command) =>
      train(model, options, command, context),
    );
}

async function train(
  model: string | undefined,
  options: TrainOptions,
  command: Command,
  context: Context,
): Promise<void> {
  const { io } = context;
  const isGiven = (name: string) => command.getOptionValueSource(name) === "cli";
  const start = options.resume
    ? prepareResume(options.resume, options, command)
    : await prepareStart(model, options, context.version);
  const backend = useBackend(options);
  const quiet = options.quiet ?? false;
  const display = new TrainDisplay(io.out, { backend, quiet });
  const interrupts = listenForInterrupts(() => {
    io.out.clearStatus();
    if (!quiet) io.err.line("Stopping after this step … (once more to leave at once)");
  });
  let board: Pick<FileCallback, "onEvent" | "close"> | undefined;
  try {
    const outcome = await start({
      signal: interrupts.signal,
      onReady: (folder, config, experiment) => {
        display.introduce(folder, config, experiment);
        if (options.tensorboard !== undefined) {
          const path = join(options.tensorboard, folder.name);
          const files = tensorBoard(path, { settings: config.config, histogramEpochs: 1 });
          board = { onEvent: (event) => files.onEvent(event, experiment), close: files.close };
        }
        if (options.resume && config.backend !== backendOf(backend) && !quiet)
          io.err.line(
            `The run began on ${config.backend}: on another backend it rounds differently.`,
          );
      },
      onEvent: (event) => {
        display.onEvent(event);
        board?.onEvent(event);
      },
      onDamage: (damaged) => {
        for (const { message } of damaged)
          io.err.line(`${message}; going on from an older checkpoint`);
      },
      ...(options.resume && isGiven("checkpointEvery") && { every: options.checkpointEvery }),
    });
    io.out.clearStatus();
    if (outcome.status === "stopped") reportStop(outcome, interrupts, context);
    else showSummary(io.out, outcome, { quiet, program: context.program });
  } finally {
    io.out.clearStatus();
    interrupts.dispose();
    board?.close();
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

async function prepareStart(
  model: string | undefined,
  options: TrainOptions,
  version: string,
): Promise<Start> {
  if (model === undefined) throw new UsageError("missing required argument 'model'");
  checkRunFolder(options);
  const { preset, experiment } = await openExperiment(model, options);
  const { runs, name, checkpointEvery } = options;
  return (handlers) =>
    startRun({
      ...{ runs, experiment, versions: { gradus: version } },
      ...(checkpointEvery && { checkpointEvery }),
      ...(preset && { preset }),
      ...(name && { name }),
      ...handlers,
    });
}

function reportStop(outcome: RunOutcome, interrupts: Interrupts, { io, ...rest }: Context): void {
  const signal: StopSignal = interrupts.received() ?? "SIGINT";
  rest.setExitCode(signalExitCodes[signal]);
  const { preset } = outcome.config;
  const what = preset ? `train ${preset}` : "train";
  const command = `${rest.program} ${what} --resume ${shellWord(outcome.folder.path)}`;
  io.out.line(`Saved after step ${outcome.step}. To go on:`);
  io.out.line(`  ${io.out.style.bold(command)}`);
}
