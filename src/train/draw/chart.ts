/**
 * One panel of a line chart: axes, grid, lines and a legend. Read curves.ts for the charts of a
 * run.
 */
import { extent, makeScale, nameScale, type Scale, type ScaleKind } from "./scale.js";
import { coordinate, element, estimateWidth, look, textAt } from "./svg.js";

export type Point = readonly [x: number, y: number];

export interface Line {
  /** Its name in the legend; one without is left out there. */
  readonly name?: string;
  readonly points: readonly Point[];
  readonly colour: string;
  /** Thin and pale: the raw values behind a smoothed line. */
  readonly faint?: boolean;
  /** A dot at each point. */
  readonly dots?: boolean;
  /** Lengths of dashes and gaps, as in SVG; default none. */
  readonly dash?: string;
  /** False leaves the dots by themselves; default true. */
  readonly joined?: boolean;
  /** Colours what the line encloses, as for bars. */
  readonly filled?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly lines: readonly Line[];
  readonly xKind?: ScaleKind;
  readonly yKind?: ScaleKind;
  /** The least and the greatest value that the y axis may show, as 0 and 1 for an accuracy. */
  readonly yBounds?: readonly [low: number, high: number];
  /** Writes y values as percent. */
  readonly percent?: boolean;
  /** The x axis has whole numbers only. */
  readonly wholeX?: boolean;
  /** What 0, 1, 2 … on the x axis stand for. */
  readonly xNames?: readonly string[];
  /** A remark under the title. */
  readonly note?: string;
}

/** Where the panel is on the paper. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const [padLeft, padRight, padTop, padBottom] = [62, 22, 74, 52];
const tickSize = 12;
const legendRow = 20;

/** Draws one panel as SVG elements. */
export function drawPanel(panel: Panel, frame: Frame): string {
  const { left, top, width, height } = frame;
  const shown = panel.lines.filter((line) =>
    line.points.some(([px, py]) => isShown(panel, px, py)),
  );
  const legend = drawLegend(shown, left + 20, top + 52, width - 40, panel.note);
  const plot = {
    left: left + padLeft,
    right: left + width - padRight,
    top: top + padTop + (legend.rows - 1) * legendRow,
    bottom: top + height - padBottom,
  };
  const [x, y] = makeScales(panel, plot);
  const card = { x: left, y: top, width, height, rx: 8, fill: look.card, stroke: look.rim };
  const parts = [
    element("rect", card),
    textAt(panel.title, left + 20, top + 30, 15, { "font-weight": 600 }),
    drawAxes(panel, x, y, plot),
    ...shown.map((line) => drawLine(panel, line, x, y)),
    legend.drawn,
  ];
  if (shown.length === 0) {
    const middle = (plot.left + plot.right) / 2;
    const style = { "text-anchor": "middle", fill: look.pale };
    parts.push(textAt("no values yet", middle, (plot.top + plot.bottom) / 2, 14, style));
  }
  return element("g", {}, parts.join("\n"));
}

interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Beyond this an axis over the values would itself overflow. */
const largest = 1e300;

const canShow = (value: number, kind: ScaleKind | undefined): boolean =>
  Math.abs(value) <= largest && (kind !== "log" || value >= 1 / largest);

const isShown = ({ xKind, yKind }: Panel, x: number, y: number): boolean =>
  canShow(x, xKind) && canShow(y, yKind);

function makeScales(panel: Panel, plot: Plot): [x: Scale, y: Scale] {
  const points = panel.lines.flatMap((line) =>
    line.points.filter(([x, y]) => isShown(panel, x, y)),
  );
  const [least, greatest] = yRange(panel, points);
  const { wholeX: whole = false, xKind: kind = "linear", xNames: names } = panel;
  const [firstX, lastX] = extent(points.map(([x]) => x));
  const wanted = Math.max(3, Math.round((plot.right - plot.left) / 80));
  const x = { from: plot.left, to: plot.right, ticks: wanted, whole, kind };
  const y = { from: plot.bottom, to: plot.top, kind: panel.yKind ?? "linear" };
  const xScale = names ? nameScale(names, x) : makeScale(firstX, lastX, x);
  return [xScale, makeScale(least, greatest, y)];
}

/**
 * A little more than the values' range, so that no line runs along the frame, but never past the
 * bounds; from bound to bound where all values are equal.
 */
