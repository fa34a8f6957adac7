/** The picture of a classifier's calibration. Read ../evaluation/calibration.ts for the numbers, panels.ts for the drawing. */
import type { Calibration, ReliabilityBin } from "../evaluation/calibration.js";
import type { Point } from "./chart.js";
import { drawPanels, type PanelSpec } from "./panels.js";
import { look } from "./svg.js";

export interface ReliabilityOptions {
  readonly title?: string;
}

/** A bar over each bin, open below. */
const bars = (bins: readonly ReliabilityBin[], height: (bin: ReliabilityBin) => number): Point[] =>
  bins.flatMap((bin): Point[] => {
    const { low, high, count } = bin;
    const top = height(bin);
    if (count === 0) return [];
    // What is not finite parts one bar from the next.
    return [
      [low, 0],
      [low, top],
      [high, top],
      [high, 0],
      [high, Number.NaN],
    ];
  });

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

/**
 * Draws a reliability diagram (DeGroot and Fienberg, 1983): for each bin of confidence how often the predictions were right, which should
 * lie on the diagonal; below it the classifier is too sure. Beside it, how many predictions had such a confidence.
 *
 * @returns an SVG file as text, which a browser shows as it is.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { calibration, reliabilitySvg } from "gradus/train";
 * const measured = calibration(tensor([[2, 0], [0, 3], [1, 0]]), [0, 1, 1]);
 * console.log(reliabilitySvg(measured, { title: "Three examples" }).slice(0, 4)); // → <svg
 * ```
 */
export function reliabilitySvg(measured: Calibration, options: ReliabilityOptions = {}): string {
  const { bins, ece, mce, accuracy, confidence, examples } = measured;
  const full = bins.filter(({ count }) => count > 0);
  const reliability: PanelSpec = {
    title: `Right as often as sure? ECE ${percent(ece)}, MCE ${percent(mce)}`,
    xLabel: "confidence",
    yBounds: [0, 1],
    percent: true,
    lines: [
      { points: bars(bins, (bin) => bin.accuracy), colour: look.blue, filled: true, name: "right" },
      {
        name: "at the bin's mean confidence",
        points: full.map((bin) => [bin.confidence, bin.accuracy]),
        colour: look.orange,
        dots: true,
        joined: false,
      },
      {
        points: [
          [0, 0],
          [1, 1],
        ],
        colour: look.pale,
        faint: true,
      },
    ],
  };
  const counts: PanelSpec = {
    title: "How sure it was",
    xLabel: "confidence",
    yBounds: [0, 1],
    percent: true,
    lines: [
      {
        name: "share of predictions",
        points: [...bars(bins, ({ count }) => count / examples), [0, 0], [1, 0]],
        colour: look.blue,
        filled: true,
      },
    ],
  };
  const subtitle = `${percent(accuracy)} of ${examples} right at a mean confidence of ${percent(confidence)}`;
  return drawPanels([reliability, counts], { title: options.title ?? "Calibration", subtitle });
}
