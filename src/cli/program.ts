/** The command line: commands, options, help. Read commands/train.ts for the first of them. */
import * as fs from "node:fs";
import { Command, CommanderError, Help } from "commander";
import { GradusError } from "../core/errors.js";
import { addData } from "./commands/data.js";
import { addDoctor } from "./commands/doctor.js";
import { addEmbed } from "./commands/embed.js";
import { addEvaluate } from "./commands/evaluate.js";
import { addInfo } from "./commands/info.js";
import { addInitStats } from "./commands/initStats.js";
import { addLab } from "./commands/lab.js";
import { addPredict } from "./commands/predict.js";
import { addRuns } from "./commands/runs.js";
import { addSweep } from "./commands/sweep.js";
import { addTrain } from "./commands/train.js";
import { briefly, exitCodes, UsageError } from "./errors.js";
import type { Io } from "./terminal/screen.js";

/** From src/cli and from dist/cli the package's root is two folders up. */
const manifest = new URL("../../package.json", import.meta.url);

export const packageVersion = (): string =>
  (JSON.parse(fs.readFileSync(manifest, "utf8")) as { version: string }).version;

/** What every command gets besides its options. */
export interface Context {
  readonly io: Io;
  readonly version: string;
  /** How the program was called, for commands that are printed. */
  readonly program: string;
  /** Ends the process with this code when the command is done. */
  setExitCode(code: number): void;
}

const examples = `
Examples:
  $ gradus train lenet                      learn handwritten digits, in seconds
  $ gradus sweep sweep.yaml                 search the best settings of a configuration
  $ gradus predict RUN seven.png            ask the trained network about a picture
  $ gradus evaluate RUN RUN                 measure trained networks, alone and together
  $ gradus runs                             list the runs; show, compare, export them
  $ gradus lab                              see the labs of the course
  $ gradus data get fashion-mnist           fetch a data set
  $ gradus info                             see which backend is in use, and why

Exit codes: 0 done, 1 failed, 2 wrong input, 130 stopped by Ctrl-C (the run is saved).`;

function makeProgram(context: Context): Command {
  const { io } = context;
  const program = new Command("gradus")
    .description("Deep learning for TypeScript: train neural networks and use them.")
    .version(context.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .showHelpAfterError("Run with --help to see what there is.")
    .configureHelp({
      sortSubcommands: false,
      // That an option which may be repeated is not there at first says nothing.
      optionDescription: (option) =>
        Help.prototype.optionDescription(option).replace(" (default: [])", ""),
    })
    .configureOutput({
      writeOut: (text) => io.out.line(text.trimEnd()),
      writeErr: (text) => io.err.line(text.trimEnd()),
      getOutHelpWidth: () => io.out.columns,
      getErrHelpWidth: () => io.err.columns,
    })
    .addHelpText("after", examples)
    .exitOverride();
  addTrain(program, context);
  addSweep(program, context);
  addDoctor(program, context);
  addPredict(program, context);
  addEvaluate(program, context);
  addEmbed(program, context);
  addRuns(program, context);
  addInitStats(program, context);
  addLab(program, context);
  addData(program, context);
  addInfo(program, context);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

function exitCodeOf(error: unknown, io: Io): number {
  // Commander has said already what was wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  io.out.clearStatus();
  const complain = (message: string) => io.err.line(`${io.err.style.bad("error:")} ${message}`);
  if (error instanceof UsageError) {
    complain(error.message);
    return exitCodes.usage;
  }
  complain(error instanceof GradusError ? briefly(error) : stackOf(error));
  return exitCodes.failure;
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

export interface RunOptions {
  readonly io: Io;
  readonly program?: string;
}

/**
 * Runs one command line, without the names of Node and of the program.
 *
 * @returns the exit code.
 */
export async function runCommandLine(
  words: readonly string[],
  { io, program = "gradus" }: RunOptions,
): Promise<number> {
  let code: number = exitCodes.ok;
  const setExitCode = (value: number) => {
    code = value;
  };
  const context = { io, program, version: packageVersion(), setExitCode };
  const command = makeProgram(context);
  try {
    if (words.length === 0) command.outputHelp();
    else await command.parseAsync(words, { from: "user" });
  } catch (error) {
    return exitCodeOf(error, io);
  }
  return code;
}