function yRange({ yKind, yBounds }: Panel, points: readonly Point[]): [number, number] {
  const [low, high] = extent(points.map(([, y]) => y));
  if (yKind === "log") return [low / 1.15, high * 1.15];
  const room = (high - low) * 0.06;
  const [least, greatest] = yBounds ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  // One value alone says nothing of a range; all that could be does.
  if (yBounds && low === high) return [Math.min(least, low), Math.max(greatest, high)];
  return [
    Math.max(low - room, Math.min(least, low)),
    Math.min(high + room, Math.max(greatest, high)),
  ];
}

function drawAxes(panel: Panel, x: Scale, y: Scale, plot: Plot): string {
  const { left, right, bottom } = plot;
  const style = { fill: look.pale };
  const parts: string[] = [];
  for (const tick of y.ticks) {
    const at = y.at(tick);
    parts.push(element("line", { x1: left, x2: right, y1: at, y2: at, stroke: look.grid }));
    const text = panel.percent ? `${Number((tick * 100).toPrecision(6))}%` : y.label(tick);
    parts.push(textAt(text, left - 8, at + 4, tickSize, { ...style, "text-anchor": "end" }));
  }
  for (const tick of x.ticks) {
    const at = x.at(tick);
    parts.push(element("line", { x1: at, x2: at, y1: bottom, y2: bottom + 5, stroke: look.pale }));
    const centred = { ...style, "text-anchor": "middle" };
    parts.push(textAt(x.label(tick), at, bottom + 19, tickSize, centred));
  }
  parts.push(element("line", { x1: left, x2: right, y1: bottom, y2: bottom, stroke: look.pale }));
  const middle = { ...style, "text-anchor": "middle" };
  parts.push(textAt(panel.xLabel, (left + right) / 2, bottom + 39, tickSize, middle));
  return parts.join("\n");
}

function drawLine(panel: Panel, line: Line, x: Scale, y: Scale): string {
  const pieces: string[] = [];
  let pen = "M";
  let alone = 0;
  const dots: string[] = [];
  for (const [px, py] of line.points) {
    if (!isShown(panel, px, py)) {
      pen = "M";
      continue;
    }
    const [cx, cy] = [x.at(px), y.at(py)];
    if (line.joined !== false) pieces.push(`${pen}${coordinate(cx)} ${coordinate(cy)}`);
    if (line.dots) dots.push(element("circle", { cx, cy, r: 3.2, fill: line.colour }));
    pen = "L";
    alone++;
  }
  if (alone === 1 && !line.dots) {
    const [px, py] = line.points.find(([a, b]) => isShown(panel, a, b))!;
    dots.push(element("circle", { cx: x.at(px), cy: y.at(py), r: 3.2, fill: line.colour }));
  }
  if (pieces.length === 0) return dots.join("\n");
  const path = element("path", {
    d: pieces.join(""),
    ...(line.filled ? { fill: line.colour, "fill-opacity": "0.2" } : { fill: "none" }),
    stroke: line.colour,
    "stroke-width": line.faint ? "1" : "2",
    "stroke-opacity": line.faint ? "0.28" : "1",
    "stroke-linejoin": "round",
    "stroke-linecap": "round",
    ...(line.dash && { "stroke-dasharray": line.dash }),
  });
  return [path, ...dots].join("\n");
}

/** Names in rows as wide as the panel; no row where there is no name. */
export function drawLegend(
  lines: readonly Pick<Line, "name" | "colour" | "dash">[],
  left: number,
  top: number,
  width: number,
  note: string | undefined,
): { readonly drawn: string; readonly rows: number } {
  let [x, middle, rows] = [left, top, 1];
  const parts: string[] = [];
  const place = (size: number) => {
    if (x > left && x + size > left + width) {
      [x, middle] = [left, middle + legendRow];
      rows++;
    }
  };
  for (const { name, colour, dash } of lines) {
    if (name === undefined) continue;
    const size = 25 + estimateWidth(name, 12.5);
    place(size);
    const swatch = { x1: x, x2: x + 18, y1: middle - 4, y2: middle - 4, stroke: colour };
    const stroke = { "stroke-width": "3", "stroke-linecap": "round" };
    parts.push(
      element("line", { ...swatch, ...stroke, ...(dash && { "stroke-dasharray": dash }) }),
    );
    parts.push(textAt(name, x + 25, middle, 12.5));
    x += size + 20;
  }
  if (note) {
    place(estimateWidth(note, 12.5));
    parts.push(textAt(note, x, middle, 12.5, { fill: look.red }));
  }
  return { drawn: parts.join("\n"), rows: parts.length > 0 ? rows : 0 };
}
