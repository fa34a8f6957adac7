/** What is said when a run is over: accuracy, what went wrong most, what was written, what to do next. */
import { basename } from "node:path";
import type { RunFiles, RunOutcome, RunReport } from "../../train/node/index.js";
import { runFiles } from "../../train/node/index.js";
import { count, duration, percent, plural, shellWord } from "./format.js";
import type { Screen } from "./screen.js";

const mostClasses = 20;
const mostConfusions = 5;
const indent = "  ";

const contents: Readonly<Record<keyof RunFiles, string>> = {
  model: "the trained network",
  curves: "loss and accuracy over the run",
  mistakes: "the test pictures it misread",
  log: "everything that happened, a line each",
  checkpoint: "what the run can go on from",
  config: "the settings it began with",
};

/** Lines no longer than the screen, made of pieces that stay whole. */
function flow(pieces: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  for (const piece of pieces) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + separator.length + piece.length <= width)
      lines[lines.length - 1] = last + separator + piece;
    else lines.push(piece);
  }
  return lines;
}

/** Pieces of one length in rows that are about as long as one another. */
function grid(pieces: readonly string[], width: number): string[] {
  const separator = "    ";
  const fitting = Math.floor((width + separator.length) / (pieces[0]!.length + separator.length));
  const rows = Math.ceil(pieces.length / Math.max(1, fitting));
  const columns = Math.ceil(pieces.length / rows);
  return Array.from({ length: rows }, (_, i) =>
    pieces.slice(i * columns, (i + 1) * columns).join(separator),
  );
}

function showReport(screen: Screen, { byClass, confusions }: RunReport): void {
  const { style } = screen;
  const width = screen.columns - indent.length;
  if (byClass.length <= mostClasses) {
    screen.line();
    screen.line(style.dim("Right by class"));
    const cells = byClass.filter(({ accuracy }) => Number.isFinite(accuracy));
    const longest = Math.max(...cells.map(({ name }) => name.length));
    const texts = cells.map(
      ({ name, accuracy }) => name.padEnd(longest) + percent(accuracy, 1).padStart(7),
    );
    for (const line of grid(texts, width)) screen.line(indent + line);
  }
  const most = confusions.slice(0, mostConfusions);
  if (most.length === 0) return;
  screen.line();
  screen.line(style.dim("Confused most often"));
  const cells = most.map(({ truth, guess, count: n }) => `${truth} taken for ${guess} (${n})`);
  for (const line of flow(cells, ", ", width)) screen.line(indent + line);
}

/** Reports a finished run. */
export function showSummary(
  screen: Screen,
  outcome: RunOutcome,
  options: { readonly quiet: boolean; readonly program: string },
): void {
  const { style } = screen;
  const { folder, report, history, seconds } = outcome;
  if (!report) return;
  const share = percent(report.right / report.examples);
  const epochs = plural(history.length, "epoch");
  if (!options.quiet) screen.line();
  screen.line(
    `${style.bold(`Test accuracy ${style.good(share)}`)}: ${count(report.right)} of ` +
      `${count(report.examples)} right, after ${epochs} in ${duration(seconds)}`,
  );
  if (options.quiet) {
    screen.line(`Written to ${folder.path}`);
    return;
  }
  showReport(screen, report);
  screen.line();
  screen.line(style.dim(`Written to ${folder.path}`));
  const kinds = Object.keys(contents) as (keyof RunFiles)[];
  const widest = Math.max(...kinds.map((kind) => runFiles[kind].length));
  for (const kind of kinds)
    if (folder.has(kind))
      screen.line(
        `${indent}${basename(folder.file(kind)).padEnd(widest)}  ${style.dim(contents[kind])}`,
      );
  screen.line();
  screen.line(`Try it: ${options.program} predict ${shellWord(folder.path)} picture.png`);
}
