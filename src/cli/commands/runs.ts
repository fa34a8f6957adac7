/** `gradus runs`: lists, shows, compares, exports and removes runs. Read runsList.ts, runsShow.ts and their like. */
import type { Command } from "commander";
import type { Context } from "../program.js";
import { addRunsCompare } from "./runsCompare.js";
import { addRunsExport } from "./runsExport.js";
import { addRunsList } from "./runsList.js";
import { addRunsRemove } from "./runsRemove.js";
import { addRunsShow } from "./runsShow.js";

const examples = `
Examples:
  $ gradus runs                                        all runs, the newest first
  $ gradus runs list --sort accuracy --columns lr      the best first, with their rates
  $ gradus runs show first-try                         one run with its curves
  $ gradus runs compare first-try second-try           what differs, and a picture of it
  $ gradus runs export first-try --tensorboard tb      event files that TensorBoard opens

A run is given by its name, the beginning of its name, or its path.`;

/** Adds the command to the program. */
export function addRuns(program: Command, context: Context): void {
  const runs = program
    .command("runs")
    .summary("list, show, compare and export runs")
    .description("List, show, compare and export training runs.")
    .addHelpText("after", examples);
  addRunsList(runs, context);
  addRunsShow(runs, context);
  addRunsCompare(runs, context);
  addRunsExport(runs, context);
  addRunsRemove(runs, context);
  for (const command of runs.commands) command.copyInheritedSettings(program);
}
