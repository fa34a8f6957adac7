/** `gradus runs show`: one run with its settings, results, curves and files. Read ../terminal/lineChart.ts for the curves. */
import type { Command } from "commander";
import {
  isLowerBetter,
  isShare,
  mainMeasure,
  type RunRecord,
  type SettingValue,
  type Stretch,
} from "../../train/index.js";
import { readRun } from "../../train/node/index.js";
import type { Context } from "../program.js";
import { findRun, newestRun } from "../runs.js";
import { count, duration, percent, plural, shellWord } from "../terminal/format.js";
import { type ChartLine, lineChart, type Point } from "../terminal/lineChart.js";
import { bytesText, measureText, statusText, timeText } from "../terminal/runText.js";
import type { Screen } from "../terminal/screen.js";
import { type Column, printable, printableJson, printTable } from "../terminal/table.js";
import { toJson } from "./runsList.js";

interface ShowOptions {
  readonly runs: string;
  readonly health?: boolean;
  readonly json?: boolean;
}

const indent = "  ";
const [chartWidth, chartHeight, mostMeasures, mostNotes] = [76, 8, 20, 10];

/** Adds the subcommand. */
export function addRunsShow(runs: Command, context: Context): void {
  runs
    .command("show")
    .summary("show a run with its curves")
    .description("Show a run: settings, results, curves, files.")
    .argument("[run]", "which, by name or path (default: the newest)")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option("--health", "norms, update ratios and dead units as last seen, where they were watched")
    .option("--json", "print JSON for other programs, with the curves")
    .action((wanted: string | undefined, options: ShowOptions) => show(wanted, options, context));
}

function show(wanted: string | undefined, options: ShowOptions, { io, program }: Context): void {
  const path = wanted === undefined ? newestRun(options.runs) : findRun(wanted, options.runs);
  const run = readRun(path);
  if (options.json) {
    const { losses, rates, health } = run;
    io.out.line(printableJson({ ...toJson(run), losses, rates, health }));
    return;
  }
  showFacts(io.out, run);
  showMeasures(io.out, run);
  showNotes(io.out, run);
  showCurves(io.out, run);
  if (options.health) showHealth(io.out, run);
  showFiles(io.out, run);
  for (const problem of run.problems)
    io.err.line(`${io.err.style.bad("note:")} ${printable(problem)}`);
  if ((run.status === "stopped" || run.status === "interrupted") && run.step > 0) {
    const command = `${program} train --resume ${shellWord(run.path)}`;
    io.out.line();
    io.out.line(`To go on: ${printable(command)}`);
  }
}

const settingText = (name: string, value: SettingValue): string =>
  `${printable(name, 60)} ${printable(String(value))}`;

/** Pieces with commas between them in lines that fit, under one label. */
function wrapped(screen: Screen, label: string, pieces: readonly string[], longest: number): void {
  const left = label.padEnd(Math.max(10, Math.min(longest, 20) + 2));
  const width = Math.max(30, screen.columns - left.length);
  let line = "";
  let isFirst = true;
  const flush = () => {
    screen.line(`${isFirst ? screen.style.dim(left) : " ".repeat(left.length)}${line}`);
    isFirst = false;
  };
  for (const [i, piece] of pieces.entries()) {
    const text = i + 1 < pieces.length ? `${piece},` : piece;
    if (line !== "" && line.length + 1 + text.length > width) {
      flush();
      line = text;
    } else line = line === "" ? text : `${line} ${text}`;
  }
  if (line !== "") flush();
}

/** The version, the code's state and the machine, as far as they were kept. */
function madeBy(facts: RunRecord["facts"]): string {
  const { "git.commit": commit, "git.dirty": dirty } = facts;
  const { "versions.gradus": version, "machine.host": host } = facts;
  const state = dirty === true ? " with changes" : "";
  return [
    version === undefined ? "" : `gradus ${version}`,
    typeof commit === "string" ? `commit ${commit.slice(0, 10)}${state}` : "",
    host === undefined ? "" : `on ${host}`,
  ]
    .filter((part) => part !== "")
    .map((part) => printable(part, 60))
    .join(", ");
}

