/**
 * Draws curves into the terminal with braille dots, two a column and four a row. Read ../commands/runs/show.ts for its use.
 */
import type { Style } from "./style.js";

export type Point = readonly [x: number, y: number];

export interface ChartLine {
  readonly name: string;
  readonly points: readonly Point[];
  /** Drawn with this letter instead of dots, so that it can be told apart without colours. */
  readonly mark?: string;
}

export interface LineChartOptions {
  /** In characters, axis and labels included. */
  readonly width: number;
  /** Rows of the drawing itself. */
  readonly height: number;
  readonly xLabel: string;
  readonly label: (value: number) => string;
  readonly xName: (value: number) => string;
  readonly style: Style;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

/** The bit of a dot in its character, by row and column (Unicode, Braille Patterns). */
const bits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const firstPattern = 0x2800;

const isDrawn = ([x, y]: Point): boolean => Number.isFinite(x) && Number.isFinite(y);

function rangeOf(values: readonly number[]): Range {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (low < high) return { low, high };
  const room = Math.abs(low) * 0.1 || 1;
  return { low: low - room, high: high + room };
}

/** Characters with the number of the line that set them last. */
class Canvas {
  readonly #dots: Uint8Array;
  readonly #owner: Uint8Array;
  readonly #marks: (string | undefined)[];
  readonly #width: number;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#dots = new Uint8Array(width * height);
    this.#owner = new Uint8Array(width * height);
    this.#marks = new Array(width * height);
  }

  dot(x: number, y: number, owner: number): void {
    const cell = (y >> 2) * this.#width + (x >> 1);
    this.#dots[cell]! |= bits[y & 3]![x & 1]!;
    this.#owner[cell] = owner;
  }

  mark(x: number, y: number, owner: number, mark: string): void {
    const cell = (y >> 2) * this.#width + (x >> 1);
    this.#marks[cell] = mark;
    this.#owner[cell] = owner;
  }

  row(y: number, paint: (text: string, owner: number) => string): string {
    let text = "";
    for (let x = 0; x < this.#width; x++) {
      const cell = y * this.#width + x;
      const dots = this.#dots[cell]!;
      const drawn = this.#marks[cell] ?? (dots && String.fromCharCode(firstPattern + dots));
      text += drawn ? paint(drawn, this.#owner[cell]!) : " ";
    }
    return text;
  }
}

/** Sets the dots of a straight line, one for each column or row, whichever there are more of. */
function drawSegment(canvas: Canvas, from: Point, to: Point, owner: number): void {
  const steps = Math.max(1, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
  for (let i = 0; i <= steps; i++) {
    const share = i / steps;
    const x = Math.round(from[0] + share * (to[0] - from[0]));
    canvas.dot(x, Math.round(from[1] + share * (to[1] - from[1])), owner);
  }
}

function drawLine(
  canvas: Canvas,
  line: ChartLine,
  owner: number,
  place: (point: Point) => Point,
): void {
  let last: Point | null = null;
  for (const point of line.points) {
    if (!isDrawn(point)) {
      last = null;
      continue;
    }
    const here = place(point);
    if (line.mark) canvas.mark(here[0], here[1], owner, line.mark);
    else drawSegment(canvas, last ?? here, here, owner);
    last = here;
  }
}

/**
 * Lines of text that show the curves, with an axis and a legend; none where there is nothing to draw.
 */
export function lineChart(lines: readonly ChartLine[], options: LineChartOptions): string[] {
  const { width, height, label, xName, xLabel, style } = options;
  const shown = lines.filter(({ points }) => points.some(isDrawn));
  const points = shown.flatMap((line) => line.points.filter(isDrawn));
  if (points.length === 0) return [];
  const [x, y] = [rangeOf(points.map(([at]) => at)), rangeOf(points.map(([, value]) => value))];
  const labels = Array.from({ length: height }, (_, i) =>
    i === 0 ? label(y.high) : i === height - 1 ? label(y.low) : "",
  );
  const margin = Math.max(...labels.map((text) => text.length));
  const columns = Math.max(8, width - margin - 2);
  const canvas = new Canvas(columns, height);
  const place = ([px, py]: Point): Point => [
    Math.round(((px - x.low) / (x.high - x.low)) * (columns * 2 - 1)),
    Math.round(((y.high - py) / (y.high - y.low)) * (height * 4 - 1)),
  ];
  for (const [i, line] of shown.entries()) drawLine(canvas, line, i, place);
  const paint = (text: string, owner: number) => style.series(owner, text);
  const rows = labels.map(
    (text, i) => `${style.dim(`${text.padStart(margin)} ┤`)}${canvas.row(i, paint)}`,
  );
  const [first, last] = [xName(x.low), `${xLabel} ${xName(x.high)}`];
  const gap = " ".repeat(Math.max(1, columns - first.length - last.length));
  const names = shown.map(({ name, mark }, i) => `${style.series(i, mark ?? "━")} ${name}`);
  return [
    ...rows,
    style.dim(`${" ".repeat(margin)} └${"─".repeat(columns)}`),
    style.dim(`${" ".repeat(margin + 2)}${first}${gap}${last}`),
    `${" ".repeat(margin + 2)}${names.join("   ")}`,
  ];
}
