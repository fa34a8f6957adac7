/** The curves of several runs laid over each other as one SVG file. Read curves.ts for those of one run. */
import { ValueError } from "../../core/errors.js";
import type { EpochSummary } from "../events.js";
import type { Stretch } from "../runs/boundedCurve.js";
import { isLowerBetter, isShare, mainMeasure } from "../runs/measures.js";
import type { Evaluation } from "../runs/runHistory.js";
import { drawLegend, drawPanel, type Line, type Panel, type Point } from "./chart.js";
import { defaultSmoothing, smooth, thin } from "./smoothing.js";
import { drawing, estimateWidth, textAt } from "./svg.js";

/** What is drawn of a run; what `readRun` gives has it. */
export interface ComparedRun {
  readonly name: string;
  /** The loss by step. */
  readonly losses?: readonly Stretch[];
  readonly history: readonly EpochSummary[];
  /** Default the validation measures of the epochs. */
  readonly evaluations?: readonly Evaluation[];
}

export interface CompareOptions {
  readonly title?: string;
  /** The measures to draw, a panel each; default the loss and the one that tells most. */
  readonly measures?: readonly string[];
  /** How losses are spread; default `linear`. */
  readonly lossScale?: "linear" | "log";
  /** Weight of the past in the lines of the steps, from 0 (none) to below 1; default fits the number of steps. */
  readonly smoothing?: number;
  /** Where measures are drawn: by epoch (default), or by step, where runs differ in the length of an epoch. */
  readonly x?: "epoch" | "step";
}

/**
 * Colours that people with any kind of colour blindness tell apart (Okabe and Ito, "Color Universal Design", 2008), without the
 * yellow that is lost on paper.
 */
const colours = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#e69f00",
  "#1c2026",
] as const;
/** When the colours begin again, dashes tell lines apart. */
const dashes = ["", "7 5", "2 5", "11 4 2 4"] as const;
const [panelWidth, panelHeight, margin, space, mostNames] = [520, 360, 24, 20, 60];

const strokeOf = (i: number): Pick<Line, "colour"> & { readonly dash?: string } => {
  const dash = dashes[Math.floor(i / colours.length) % dashes.length];
  return { colour: colours[i % colours.length]!, ...(dash && { dash }) };
};

const evaluationsOf = ({ evaluations, history }: ComparedRun): readonly Evaluation[] =>
  evaluations ??
  history.flatMap(({ epoch, step, validation }) =>
    validation ? [{ epoch, step, measures: validation }] : [],
  );

/**
 * Draws several runs in one picture: the smoothed training loss by step, and a panel for each measure with the values of the
 * validation data (of the training data in a run without them). One legend names the runs with their best values.
 *
 * @returns an SVG file as text, which a browser shows as it is.
 * @throws ValueError for no runs, a measure that no run has, or a smoothing outside [0, 1).
 * @example
 * ```ts
 * import { compareCurvesSvg } from "gradus/train";
 * const run = (name: string, losses: number[]) => ({
 *   name,
 *   history: losses.map((loss, i) => ({
 *     ...{ epoch: i + 1, step: i + 1, lr: 0.1, seconds: 1 },
 *     ...{ train: { loss }, validation: { loss: loss + 0.1 } },
 *   })),
 * });
 * const svg = compareCurvesSvg([run("slow", [2, 1.5, 1.2]), run("fast", [1, 0.5, 0.3])]);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function compareCurvesSvg(
  runs: readonly ComparedRun[],
  options: CompareOptions = {},
): string {
  if (runs.length === 0) throw new ValueError("compareCurvesSvg", "got no runs");
  const known = namesOf(runs);
  const main = mainMeasure(known);
  const measures = options.measures ?? [...new Set(["loss", main])];
  for (const measure of measures)
    if (!known.has(measure))
      throw new ValueError(
        "compareCurvesSvg",
        `no run has the measure "${measure}"; there are ${[...known].join(", ")}`,
      );
  const panels = measures.map((measure) => measurePanel(runs, measure, options));
  if (runs.some(({ losses }) => losses && losses.length > 0))
    panels.unshift(stepPanel(runs, options));
  const width = 2 * margin + panels.length * (panelWidth + space) - space;
  const title = options.title ?? "Runs";
  const lines = runs.map((run, i) => ({ name: legendName(run, main), ...strokeOf(i) }));
  const legend = drawLegend(lines, margin, 72, width - 2 * margin, undefined);
  const top = 92 + 20 * (legend.rows - 1);
  const drawn = panels.map((panel, i) => {
    const left = margin + i * (panelWidth + space);
    return drawPanel(panel, { left, top, width: panelWidth, height: panelHeight });
  });
  const heading = textAt(title, margin, 42, 22, { "font-weight": 700 });
  return drawing(width, top + panelHeight + margin, title, [heading, legend.drawn, ...drawn]);
}

/** All measures of the runs; of the training data where there are no others. */
function namesOf(runs: readonly ComparedRun[]): Set<string> {
  const names = runs.flatMap((run) => {
    const evaluations = evaluationsOf(run);
    const measures =
      evaluations.length > 0
        ? evaluations.map((evaluation) => evaluation.measures)
        : run.history.map(({ train }) => train);
    return measures.flatMap((one) => Object.keys(one));
  });
  return new Set(names.length > 0 ? names : ["loss"]);
}

