/** All parameters at once: a line for each trial across an upright axis for each parameter, to its value. */
import { makeScale, type Scale } from "../../train/draw/scale.js";
import { coordinate, drawing, element, look, textAt } from "../../train/draw/svg.js";
import {
  bestColour,
  bestOf,
  type Finished,
  finishedTrials,
  goodness,
  type ParameterAxis,
  parameterAxes,
  type StudyPicture,
  shade,
  shortPath,
} from "./axes.js";

const [margin, top, height, between] = [70, 120, 340, 150];
/** Where the lines of trials without a parameter pass, under its axis. */
const below = 22;
const mostLines = 2000;

interface Upright {
  readonly name: string;
  readonly x: number;
  readonly scale: Scale;
  /** Whether there are trials without it. */
  readonly isPartial: boolean;
  place(trial: Finished): number | undefined;
}

/**
 * Draws parallel coordinates: good trials dark and on top, the best one orange. Below the axis of a parameter pass the lines
 * of trials that did not have it.
 *
 * @returns an SVG file as text.
 * @example
 * ```ts
 * import { drawParallel } from "gradus/tune";
 * const trials = [1, 2, 3].map((n, number) => ({
 *   ...{ number, value: n, state: "complete" as const, parameters: { n, act: "relu" } },
 *   ...{ attempt: 1, reports: [], attributes: {} },
 * }));
 * console.log(drawParallel({ trials, direction: "minimize" }).slice(0, 4)); // → <svg
 * ```
 */
export function drawParallel(study: StudyPicture): string {
  const { direction, title, metric = "value" } = study;
  const trials = finishedTrials(study.trials).slice(-mostLines);
  const axes = parameterAxes({ ...study, trials });
  const uprights = [
    ...axes.map((axis, i) => upright(axis, i, trials)),
    valueUpright(trials, metric, axes.length),
  ];
  const width = Math.max(420, 2 * margin + axes.length * between + 20);
  const best = bestOf(trials, direction);
  const good = goodness(
    trials.map(({ value }) => value),
    direction,
  );
  const ordered = [...trials].sort((a, b) => good(a.value) - good(b.value));
  const name = title ? `Trials of ${title}` : "Trials";
  const parts = [
    textAt(name, 24, 42, 22, { "font-weight": 700 }),
    textAt(subtitle(trials, best, metric), 24, 66, 14, { fill: look.pale }),
    element("rect", {
      ...{ x: 16, y: 82, width: width - 32, height: height + 80, rx: 8 },
      ...{ fill: look.card, stroke: look.rim },
    }),
    ...ordered
      .filter((trial) => trial !== best)
      .map((trial) => across(uprights, trial, shade(good(trial.value)), "1.2")),
    ...(best ? [across(uprights, best, bestColour, "2.6")] : []),
    ...uprights.map(drawUpright),
  ];
  return drawing(width, top + height + 64, name, parts);
}

function subtitle(trials: readonly Finished[], best: Finished | undefined, metric: string): string {
  if (!best) return "no trial is complete yet";
  const value = Number(best.value.toPrecision(6));
  return `${trials.length} complete; darker is better, the best ${metric} ${value} (trial ${best.number}) orange`;
}

function upright(axis: ParameterAxis, i: number, trials: readonly Finished[]): Upright {
  const place = ({ parameters }: Finished) => axis.place(parameters[axis.name]);
  const isPartial = trials.some((trial) => place(trial) === undefined);
  const scale = axis.scale(top + height, top);
  return { name: axis.name, x: margin + i * between, scale, isPartial, place };
}

function valueUpright(trials: readonly Finished[], metric: string, i: number): Upright {
  const values = trials.map(({ value }) => value);
  const scale = makeScale(Math.min(...values), Math.max(...values), {
    from: top + height,
    to: top,
  });
  const place = ({ value }: Finished) => value;
  return { name: metric, x: margin + i * between, scale, isPartial: false, place };
}

function across(
  uprights: readonly Upright[],
  trial: Finished,
  stroke: string,
  width: string,
): string {
  const d = uprights
    .map(({ x, scale, place }, i) => {
      const value = place(trial);
      const y = value === undefined ? top + height + below : scale.at(value);
      return `${i === 0 ? "M" : "L"}${coordinate(x)} ${coordinate(y)}`;
    })
    .join("");
  const style = { fill: "none", stroke, "stroke-width": width, "stroke-linejoin": "round" };
  return element("path", { d, ...style, "stroke-opacity": "0.85" });
}

function drawUpright({ name, x, scale, isPartial }: Upright): string {
  const parts = [
    element("line", { x1: x, x2: x, y1: top, y2: top + height, stroke: look.ink }),
    textAt(shortPath(name, 20), x, top - 16, 12.5, { "text-anchor": "middle", "font-weight": 600 }),
  ];
  // Lines run under the numbers, so those have the paper's colour around them.
  const halo = { stroke: look.card, "stroke-width": "4.5", "paint-order": "stroke" };
  for (const tick of scale.ticks) {
    const y = scale.at(tick);
    parts.push(element("line", { x1: x - 4, x2: x, y1: y, y2: y, stroke: look.ink }));
    const style = { "text-anchor": "end", fill: look.ink, ...halo };
    parts.push(textAt(scale.label(tick), x - 7, y + 4, 11.5, style));
  }
  if (isPartial) {
    const style = { "text-anchor": "end", fill: look.pale, ...halo };
    parts.push(textAt("none", x - 7, top + height + below + 4, 11.5, style));
  }
  return element("g", {}, parts.join("\n"));
}
