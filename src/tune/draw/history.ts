/** How a search went: the values of all trials with the best so far, and what each trial reported on its way. */
import { drawPanels, type PanelLine, type PanelSpec } from "../../train/draw/panels.js";
import { look } from "../../train/draw/svg.js";
import { isShare } from "../../train/runs/measures.js";
import type { Direction } from "../types.js";
import { bestColour, bestOf, finishedTrials, isBetter, type StudyPicture, shade } from "./axes.js";

const heading = (what: string, title: string | undefined): string =>
  title ? `${what} of ${title}` : what;

type Point = readonly [x: number, y: number];

/** The best value after each trial, as a staircase. */
function staircase(points: readonly Point[], direction: Direction): Point[] {
  const stairs: Point[] = [];
  let best: number | undefined;
  for (const [x, y] of points) {
    if (best !== undefined) stairs.push([x, best]);
    if (best === undefined || isBetter(y, best, direction)) best = y;
    stairs.push([x, best]);
  }
  return stairs;
}

/** So many times as far from the best as the middle is. */
const farOff = 10;

/**
 * Values far worse than the rest would press the rest flat: a diverged loss says nothing but that it diverged. Shares, as
 * accuracies, cannot be far off.
 */
export function withoutFarOff(
  points: readonly Point[],
  { direction, metric = "value" }: StudyPicture,
): Point[] {
  if (points.length < 8 || isShare(metric)) return [...points];
  const sorted = points
    .map(([, y]) => y)
    .sort((a, b) => (direction === "minimize" ? a - b : b - a));
  const [best, middle] = [sorted[0]!, sorted[sorted.length >> 1]!];
  const limit = best + farOff * (middle - best);
  return points.filter(([, y]) => middle === best || !isBetter(limit, y, direction));
}

const remark = (shown: number, all: number): { readonly note?: string } =>
  shown < all ? { note: `${all - shown} far worse not shown` } : {};

/**
 * Draws the value of each complete trial by its number, and the best until then.
 *
 * @returns an SVG file as text.
 * @example
 * ```ts
 * import { drawHistory } from "gradus/tune";
 * const trials = [0.3, 0.1, 0.2].map((value, number) => ({
 *   ...{ number, value, state: "complete" as const, parameters: {}, reports: [], attributes: {} },
 * }));
 * console.log(drawHistory({ trials, direction: "minimize" }).slice(0, 4)); // → <svg
 * ```
 */
export function drawHistory(study: StudyPicture): string {
  const { trials, direction, title, metric = "value" } = study;
  const all = finishedTrials(trials).map(({ number, value }): Point => [number, value]);
  const points = withoutFarOff(all, study);
  const panel: PanelSpec = {
    title: metric,
    xLabel: "trial",
    wholeX: true,
    lines: [
      { name: "each trial", points, colour: shade(0.5), dots: true, joined: false },
      { name: "best so far", points: staircase(points, direction), colour: bestColour },
    ],
    ...remark(points.length, all.length),
  };
  const best = bestOf(finishedTrials(trials), direction);
  const subtitle = best
    ? `best ${Number(best.value.toPrecision(6))}, trial ${best.number}; ${all.length} of ${trials.length} trials complete`
    : `${trials.length} trials, none complete yet`;
  const size = { columns: 1, width: 760, height: 380 };
  return drawPanels([panel], { title: heading("History", title), subtitle, ...size });
}

/** More lines than this cannot be told apart. */
const mostLines = 200;

/**
 * Draws what the trials reported by step: the best one strong, those that ran to the end pale, pruned ones grey.
 *
 * @returns an SVG file as text.
 * @example
 * ```ts
 * import { drawReports } from "gradus/tune";
 * const reports = [1, 2, 3].map((step) => ({ step, value: 1 / step }));
 * const trial = { number: 0, state: "pruned" as const, parameters: {}, reports, attributes: {} };
 * console.log(drawReports({ trials: [trial], direction: "minimize" }).slice(0, 4)); // → <svg
 * ```
 */
export function drawReports(study: StudyPicture): string {
  const { trials, direction, title, metric = "value" } = study;
  const best = bestOf(finishedTrials(trials), direction);
  const reporting = trials.filter(({ reports }) => reports.length > 0).slice(-mostLines);
  const colours: Readonly<Record<string, string>> = { complete: look.blue, pruned: look.pale };
  const names: Record<string, string | undefined> = { complete: "complete", pruned: "pruned" };
  const points = reporting.flatMap(({ reports }) => reports.map((r): Point => [r.step, r.value]));
  const kept = new Set(withoutFarOff(points, study).map(([, y]) => y));
  const lines: PanelLine[] = reporting
    .filter((trial) => trial !== best)
    .map(({ state, reports }) => {
      const name = names[state];
      names[state] = undefined;
      const shown = reports.map((r): Point => [r.step, kept.has(r.value) ? r.value : Number.NaN]);
      const colour = colours[state] ?? look.violet;
      return { points: shown, colour, faint: true, ...(name && { name }) };
    });
  if (best && best.reports.length > 0) {
    const shown = best.reports.map((r): Point => [r.step, r.value]);
    lines.push({ name: `best, trial ${best.number}`, points: shown, colour: bestColour });
  }
  const panel: PanelSpec = {
    ...{ title: `${metric} by step`, xLabel: "step", wholeX: true, lines },
    ...remark(points.filter(([, y]) => kept.has(y)).length, points.length),
  };
  const subtitle = `${reporting.length} of ${trials.length} trials`;
  const size = { columns: 1, width: 760, height: 380 };
  return drawPanels([panel], { title: heading("Reports", title), subtitle, ...size });
}
