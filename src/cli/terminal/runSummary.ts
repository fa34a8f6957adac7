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
  checkpoints: "what the run can go on from",
  config: "the settings it began with",
  changes: "changes of the code that git had not",
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

/** What the run came to, in one line; null where there was nothing to measure it with. */
function resultOf({ style }: Screen, outcome: RunOutcome): string | null {
  const { report, final, experiment, history, seconds } = outcome;
  const part = experiment.data.hasTest ? "Test" : "Validation";
  const time = `after ${plural(history.length, "epoch")} in ${duration(seconds)}`;
  if (report) {
    const share = style.good(percent(report.right / report.examples));
    const right = `${count(report.right)} of ${count(report.examples)} right`;
    return `${style.bold(`${part} accuracy ${share}`)}: ${right}, ${time}`;
  }
  if (!final) return `Finished ${time}`;
  const measures = Object.entries(final).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
  return `${style.bold(`${part} ${measures.join(", ")}`)}, ${time}`;
}

/** Reports a finished run. */
export function showSummary(
  screen: Screen,
  outcome: RunOutcome,
  options: { readonly quiet: boolean; readonly program: string },
): void {
  const { style } = screen;
  const { folder, report, reason, experiment } = outcome;
  const result = resultOf(screen, outcome);
  if (!options.quiet) screen.line();
  if (reason !== undefined && !options.quiet) screen.line(`Ended early: ${reason}`);
  if (result !== null) screen.line(result);
  if (options.quiet) {
    screen.line(`Written to ${folder.path}`);
    return;
  }
  if (report) showReport(screen, report);
  screen.line();
  screen.line(style.dim(`Written to ${folder.path}`));
  const kinds = Object.keys(contents) as (keyof RunFiles)[];
  const widest = Math.max(...kinds.map((kind) => runFiles[kind].length));
  for (const kind of kinds)
    if (folder.has(kind))
      screen.line(
        `${indent}${basename(folder.file(kind)).padEnd(widest)}  ${style.dim(contents[kind])}`,
      );
  const { source } = outcome.config;
  if (source)
    screen.line(
      `${indent}${source.file.padEnd(widest)}  ${style.dim("the configuration's own text")}`,
    );
  if (!experiment.card) return;
  screen.line();
  screen.line(`Try it: ${options.program} predict ${shellWord(folder.path)} picture.png`);
}
