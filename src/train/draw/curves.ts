/**
 * The curves of a training run as one SVG file: loss by step, and accuracy (or loss) by epoch on
 * training and test data. Read chart.ts for how a panel is drawn.
 */
import { ValueError } from "../../core/errors.js";
import { drawPanel, type Line, type Panel, type Point } from "./chart.js";
import { defaultSmoothing, smooth, thin } from "./smoothing.js";
import { drawing, look, textAt } from "./svg.js";

/** The loss of one optimizer step. */
export interface StepRecord {
  readonly step: number;
  readonly loss: number;
}

/** What was measured at the end of an epoch, counted from 1; accuracies from 0 to 1. */
export interface EpochRecord {
  readonly epoch: number;
  /** The optimizer steps done by then: with it the validation loss is drawn among the steps too. */
  readonly step?: number;
  readonly trainLoss?: number;
  readonly validationLoss?: number;
  readonly trainAccuracy?: number;
  readonly validationAccuracy?: number;
}

export interface RunCurves {
  readonly steps: readonly StepRecord[];
  readonly epochs: readonly EpochRecord[];
}

export interface CurvesOptions {
  readonly title?: string;
  /** A smaller line under the title. */
  readonly subtitle?: string;
  /** How losses are spread; default `linear`. */
  readonly lossScale?: "linear" | "log";
  /**
   * Weight of the past in the smoothed line, from 0 (none) to below 1; default fits the number of
   * steps.
   */
  readonly smoothing?: number;
}

const [panelWidth, panelHeight, margin, space] = [560, 380, 24, 20];

/**
 * Draws the curves of a run: on the left the loss of each step with a smoothed line (and the validation
 * loss of each epoch), on the right accuracy by epoch on training and validation data, or the losses
 * where no accuracy was measured.
 *
 * @returns an SVG file as text, which a browser shows as it is.
 * @throws ValueError for a smoothing outside [0, 1).
 * @example
 * ```ts
 * import { curvesSvg } from "gradus/train";
 * const steps = [2.3, 1.1, 0.6, 0.4].map((loss, i) => ({ step: i + 1, loss }));
 * const epochs = [{ epoch: 1, trainAccuracy: 0.8, validationAccuracy: 0.78 }];
 * console.log(curvesSvg({ steps, epochs }, { title: "LeNet-5" }).slice(0, 4)); // → <svg
 * ```
 */
export function curvesSvg(curves: RunCurves, options: CurvesOptions = {}): string {
  const title = options.title ?? "Training";
  const panels = [stepPanel(curves, options), epochPanel(curves, options)];
  const top = options.subtitle ? 84 : 64;
  const width = 2 * margin + panels.length * panelWidth + space;
  const parts = [textAt(title, margin, 42, 22, { "font-weight": 700 })];
  if (options.subtitle) parts.push(textAt(options.subtitle, margin, 66, 14, { fill: look.pale }));
  panels.forEach((panel, i) => {
    const left = margin + i * (panelWidth + space);
    parts.push(drawPanel(panel, { left, top, width: panelWidth, height: panelHeight }));
  });
  return drawing(width, top + panelHeight + margin, title, parts);
}

function stepPanel({ steps, epochs }: RunCurves, options: CurvesOptions): Panel {
  const raw: Point[] = steps.map(({ step, loss }) => [step, loss]);
  const weight = options.smoothing ?? defaultSmoothing(steps.length);
  if (!(weight >= 0 && weight < 1))
    throw new ValueError("curvesSvg", `smoothing is ${weight}; expected 0 to below 1`);
  const lines: Line[] = [
    { points: thin(raw), colour: look.blue, faint: weight > 0 },
    { name: "training", points: thin(smooth(raw, weight)), colour: look.blue },
  ];
  const validations = epochs.flatMap(({ step, validationLoss }): Point[] =>
    step === undefined || validationLoss === undefined ? [] : [[step, validationLoss]],
  );
  if (validations.length > 0)
    lines.push({
      name: "validation",
      points: validations,
      colour: look.orange,
      dots: validations.length <= 50,
    });
  const bad = steps.find(({ loss }) => !Number.isFinite(loss));
  return {
    title: options.lossScale === "log" ? "Loss (logarithmic)" : "Loss",
    xLabel: "step",
    lines: weight > 0 ? lines : lines.slice(1),
    yKind: options.lossScale ?? "linear",
    wholeX: true,
    ...(options.lossScale === "log" ? {} : lossBounds(lines)),
    ...(bad ? { note: `not finite at step ${bad.step}` } : {}),
  };
}

/** The axis of losses that are all positive does not go below 0. */
function lossBounds(lines: readonly Line[]): Pick<Panel, "yBounds"> {
  const negative = lines.some(({ points }) => points.some(([, loss]) => loss < 0));
  return negative ? {} : { yBounds: [0, Number.POSITIVE_INFINITY] };
}

type Measure = "trainLoss" | "validationLoss" | "trainAccuracy" | "validationAccuracy";

function epochPanel({ epochs }: RunCurves, options: CurvesOptions): Panel {
  const dots = epochs.length <= 50;
  const line = (name: string, measure: Measure, colour: string): Line => {
    const points = epochs.map((record): Point => [record.epoch, record[measure] ?? Number.NaN]);
    return { name, points, colour, dots };
  };
  const hasAccuracy = epochs.some((e) => (e.trainAccuracy ?? e.validationAccuracy) !== undefined);
  const lines = hasAccuracy
    ? [
        line("training", "trainAccuracy", look.blue),
        line("validation", "validationAccuracy", look.orange),
      ]
    : [line("training", "trainLoss", look.blue), line("validation", "validationLoss", look.orange)];
  const shared = { xLabel: "epoch", lines, wholeX: true };
  if (!hasAccuracy) {
    const yKind = options.lossScale ?? "linear";
    return { ...shared, title: "Loss by epoch", yKind, ...lossBounds(lines) };
  }
  const last = epochs.findLast((e) => e.validationAccuracy !== undefined)?.validationAccuracy;
  const end = last === undefined ? "" : `: ${(last * 100).toFixed(2)}% on validation data`;
  return { ...shared, title: `Accuracy${end}`, percent: true, yBounds: [0, 1] };
}
