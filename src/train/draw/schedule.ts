/** The picture of a learning-rate schedule. Read chart.ts for its pieces. */
import { ValueError } from "../../core/errors.js";
import { lrScheduler, type Optimizer, SGD } from "../../optim/index.js";
import { tensor } from "../../tensor/create.js";
import { drawPanel, type Line, type Panel, type Point } from "./chart.js";
import { drawing, seriesColour, textAt } from "./svg.js";

export interface DrawScheduleOptions {
  readonly steps: number;
  /** The optimizer's learning rate; default 1. */
  readonly lr?: number;
  readonly title?: string;
  readonly lrScale?: "linear" | "log";
  /** What a schedule on plateau is given at each step; default 0: no progress. */
  readonly metric?: (step: number) => number;
}

/** Anything that changes an optimizer's rate step by step. */
export type Drawable = lrScheduler.ReduceLROnPlateau | { step(): void };

const [panelWidth, panelHeight, margin, top] = [640, 360, 24, 64];
const maxSteps = 10_000_000;

const takesMetric = (x: Drawable): x is lrScheduler.ReduceLROnPlateau | lrScheduler.WarmupLR =>
  x instanceof lrScheduler.ReduceLROnPlateau || x instanceof lrScheduler.WarmupLR;

interface Traced {
  readonly rates: Point[];
  readonly momenta: Point[];
}

function trace(make: (optimizer: Optimizer) => Drawable, options: DrawScheduleOptions): Traced {
  const { steps, lr = 1, metric } = options;
  const optimizer = new SGD([tensor([0], { requiresGrad: true })], { lr, momentum: 0.9 });
  const schedule = make(optimizer);
  const group = optimizer.paramGroups[0]!;
  const traced: Traced = { rates: [], momenta: [] };
  for (let step = 0; step < steps; step++) {
    traced.rates.push([step, group.lr]);
    traced.momenta.push([step, group.get("momentum")]);
    if (step + 1 === steps) break;
    // Others take a number as the step to go to.
    if (takesMetric(schedule)) schedule.step(metric?.(step) ?? 0);
    else schedule.step();
  }
  return traced;
}

/** Leaves out points in the middle of straight stretches, which show nothing. */
function bends(points: readonly Point[]): Point[] {
  return points.filter(([, y], i) => {
    const [before, after] = [points[i - 1], points[i + 1]];
    if (!before || !after) return true;
    const scale = Math.abs(before[1]) + Math.abs(y) + Math.abs(after[1]);
    return Math.abs(before[1] - 2 * y + after[1]) > 1e-9 * scale;
  });
}

/**
 * Draws one schedule or several, by name, as lines of the learning rate over the steps; and the momentum beside it where that changes
 * too.
 *
 * @returns an SVG file as text, which a browser shows as it is.
 * @throws ValueError for steps that are no whole number from 1 to 10 million, or no schedules.
 * @example
 * ```ts
 * import { optim } from "gradus";
 * import { drawSchedule } from "gradus/train";
 * const { CosineAnnealingLR, withWarmup } = optim.lrScheduler;
 * const svg = drawSchedule(
 *   { cosine: (o) => withWarmup(new CosineAnnealingLR(o, { tMax: 90 }), { steps: 10 }) },
 *   { steps: 100, lr: 0.1 },
 * );
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function drawSchedule(
  schedules: Readonly<Record<string, (optimizer: Optimizer) => Drawable>>,
  options: DrawScheduleOptions,
): string {
  const { steps, title = "Learning rate", lrScale = "linear" } = options;
  if (!Number.isInteger(steps) || steps < 1 || steps > maxSteps)
    throw new ValueError(
      "drawSchedule",
      `steps must be a whole number from 1 to ${maxSteps}, got ${steps}`,
    );
  const entries = Object.entries(schedules);
  if (entries.length === 0) throw new ValueError("drawSchedule", "got no schedules");
  const traced = entries.map(([name, make]) => ({ name, ...trace(make, options) }));
  const line = (name: string, points: readonly Point[], i: number): Line => ({
    ...{ name, points: bends(points), colour: seriesColour(i) },
  });
  const rates: Panel = {
    ...{ title: "learning rate", xLabel: "step", wholeX: true, yKind: lrScale },
    lines: traced.map(({ name, rates: points }, i) => line(name, points, i)),
    ...(lrScale === "linear" && { yBounds: [0, Number.POSITIVE_INFINITY] as const }),
  };
  const moving = traced.flatMap(({ name, momenta }, i) =>
    momenta.some(([, m]) => m !== momenta[0]![1]) ? [line(name, momenta, i)] : [],
  );
  const panels: Panel[] = [rates];
  if (moving.length > 0)
    panels.push({ title: "momentum", xLabel: "step", wholeX: true, lines: moving });
  const drawn = panels.map((panel, i) => {
    const left = margin + i * (panelWidth + margin);
    return drawPanel(panel, { left, top, width: panelWidth, height: panelHeight });
  });
  const width = margin + panels.length * (panelWidth + margin);
  const heading = textAt(title, margin, 42, 22, { "font-weight": 700 });
  return drawing(width, top + panelHeight + margin, title, [heading, ...drawn]);
}