function showFacts(screen: Screen, run: RunRecord): void {
  const { style } = screen;
  screen.line(`${style.bold(printable(run.name))}  ${statusText(run.status, style)}`);
  if (run.message) screen.line(style.bad(printable(run.message, 400)));
  screen.line();
  const label = (text: string) => style.dim(text.padEnd(10));
  if (run.model) screen.line(`${label("Model")}${printable(run.model)}`);
  const took = run.seconds > 0 ? `, took ${duration(run.seconds)}` : "";
  screen.line(`${label("Begun")}${timeText(run.created)}${took}`);
  if (run.epochs !== null) {
    const steps = `${count(run.step)} of ${plural(run.totalSteps ?? 0, "step")}`;
    screen.line(`${label("Done")}${run.epoch} of ${plural(run.epochs, "epoch")}, ${steps}`);
  }
  if (run.start) {
    const { trainExamples, validationExamples, backend } = run.start;
    screen.line(
      `${label("Examples")}${count(trainExamples)} to train, ${count(validationExamples)} to validate`,
    );
    if (backend !== "") screen.line(`${label("Backend")}${printable(backend)}`);
  }
  const made = madeBy(run.facts);
  if (made !== "") screen.line(`${label("Made by")}${made}`);
  showSettings(screen, run.settings);
}

/** A paragraph for each group: `optim.lr` and `optim.name` stand beside one another. */
function showSettings(screen: Screen, settings: RunRecord["settings"]): void {
  const groups = new Map<string, string[]>();
  for (const [path, value] of Object.entries(settings)) {
    const dot = path.indexOf(".");
    const [group, name] = dot < 0 ? ["settings", path] : [path.slice(0, dot), path.slice(dot + 1)];
    const pieces = groups.get(group) ?? [];
    groups.set(group, [...pieces, settingText(name, value)]);
  }
  const longest = Math.max(0, ...[...groups.keys()].map((group) => group.length));
  if (groups.size > 0) screen.line();
  for (const [group, pieces] of groups) wrapped(screen, printable(group, 20), pieces, longest);
}

/** A row for each measure: its best value, when that was, and its last. */
function showMeasures(screen: Screen, run: RunRecord): void {
  const rows = (["train", "validation"] as const).flatMap((part) =>
    Object.entries(run.best[part])
      .slice(0, mostMeasures)
      .map(([name, best]) => ({ part, name, best, last: lastOf(run, part, name) })),
  );
  if (rows.length === 0) return;
  const columns: Column[] = [
    { title: "", cells: rows.map(({ part, name }) => `${part} ${printable(name, 40)}`) },
    {
      title: "best",
      cells: rows.map(({ name, best }) => measureText(name, best.value)),
      right: true,
    },
    { title: "epoch", cells: rows.map(({ best }) => String(best.epoch)), right: true },
    { title: "last", cells: rows.map(({ name, last }) => measureText(name, last)), right: true },
  ];
  screen.line();
  printTable(screen, columns);
}

function showNotes(screen: Screen, { notes }: RunRecord): void {
  if (notes.length > 0) screen.line();
  for (const { step, text } of notes.slice(-mostNotes))
    screen.line(`${screen.style.dim(`Step ${count(step)}`.padEnd(12))}${printable(text)}`);
}

function lastOf(run: RunRecord, part: "train" | "validation", name: string): number {
  const measures = part === "train" ? run.history.at(-1)?.train : run.evaluations.at(-1)?.measures;
  return measures?.[name] ?? Number.NaN;
}

const meanPoints = (stretches: readonly Stretch[]): Point[] =>
  stretches.map(({ first, last, mean }) => [(first + last) / 2, mean]);

