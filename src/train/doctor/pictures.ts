/** The doctor's pictures: the range test, what was learned by heart, the longer runs, the network's health. Read ../draw/panels.ts next. */
import { drawPanels, type PanelLine, type PanelSpec } from "../draw/panels.js";
import { look, seriesColour } from "../draw/svg.js";
import type { HealthEvent, TrainEvent } from "../events.js";
import { figure } from "./diagnosis.js";
import type { RangeTest } from "./rangeTest.js";
import type { DoctorReport, LongRun, OverfitResult } from "./types.js";

type Points = readonly (readonly [number, number])[];

const size = { width: 620, height: 380 } as const;

/** An upright line. */
const upright = (
  name: string,
  x: number,
  low: number,
  high: number,
  colour: string,
): PanelLine => ({
  ...{ name, colour },
  points: [
    [x, low],
    [x, high],
  ],
});

/**
 * The loss against the learning rate, with the chosen rate.
 *
 * @returns an SVG file as text.
 * @throws ValueError for a test without points.
 */
export function drawRangeTest({ points, suggestion, divergence }: RangeTest): string {
  const smoothed = points.flatMap(({ smoothed: y }) => (Number.isFinite(y) ? [y] : []));
  const [low, high] = [Math.min(...smoothed), Math.max(...smoothed)];
  // One explosion at the end would press all the rest flat.
  const roof = Math.min(high, 2.5 * (smoothed[0] ?? high));
  const under = (y: number) => (y <= roof * 1.2 ? y : Number.NaN);
  const lines: PanelLine[] = [
    {
      points: points.map(({ lr, loss }) => [lr, under(loss)] as const),
      ...{ colour: look.blue, faint: true },
    },
    {
      name: "loss, smoothed",
      points: points.map(({ lr, smoothed: y }) => [lr, under(y)] as const),
      colour: look.blue,
    },
  ];
  if (suggestion !== null)
    lines.push(upright(`chosen: ${figure(suggestion)}`, suggestion, low, roof, look.green));
  if (divergence !== null)
    lines.push(upright(`explodes: ${figure(divergence)}`, divergence, low, roof, look.red));
  const panel: PanelSpec = {
    ...{
      title: "Loss while the learning rate rises",
      xLabel: "learning rate",
      xKind: "log",
      lines,
    },
  };
  return drawPanels([panel], { title: "Learning-rate range test", columns: 1, ...size });
}

/** The loss over the steps of learning a few batches by heart. */
export function drawOverfit({ losses, examples, lr }: OverfitResult): string {
  const points = losses.map((loss, i) => [i + 1, loss] as const);
  const panel: PanelSpec = {
    title: `Loss on ${examples} examples, rate ${figure(lr)}`,
    ...{ xLabel: "step", yKind: "log", wholeX: true, lines: [{ points, colour: look.blue }] },
  };
  return drawPanels([panel], { title: "Learned by heart", columns: 1, ...size });
}

const stepsOf = (events: readonly TrainEvent[]): Points =>
  events.flatMap((event) => (event.type === "step" ? [[event.step, event.loss] as const] : []));

/** Means of so many neighbours. */
function smooth(points: Points, width = Math.ceil(points.length / 40)): Points {
  return points.map(([x], i) => {
    const near = points.slice(Math.max(0, i - width), i + 1);
    return [x, near.reduce((sum, [, y]) => sum + y, 0) / near.length] as const;
  });
}

