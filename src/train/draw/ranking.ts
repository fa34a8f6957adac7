/** Pictures of ROC and precision-recall curves. Read ../metrics/ranking.ts for the numbers, panels.ts for the drawing. */
import type { PrecisionRecallCurve, RocCurve } from "../metrics/ranking.js";
import type { Point } from "./chart.js";
import { drawPanels, type PanelLine } from "./panels.js";
import { look } from "./svg.js";

export interface RankingOptions {
  readonly title?: string;
  /** A smaller line under the title. */
  readonly subtitle?: string;
}

/** More cannot be told apart on paper. */
const maxPoints = 2000;

function pointsOf(x: ArrayLike<number>, y: ArrayLike<number>): Point[] {
  const stride = Math.ceil(x.length / maxPoints);
  const last = x.length - 1;
  const points: Point[] = [];
  for (let i = 0; i < last; i += stride) points.push([x[i]!, y[i]!]);
  return last < 0 ? points : [...points, [x[last]!, y[last]!]];
}

function draw(
  options: RankingOptions & { readonly title: string },
  panel: string,
  xLabel: string,
  lines: readonly PanelLine[],
): string {
  const spec = { title: panel, xLabel, lines, yBounds: [0, 1] as const, percent: true };
  return drawPanels([spec], { ...options, columns: 1, width: 560, height: 460 });
}

/**
 * Draws ROC curves by name, with the areas under them; the diagonal is chance.
 *
 * @returns an SVG file as text, which a browser shows as it is.
 * @example
 * ```ts
 * import { rocCurve, rocSvg } from "gradus/train";
 * const svg = rocSvg({ cats: rocCurve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) });
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function rocSvg(
  curves: Readonly<Record<string, RocCurve>>,
  { title = "ROC", ...options }: RankingOptions = {},
): string {
  const lines = Object.entries(curves).map(
    ([name, curve]): PanelLine => ({
      name: `${name} (area ${curve.area.toFixed(4)})`,
      points: pointsOf(curve.falsePositiveRate, curve.truePositiveRate),
    }),
  );
  const chance: PanelLine = {
    points: [
      [0, 0],
      [1, 1],
    ],
    colour: look.pale,
    faint: true,
  };
  return draw(
    { title, ...options },
    "Share of the positive found",
    "share of the negative taken for positive",
    [...lines, chance],
  );
}

/**
 * Draws precision-recall curves by name, with their average precisions.
 *
 * @returns an SVG file as text, which a browser shows as it is.
 * @example
 * ```ts
 * import { precisionRecallCurve, precisionRecallSvg } from "gradus/train";
 * const svg = precisionRecallSvg({ cats: precisionRecallCurve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) });
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function precisionRecallSvg(
  curves: Readonly<Record<string, PrecisionRecallCurve>>,
  { title = "Precision and recall", ...options }: RankingOptions = {},
): string {
  const lines = Object.entries(curves).map(
    ([name, curve]): PanelLine => ({
      name: `${name} (average precision ${curve.averagePrecision.toFixed(4)})`,
      points: pointsOf(curve.recall, curve.precision),
    }),
  );
  return draw({ title, ...options }, "Precision", "recall", lines);
}
