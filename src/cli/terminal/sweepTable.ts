/** The results of a study as a table on the terminal, the best trial first. */
import { type Direction, rankTrials, type TrialRecord } from "../../tune/index.js";
import { duration } from "./format.js";
import type { Screen } from "./screen.js";
import { valueText } from "./sweepDisplay.js";
import { type Column, printable, printTable } from "./table.js";

const secondsOf = ({ started, ended }: TrialRecord): string =>
  started === undefined || ended === undefined ? "" : duration(Math.max(0, ended - started) / 1000);

function parameterText(trial: TrialRecord, name: string): string {
  const value = trial.parameters[name];
  return typeof value === "number"
    ? valueText(value)
    : value === undefined
      ? ""
      : printable(String(value), 40);
}

/** Prints at most `limit` rows. */
export function printTrials(
  screen: Screen,
  trials: readonly TrialRecord[],
  options: { readonly direction: Direction; readonly metric: string; readonly limit: number },
): void {
  const told = rankTrials(trials, options.direction);
  const ranked = [
    ...told,
    ...trials.filter((trial) => trial.state !== "complete" && trial.state !== "pruned"),
  ];
  const rows = ranked.slice(0, options.limit);
  const names = [...new Set(trials.flatMap(({ parameters }) => Object.keys(parameters)))];
  const column = (title: string, cell: (trial: TrialRecord) => string, rank = 0): Column => ({
    title,
    cells: rows.map(cell),
    right: true,
    rank,
  });
  printTable(screen, [
    column("trial", ({ number }) => String(number)),
    column("state", ({ state }) => state),
    column(options.metric, ({ value }) => valueText(value)),
    ...names.map((name, i) =>
      column(printable(name, 40), (trial) => parameterText(trial, name), i + 1),
    ),
    column("time", secondsOf, names.length + 1),
  ]);
  const left = ranked.length - rows.length;
  if (left > 0) screen.line(screen.style.dim(`and ${left} more`));
}