function clip(text: string, width: number): string {
  let clipped = text;
  while (estimateWidth(clipped, 12.5) > width) clipped = `${clipped.slice(0, -2)}…`;
  return clipped;
}

function legendName(run: ComparedRun, measure: string): string {
  const values = pointsOf(run, measure, "epoch").map(([, value]) => value);
  const finite = values.filter(Number.isFinite);
  const name = clip(run.name.slice(0, 4 * mostNames), 7 * mostNames);
  if (finite.length === 0) return name;
  const best = finite.reduce((a, b) => (isLowerBetter(measure) ? Math.min(a, b) : Math.max(a, b)));
  const text = isShare(measure)
    ? `${(best * 100).toFixed(2)}%`
    : String(Number(best.toPrecision(4)));
  return `${name} (best ${clip(measure, 200)} ${text})`;
}

function pointsOf(run: ComparedRun, measure: string, x: "epoch" | "step"): Point[] {
  const evaluations = evaluationsOf(run);
  if (evaluations.length === 0)
    return run.history.map((epoch): Point => [epoch[x], epoch.train[measure] ?? Number.NaN]);
  return evaluations.map((one): Point => [one[x], one.measures[measure] ?? Number.NaN]);
}

const isNegative = (lines: readonly Line[]): boolean =>
  lines.some(({ points }) => points.some(([, y]) => y < 0));

function spread(lines: readonly Line[], lossScale: "linear" | "log"): Partial<Panel> {
  if (lossScale === "log") return { yKind: "log" };
  return isNegative(lines) ? {} : { yBounds: [0, Number.POSITIVE_INFINITY] };
}

function stepPanel(runs: readonly ComparedRun[], options: CompareOptions): Panel {
  const { lossScale = "linear", smoothing } = options;
  if (smoothing !== undefined && !(smoothing >= 0 && smoothing < 1))
    throw new ValueError("compareCurvesSvg", `smoothing is ${smoothing}; expected 0 to below 1`);
  const lines = runs.map(({ losses = [] }, i): Line => {
    const raw = losses.map(({ first, last, mean }): Point => [(first + last) / 2, mean]);
    const points = thin(smooth(raw, smoothing ?? defaultSmoothing(raw.length)));
    return { points, ...strokeOf(i) };
  });
  const title = `Training loss${lossScale === "log" ? " (logarithmic)" : ""}`;
  return { title, xLabel: "step", wholeX: true, lines, ...spread(lines, lossScale) };
}

function measurePanel(
  runs: readonly ComparedRun[],
  measure: string,
  { lossScale = "linear", x = "epoch" }: CompareOptions,
): Panel {
  const lines = runs.map((run, i): Line => {
    const points = pointsOf(run, measure, x);
    return { points: thin(points), ...strokeOf(i), dots: points.length <= 30 };
  });
  const isValidated = runs.some((run) => evaluationsOf(run).length > 0);
  const shared = { xLabel: x, wholeX: true, lines };
  const name = `${isValidated ? "Validation" : "Training"} ${clip(measure, panelWidth - 200)}`;
  if (isShare(measure)) return { ...shared, title: name, percent: true };
  if (measure !== "loss") return { ...shared, title: name };
  const title = lossScale === "log" ? `${name} (logarithmic)` : name;
  return { ...shared, title, ...spread(lines, lossScale) };
}
