/** `gradus doctor`: examines an experiment by the seven-step recipe, or reads a run's log for symptoms. Read ../terminal/doctorDisplay.ts next. */

import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { BackendName } from "../../backend/contract.js";
import { diagnose, examine } from "../../train/index.js";
import { isRunFolder, readRunEvidence, writeDoctorReport } from "../../train/node/index.js";
import { backendNames, useBackend } from "../backend.js";
import { exitCodes, signalExitCodes } from "../errors.js";
import { listenForInterrupts } from "../interrupts.js";
import { oneOf, timeSpan, whole } from "../options.js";
import type { Context } from "../program.js";
import { findRun } from "../runs.js";
import { DoctorDisplay, showDiagnoses } from "../terminal/doctorDisplay.js";
import { count, plural, shellWord } from "../terminal/format.js";
import { printable, printableJson } from "../terminal/table.js";
import { openExperiment } from "./trainSettings.js";

interface DoctorCommandOptions {
  readonly set: readonly string[];
  readonly budget: number;
  readonly quick?: boolean;
  readonly out: string;
  readonly runs: string;
  readonly json?: boolean;
  readonly backend?: BackendName;
  readonly threads?: number;
  readonly quiet?: boolean;
}

const examples = `
Examples:
  $ gradus doctor lenet --quick
  $ gradus doctor cnn.yaml --budget 5m
      first loss, overfitting a few batches, learning-rate range test, coarse search, longer runs,
      the reading of their curves, a verdict; pictures and a report go to runs/doctor
  $ gradus doctor cnn.yaml --set optim.lr=3e-4
  $ gradus doctor runs/first-try
      read the log of a run for symptoms (train it with train.monitor to see inside the network)

Exit codes: 0 healthy, 1 problems were found, 2 wrong input, 130 stopped by Ctrl-C.`;

const collect = (value: string, list: readonly string[]): string[] => [...list, value];

/** Adds the command to the program. */
export function addDoctor(program: Command, context: Context): void {
  program
    .command("doctor")
    .summary("find out why a model does not learn, and which settings are good")
    .description("Examine an experiment by the seven-step recipe, or the log of a run.")
    .argument("<what>", "a configuration's file, a recipe (lenet), or a run by name or path")
    .option("--set <setting>", "change a setting, as optim.lr=3e-4; may be repeated", collect, [])
    .option("--budget <time>", "stop after so long, as 90s, 10m", timeSpan, 600)
    .option("--quick", "fewer and shorter runs")
    .option("--out <folder>", "where reports go", "runs/doctor")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option("--json", "of a run: print the findings for other programs")
    .option("--backend <name>", backendNames.join(", "), oneOf(backendNames))
    .option("--threads <n>", "threads of native code (default: one a core)", whole(1, 1024))
    .option("--quiet", "print the verdict only")
    .addHelpText("after", examples)
    .action((what: string, options: DoctorCommandOptions) => {
      const isExperiment = what === "lenet" || (existsSync(what) && !isRunFolder(what));
      return isExperiment
        ? examineExperiment(what, options, context)
        : readRun(what, options, context);
    });
}

async function examineExperiment(
  what: string,
  options: DoctorCommandOptions,
  context: Context,
): Promise<void> {
  const { io } = context;
  const { experiment } = await openExperiment(what, { set: options.set, runs: options.runs });
  const backend = useBackend(options);
  const display = new DoctorDisplay(io.out, { quiet: options.quiet ?? false });
  const interrupts = listenForInterrupts(() => {
    io.out.clearStatus();
    io.err.line("Stopping; what is known is written … (once more to leave at once)");
  });
  try {
    display.introduce(what, backend);
    const report = await examine(experiment.build, {
      budgetSeconds: options.budget,
      quick: options.quick ?? false,
      signal: interrupts.signal,
      onEvent: (event) => display.onEvent(event),
    });
    io.out.clearStatus();
    const { path, files } = writeDoctorReport(report, { out: options.out, name: experiment.name });
    display.conclude(report, path, files);
    const set = Object.entries(report.settings).map(([key, value]) => `--set ${key}=${value}`);
    if (report.status === "healthy" && set.length > 0)
      io.out.line(`Try it: ${context.program} train ${shellWord(what)} ${set.join(" ")}`);
    const received = interrupts.received();
    if (received) context.setExitCode(signalExitCodes[received]);
    else if (report.status === "problems") context.setExitCode(exitCodes.failure);
  } finally {
    io.out.clearStatus();
    interrupts.dispose();
  }
}

function readRun(what: string, options: DoctorCommandOptions, { io, setExitCode }: Context): void {
  const path = findRun(what, options.runs);
  const { events, facts, damaged } = readRunEvidence(path);
  const found = diagnose(events, facts);
  const problems = found.filter(({ severity }) => severity === "problem").length;
  if (problems > 0) setExitCode(exitCodes.failure);
  if (options.json) {
    io.out.line(printableJson({ path, facts, diagnoses: found }));
    return;
  }
  const { style } = io.out;
  const steps = events.filter(({ type }) => type === "step").length;
  const looks = events.filter(({ type }) => type === "health").length;
  const seen = looks > 0 ? `, ${plural(looks, "look")} inside` : "";
  io.out.line(`${style.bold(printable(path))} ${style.dim(`${count(steps)} steps${seen}`)}`);
  if (damaged > 0) io.err.line(`${plural(damaged, "line")} of the log could not be understood`);
  if (found.length === 0) io.out.line(`${style.good("✓")} No symptom was found.`);
  showDiagnoses(io.out, found);
  if (looks === 0) {
    io.out.line();
    io.out.line(
      style.dim("To see inside the network, train with --set train.monitor.everySteps=50"),
    );
  }
}
