/** What each parameter did by itself: a panel for each, a dot for each trial. */
import { drawPanels, type PanelLine, type PanelSpec } from "../../train/draw/panels.js";
import {
  bestColour,
  bestOf,
  type Finished,
  finishedTrials,
  type ParameterAxis,
  parameterAxes,
  type StudyPicture,
  shade,
  shadeCount,
} from "./axes.js";
import { withoutFarOff } from "./history.js";

/**
 * Draws the value of each complete trial over each parameter; later trials are darker, so that one sees where a sampler went.
 *
 * @returns an SVG file as text.
 * @example
 * ```ts
 * import { drawSlices } from "gradus/tune";
 * const trials = [1e-4, 1e-3, 1e-2].map((lr, number) => ({
 *   ...{ number, value: lr, state: "complete" as const, parameters: { lr }, reports: [], attributes: {} },
 * }));
 * console.log(drawSlices({ trials, direction: "minimize" }).slice(0, 4)); // → <svg
 * ```
 */
export function drawSlices(study: StudyPicture): string {
  const { direction, title, metric = "value", trials } = study;
  const all = finishedTrials(trials);
  const kept = new Set(
    withoutFarOff(
      all.map(({ number, value }) => [number, value] as const),
      study,
    ).map(([number]) => number),
  );
  const shown = all.filter(({ number }) => kept.has(number));
  const best = bestOf(shown, direction);
  const panels = parameterAxes({ ...study, trials: all }).map((axis) => slice(axis, shown, best));
  const none: PanelSpec = { title: "no parameter", xLabel: "", lines: [] };
  const hidden = all.length - shown.length;
  const subtitle =
    `${metric} by parameter; later trials darker, the best orange` +
    (hidden > 0 ? `; ${hidden} far worse not shown` : "");
  return drawPanels(panels.length > 0 ? panels : [none], {
    title: title ? `Slices of ${title}` : "Slices",
    subtitle,
    columns: panels.length > 2 ? 3 : Math.max(1, panels.length),
    width: 380,
    height: 300,
  });
}

function slice(
  axis: ParameterAxis,
  trials: readonly Finished[],
  best: Finished | undefined,
): PanelSpec {
  const point = ({ parameters, value }: Finished): (readonly [number, number])[] => {
    const x = axis.place(parameters[axis.name]);
    return x === undefined ? [] : [[x, value]];
  };
  const bins = Array.from({ length: shadeCount }, (_, i) => {
    const [from, to] = [i, i + 1].map((n) => Math.round((n * trials.length) / shadeCount));
    return trials.slice(from, to).filter((trial) => trial !== best);
  });
  const dots = { dots: true, joined: false } as const;
  const lines: PanelLine[] = bins.map((bin, i) => ({
    ...dots,
    points: bin.flatMap(point),
    colour: shade(i / (shadeCount - 1)),
  }));
  if (best) lines.push({ ...dots, points: point(best), colour: bestColour });
  return {
    title: axis.name,
    xLabel: axis.kind === "log" ? "logarithmic" : "",
    lines,
    ...(axis.kind === "names" ? { xNames: axis.names } : { xKind: axis.kind }),
  };
}
