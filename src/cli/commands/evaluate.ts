/** `gradus evaluate`: trained runs measured again, alone and together, looked at several times, calibrated. */
import * as fs from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { BackendName } from "../../backend/contract.js";
import { writeFileAtomic } from "../../io/files.js";
import {
  confusionMatrix,
  confusionSvg,
  flipViews,
  isShare,
  mainMeasure,
  type RocCurve,
  reliabilitySvg,
  rocCurve,
  rocSvg,
  shiftViews,
  tenCropViews,
  type Views,
} from "../../train/index.js";
import { type EvaluatedModel, evaluateRuns, type RunsEvaluation } from "../../train/node/index.js";
import { backendNames, useBackend } from "../backend.js";
import { interruptible } from "../interrupts.js";
import { oneOf } from "../options.js";
import type { Context } from "../program.js";
import { findRun } from "../runs.js";
import { percent } from "../terminal/format.js";
import { measureText } from "../terminal/runText.js";
import type { Screen } from "../terminal/screen.js";
import { type Column, printable, printableJson, printTable } from "../terminal/table.js";

/** Ten parts of seven eighths of the sides, at the size that networks were trained with. */
const cropViews: Views = (x) => {
  const size = x.shape.slice(-2).map((side) => Math.max(1, Math.round((side * 7) / 8)));
  return tenCropViews(size, { enlarge: true })(x);
};

const viewsOf = { crops: cropViews, flips: flipViews, shifts: shiftViews(1) } as const;
const parts = { test: "final", validation: "validation" } as const;

interface EvaluateCommandOptions {
  readonly runs: string;
  readonly views?: keyof typeof viewsOf;
  readonly average: "probabilities" | "logits";
  readonly on: keyof typeof parts;
  readonly calibrate?: boolean;
  readonly out?: string;
  readonly json?: boolean;
  readonly backend?: BackendName;
}

/** A picture of more curves than this shows nothing; a table of more columns neither. */
const [mostCurves, mostColumns] = [12, 6];

const examples = `
Examples:
  $ gradus evaluate lenet-2026-11-23-001                      loss, metrics, calibration on the test data
  $ gradus evaluate cnn-001 cnn-002 cnn-003                   each of them, and the three as an ensemble
  $ gradus evaluate cnn-001 --views shifts --out pictures     look at each picture five times; draw what came out
  $ gradus evaluate cnn-001 --calibrate                       divide by the temperature of the validation data

A run's configuration in TypeScript is code that runs: evaluate only runs that you trust.`;

/** Adds the command to the program. */
export function addEvaluate(program: Command, context: Context): void {
  program
    .command("evaluate")
    .summary("measure trained runs, alone and as an ensemble")
    .description(
      "Measure trained runs: loss, metrics, calibration; several of them together as an ensemble.",
    )
    .argument("<runs...>", "one or more, by name or path")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option(
      "--views <kind>",
      "look at pictures several times: crops (ten), flips, shifts (by a pixel)",
      oneOf(["crops", "flips", "shifts"]),
    )
    .option(
      "--average <what>",
      "average probabilities or logits",
      oneOf(["probabilities", "logits"]),
      "probabilities",
    )
    .option(
      "--on <data>",
      "measure with the test or the validation data",
      oneOf(["test", "validation"]),
      "test",
    )
    .option("--calibrate", "divide logits by the temperature that is best on the validation data")
    .option(
      "--out <folder>",
      "draw the last of the models: confusions, reliability, ROC curves, as SVG",
    )
    .option("--json", "print JSON for other programs")
    .option("--backend <name>", backendNames.join(", "), oneOf(backendNames))
    .addHelpText("after", examples)
    .action((wanted: readonly string[], options: EvaluateCommandOptions) =>
      evaluateCommand(wanted, options, context),
    );
}

async function evaluateCommand(
  wanted: readonly string[],
  options: EvaluateCommandOptions,
  context: Context,
): Promise<void> {
  const { io } = context;
  const paths = [...new Set(wanted.map((name) => findRun(name, options.runs)))];
  useBackend(options);
  await interruptible(context, "Stopping after this batch …", async (signal) => {
    const evaluation = await evaluateRuns(paths, {
      average: options.average,
      part: parts[options.on],
      ...(options.views && { views: viewsOf[options.views] }),
      ...(options.calibrate && { calibrate: true }),
      signal,
      onRun: (name, done, total) => io.err.status(`${done + 1} of ${total}: ${printable(name)}`),
    });
    io.err.clearStatus();
    if (options.json) io.out.line(printableJson({ models: evaluation.models.map(toJson) }));
    else show(io.out, evaluation, options.on);
    if (options.out !== undefined) draw(options.out, evaluation, options.json ? null : io.out);
  });
}