function showCurves(screen: Screen, run: RunRecord): void {
  const losses: ChartLine[] = [
    { name: "training loss", points: meanPoints(run.losses) },
    {
      ...{ name: "validation loss", mark: "●" },
      points: run.evaluations.map(({ step, measures }): Point => [step, measures.loss]),
    },
  ];
  drawChart(screen, losses, "step", (value) => measureText("loss", value));
  const names = run.evaluations.flatMap(({ measures }) => Object.keys(measures));
  const measure = mainMeasure(new Set(names));
  if (measure === "loss" || run.history.length < 2) return;
  const shown = printable(measure, 40);
  const lines: ChartLine[] = [
    {
      name: `training ${shown}`,
      points: run.history.map(({ epoch, train }): Point => [epoch, train[measure] ?? Number.NaN]),
    },
    {
      ...{
        name: `validation ${shown}${isLowerBetter(measure) ? " (low is good)" : ""}`,
        mark: "●",
      },
      points: run.evaluations.map(
        ({ epoch, measures }): Point => [epoch, measures[measure] ?? Number.NaN],
      ),
    },
  ];
  const label = (value: number) =>
    isShare(measure) ? percent(value, 1) : measureText(measure, value);
  drawChart(screen, lines, "epoch", label);
}

function drawChart(
  screen: Screen,
  lines: readonly ChartLine[],
  xLabel: string,
  label: (value: number) => string,
): void {
  const width = Math.min(chartWidth, screen.columns - indent.length);
  const xName = (value: number) => count(value);
  const options = { width, height: chartHeight, xLabel, xName, label, style: screen.style };
  const drawn = lineChart(lines, options);
  if (drawn.length > 0) screen.line();
  for (const line of drawn) screen.line(indent + line);
}

/** What goes on inside the network, as far as it was watched (`monitor` of `fit`). */
function showHealth(screen: Screen, { health }: RunRecord): void {
  screen.line();
  if (!health) {
    screen.line("This run was not watched inside.");
    return;
  }
  const { parameters, activations, step } = health;
  const short = (value: number | null) => (value === null ? "–" : value.toPrecision(3));
  screen.line(screen.style.dim(`Inside the network at step ${count(step)}`));
  printTable(screen, [
    { title: "parameter", cells: parameters.map(({ name }) => printable(name, 60)) },
    { title: "norm", cells: parameters.map(({ norm }) => short(norm)), right: true },
    { title: "gradient", cells: parameters.map((one) => short(one.gradientNorm)), right: true },
    { title: "update ratio", cells: parameters.map((one) => short(one.updateRatio)), right: true },
  ]);
  if (activations.length === 0) return;
  screen.line();
  printTable(screen, [
    { title: "module", cells: activations.map(({ name }) => printable(name, 60)) },
    { title: "kind", cells: activations.map(({ kind }) => printable(kind, 30)) },
    { title: "mean", cells: activations.map(({ mean }) => short(mean)), right: true },
    { title: "std", cells: activations.map(({ std }) => short(std)), right: true },
    { title: "dead", cells: activations.map(({ dead }) => percent(dead, 1)), right: true },
    { title: "saturated", cells: activations.map((one) => percent(one.saturated, 1)), right: true },
  ]);
}

const mostFiles = 30;

function showFiles(screen: Screen, { files, path }: RunRecord): void {
  screen.line();
  screen.line(screen.style.dim(`Files in ${printable(path)}`));
  const shown = files.slice(0, mostFiles);
  const widest = Math.max(0, ...shown.map(({ name }) => printable(name, 60).length));
  for (const { name, bytes } of shown)
    screen.line(`${indent}${printable(name, 60).padEnd(widest)}  ${bytesText(bytes).padStart(8)}`);
  if (files.length > shown.length)
    screen.line(`${indent}and ${plural(files.length - shown.length, "other")}`);
}
