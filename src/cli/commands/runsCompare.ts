/** `gradus runs compare`: what differs between runs, their best values side by side, and a picture of their curves. */
import { join } from "node:path";
import type { Command } from "commander";
import { writeFileAtomic } from "../../io/files.js";
import {
  compareCurvesSvg,
  differingSettings,
  isBetter,
  type RunRecord,
  type SettingValue,
} from "../../train/index.js";
import { readRun } from "../../train/node/index.js";
import { UsageError } from "../errors.js";
import { fraction, oneOf } from "../options.js";
import type { Context } from "../program.js";
import { findRun } from "../runs.js";
import { duration, suggestion } from "../terminal/format.js";
import { measureText, progressText, statusText } from "../terminal/runText.js";
import type { Screen } from "../terminal/screen.js";
import type { Style } from "../terminal/style.js";
import { type Column, printable, printableJson, printTable } from "../terminal/table.js";
import { toJson } from "./runsList.js";

interface CompareOptions {
  readonly runs: string;
  readonly out?: string;
  readonly title?: string;
  readonly measures?: readonly string[];
  readonly x: "epoch" | "step";
  readonly smoothing?: number;
  readonly log?: boolean;
  readonly json?: boolean;
}

const [mostSettings, mostMeasures, mostColumns, cellWidth] = [40, 20, 5, 28];

/** Adds the subcommand. */
export function addRunsCompare(runs: Command, context: Context): void {
  runs
    .command("compare")
    .summary("compare runs side by side")
    .description("Show what differs between runs, and draw their curves over each other.")
    .argument("<runs...>", "two or more, by name or path")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option("--out <file>", "where the picture goes, as SVG (default: compare.svg beside the runs)")
    .option("--title <text>", "what to write over the picture (default: how many runs)")
    .option("--measures <names>", "what to draw, with commas between", (text: string) =>
      text.split(",").map((name) => name.trim()),
    )
    .option("--x <axis>", "draw measures by epoch or by step", oneOf(["epoch", "step"]), "epoch")
    .option("--smoothing <weight>", "weight of the past in the loss by step", fraction)
    .option("--log", "losses on a logarithmic scale")
    .option("--json", "print JSON for other programs, and draw nothing")
    .action((wanted: readonly string[], options: CompareOptions) =>
      compare(wanted, options, context),
    );
}

function compare(wanted: readonly string[], options: CompareOptions, { io }: Context): void {
  const paths = [...new Set(wanted.map((name) => findRun(name, options.runs)))];
  if (paths.length < 2) throw new UsageError("name at least two runs to compare");
  const runs = paths.map((path) => readRun(path));
  const differences = differingSettings(runs.map(({ settings }) => settings));
  if (options.json) {
    io.out.line(printableJson({ differences, runs: runs.map(toJson) }));
    return;
  }
  checkMeasures(runs, options.measures ?? []);
  showSettings(io.out, runs, differences);
  showResults(io.out, runs);
  const path = options.out ?? join(options.runs, "compare.svg");
  const svg = compareCurvesSvg(runs, {
    title: options.title ?? `${runs.length} runs`,
    x: options.x,
    lossScale: options.log ? "log" : "linear",
    ...(options.measures && { measures: options.measures }),
    ...(options.smoothing !== undefined && { smoothing: options.smoothing }),
  });
  writeFileAtomic(path, new TextEncoder().encode(svg));
  io.out.line();
  io.out.line(`Curves: ${printable(path)}`);
}

const measureNames = (runs: readonly RunRecord[], part: "train" | "validation"): string[] => [
  ...new Set(runs.flatMap(({ best }) => Object.keys(best[part]))),
];

function checkMeasures(runs: readonly RunRecord[], wanted: readonly string[]): void {
  const validated = measureNames(runs, "validation");
  const known = validated.length > 0 ? validated : measureNames(runs, "train");
  for (const name of wanted)
    if (!known.includes(name)) {
      const hint = suggestion(name, known) || `; there are ${known.join(", ")}`;
      throw new UsageError(`--measures: no run has "${name}"${hint}`);
    }
}

/** A line of the comparison: what it is about, and its text for each run. */
interface Row {
  readonly title: string;
  readonly cells: readonly string[];
}

const settingText = (value: SettingValue | undefined): string =>
  value === undefined ? "–" : printable(String(value), cellWidth);

/** Runs stand side by side, or below one another where they are many. */
function show(
  screen: Screen,
  title: string,
  runs: readonly RunRecord[],
  rows: readonly Row[],
): void {
  const names = runs.map(({ name }) => printable(name, cellWidth));
  if (runs.length <= mostColumns) {
    printTable(screen, [
      { title, cells: rows.map((row) => row.title) },
      ...names.map(
        (name, i): Column => ({
          ...{ title: name, cells: rows.map(({ cells }) => cells[i]!), right: true },
        }),
      ),
    ]);
    return;
  }
  printTable(screen, [
    { title: "run", cells: names },
    ...rows.map((row): Column => ({ title: row.title, cells: row.cells, right: true })),
  ]);
}

function showSettings(
  screen: Screen,
  runs: readonly RunRecord[],
  differences: ReturnType<typeof differingSettings>,
): void {
  if (differences.length === 0) {
    screen.line(`All ${runs.length} have the same settings.`);
    return;
  }
  const shown = differences.slice(0, mostSettings);
  const rows = shown.map(
    ({ setting, values }): Row => ({
      ...{ title: printable(setting, 40), cells: values.map(settingText) },
    }),
  );
  show(screen, "setting", runs, rows);
  const left = differences.length - shown.length;
  if (left > 0) screen.line(screen.style.dim(`and ${left} others that differ`));
}

/** The best values; the best of all runs is marked. */
function showResults(screen: Screen, runs: readonly RunRecord[]): void {
  const { style } = screen;
  const measured = (["train", "validation"] as const).flatMap((part) =>
    measureNames(runs, part)
      .slice(0, mostMeasures)
      .map((name): Row => {
        const values = runs.map(({ best }) => best[part][name]?.value);
        const cells = values.map((value) => bestText(name, value, values, style));
        return { title: `${part} ${printable(name, 40)}`, cells };
      }),
  );
  screen.line();
  show(screen, "best", runs, [
    { title: "status", cells: runs.map(({ status }) => statusText(status, style)) },
    { title: "epochs", cells: runs.map(progressText) },
    { title: "time", cells: runs.map(({ seconds }) => duration(seconds)) },
    ...measured,
  ]);
}

function bestText(
  name: string,
  value: number | undefined,
  values: readonly (number | undefined)[],
  style: Style,
): string {
  if (value === undefined) return "–";
  const isBest = values.every((other) => other === undefined || !isBetter(name, other, value));
  const text = measureText(name, value);
  return isBest ? style.good(`* ${text}`) : text;
}