/** Loss and accuracy of the longer runs. */
export function drawLongRuns(runs: readonly LongRun[]): string {
  const lines = (pick: (run: LongRun, name: string, colour: string) => readonly PanelLine[]) =>
    runs.flatMap((run, i) => {
      const decay = run.weightDecay === null ? "" : `, decay ${figure(run.weightDecay)}`;
      return pick(run, `rate ${figure(run.lr)}${decay}`, seriesColour(i));
    });
  const measured = ({ events }: LongRun, measure: string): Points =>
    events.flatMap((event) => {
      const value = event.type === "epoch" ? event.validation?.[measure] : undefined;
      return event.type === "epoch" && value !== undefined ? [[event.step, value] as const] : [];
    });
  const panels: PanelSpec[] = [
    {
      ...{ title: "Loss (dots: validation)", xLabel: "step", wholeX: true },
      lines: lines((run, name, colour) => [
        { name, colour, points: smooth(stepsOf(run.events)) },
        { colour, points: measured(run, "loss"), dots: true, joined: false },
      ]),
    },
  ];
  if (runs.some((run) => measured(run, "accuracy").length > 0))
    panels.push({
      ...{ title: "Validation accuracy", xLabel: "step", wholeX: true },
      ...{ percent: true, yBounds: [0, 1] as const },
      lines: lines((run, name, colour) => [
        { name, colour, points: measured(run, "accuracy"), dots: true },
      ]),
    });
  return drawPanels(panels, { title: "Longer runs", ...size });
}

/** So many lines can be told apart. */
const mostLines = 8;

/** Some of many, from the first to the last. */
function spread<T>(list: readonly T[]): readonly T[] {
  if (list.length <= mostLines) return list;
  const step = (list.length - 1) / (mostLines - 1);
  return Array.from({ length: mostLines }, (_, i) => list[Math.round(i * step)]!);
}

/** What the looks of the monitor have of each name, as lines. */
function healthLines(
  health: readonly HealthEvent[],
  pick: (look: HealthEvent) => readonly (readonly [name: string, value: number | null])[],
): PanelLine[] {
  const names = [...new Set(health.flatMap((one) => pick(one).map(([name]) => name)))];
  return spread(names).map((name) => ({
    name,
    points: health.map((one) => {
      const value = pick(one).find(([other]) => other === name)?.[1] ?? Number.NaN;
      return [one.step, value < 1e300 ? value : Number.NaN] as const;
    }),
  }));
}

/**
 * The network's health over a run: update ratios, gradients and activations by layer, dead units.
 *
 * @returns an SVG file as text.
 * @throws ValueError where no look was taken.
 */
export function drawHealth(health: readonly HealthEvent[]): string {
  const weights = ({ parameters }: HealthEvent) =>
    parameters.filter(({ name, trainable }) => trainable && !name.endsWith("bias"));
  const shared = { xLabel: "step", wholeX: true } as const;
  const panels: PanelSpec[] = [
    {
      ...{ title: "Change of a step ÷ weights (about 1e-3)", yKind: "log", ...shared },
      lines: healthLines(health, (one) => weights(one).map((p) => [p.name, p.updateRatio])),
    },
    {
      ...{ title: "Norm of the gradient", yKind: "log", ...shared },
      lines: healthLines(health, (one) => weights(one).map((p) => [p.name, p.gradientNorm])),
    },
    {
      ...{ title: "Standard deviation of outputs", yKind: "log", ...shared },
      lines: healthLines(health, (one) => one.activations.map((a) => [a.name, a.std])),
    },
    {
      ...{ title: "Dead units", percent: true, yBounds: [0, 1], ...shared },
      lines: healthLines(health, (one) =>
        one.activations.flatMap((a) => (/relu/i.test(a.kind) ? [[a.name, a.dead] as const] : [])),
      ),
    },
  ];
  const shown = panels.filter(({ lines }) => lines.length > 0);
  return drawPanels(shown, { title: "Inside the network", ...size });
}

/** All pictures of a report, by the name of their file. */
export function doctorPictures(report: DoctorReport): ReadonlyMap<string, string> {
  const { overfit, rangeTest, runs } = report;
  const pictures = new Map<string, string>();
  if (overfit && overfit.losses.length > 0) pictures.set("overfit.svg", drawOverfit(overfit));
  if (rangeTest && rangeTest.points.length > 0)
    pictures.set("range-test.svg", drawRangeTest(rangeTest));
  if (runs.length > 0) pictures.set("runs.svg", drawLongRuns(runs));
  const health = runs[0]?.events.filter((event) => event.type === "health") ?? [];
  if (health.length > 0) pictures.set("health.svg", drawHealth(health));
  return pictures;
}