function toJson({ name, measures, calibration, temperature }: EvaluatedModel) {
  return {
    name,
    measures,
    ...(calibration && { calibration }),
    ...(temperature && { temperature }),
  };
}

/** The measures with a column of their own: those of single classes are too many. */
function shownMeasures(models: readonly EvaluatedModel[]): string[] {
  const names = Object.keys(models[0]!.measures).filter((name) => !/\.\d+$/.test(name));
  const main = mainMeasure(names);
  return [...new Set(["loss", main, ...names])].slice(0, mostColumns);
}

function show(screen: Screen, { models, targets }: RunsEvaluation, on: string): void {
  const column = (title: string, cellOf: (model: EvaluatedModel) => string, rank = 0): Column => ({
    ...{ title, cells: models.map(cellOf), right: true, rank },
  });
  const isCalibrated = models.some(({ calibration }) => calibration);
  const isScaled = models.some(({ temperature }) => temperature);
  screen.line(`${targets.shape[0]} examples of the ${on} data`);
  screen.line();
  printTable(screen, [
    { title: "model", cells: models.map(({ name }) => printable(name, 60)) },
    ...shownMeasures(models).map((name, i) =>
      column(name, ({ measures }) => measureText(name, measures[name]!), i < 2 ? 0 : i),
    ),
    ...(isCalibrated
      ? [
          column("ECE", ({ calibration: own }) => (own ? percent(own.ece) : "–"), 1),
          column("Brier", ({ calibration: own }) => own?.brier.toFixed(4) ?? "–", 8),
        ]
      : []),
    ...(isScaled
      ? [column("temperature", ({ temperature }) => temperature?.toFixed(3) ?? "–", 1)]
      : []),
  ]);
  sayBest(screen, models);
}

/** How the last of several models, an ensemble mostly, stands against the best of the others. */
function sayBest(screen: Screen, models: readonly EvaluatedModel[]): void {
  const names = Object.keys(models[0]!.measures);
  const main = mainMeasure(names);
  if (models.length < 2 || !isShare(main)) return;
  const valueOf = ({ measures }: EvaluatedModel) => measures[main]!;
  const others = models.slice(0, -1);
  const best = others.reduce((a, b) => (valueOf(b) > valueOf(a) ? b : a));
  const last = models.at(-1)!;
  const points = 100 * (valueOf(last) - valueOf(best));
  const sign = points >= 0 ? "+" : "−";
  screen.line();
  screen.line(
    `${printable(last.name, 60)}: ${sign}${Math.abs(points).toFixed(2)} points of ${main} ` +
      `against the best of the others, ${printable(best.name, 60)}`,
  );
}

function draw(folder: string, evaluation: RunsEvaluation, screen: Screen | null): void {
  const last = evaluation.models.at(-1)!;
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(picturesOf(last, evaluation))) {
    const path = join(folder, name);
    writeFileAtomic(path, new TextEncoder().encode(svg));
    screen?.line(`${path}`);
  }
}

function picturesOf(
  { name, calibration, outputs }: EvaluatedModel,
  { targets, classNames }: RunsEvaluation,
): Record<string, string> {
  if (!calibration) return {};
  const pictures = { "reliability.svg": reliabilitySvg(calibration, { title: name }) };
  const classes = outputs.shape[1] ?? 1;
  if (classes < 2) return pictures;
  const names = classNames ?? Array.from({ length: classes }, (_, k) => String(k));
  const labels = Array.from(targets.data, Number);
  const predictions = outputs.argmax(1).data as ArrayLike<number>;
  const matrix = confusionMatrix({ labels, predictions }, classes);
  const drawn = { ...pictures, "confusion.svg": confusionSvg(matrix, names, { title: name }) };
  if (classes > mostCurves) return drawn;
  const probabilities = outputs.to("float64").softmax(1);
  const curves = names.flatMap((className, k): [string, RocCurve][] => {
    const truth = labels.map((label) => Number(label === k));
    if (!truth.includes(1) || !truth.includes(0)) return [];
    return [[className, rocCurve(probabilities.select(1, k), truth)]];
  });
  const title = { title: "ROC, each class against the rest", subtitle: name };
  return { ...drawn, "roc.svg": rocSvg(Object.fromEntries(curves), title) };
}
