/**
 * A confusion matrix as one SVG file: what each class was taken for. Read svg.ts for the drawing.
 */
import { ShapeError, ValueError } from "../../core/errors.js";
import { coordinate, drawing, element, escapeXml, estimateWidth, look, textAt } from "./svg.js";

export interface ConfusionOptions {
  readonly title?: string;
}

const [margin, headerHeight] = [28, 92];
const maxNameWidth = 150;

/**
 * Draws a confusion matrix: row r, column c counts the examples of class r that were taken for
 * class c. A cell's colour is its share of the row, blue where it is right and red where it is
 * wrong; at the end of a row stands the share that was right.
 *
 * @returns an SVG file as text.
 * @throws ShapeError where the matrix is not square or names do not fit; ValueError for what is not
 * a count.
 * @example
 * ```ts
 * import { confusionSvg } from "gradus/train";
 * const svg = confusionSvg([[9, 1], [2, 8]], ["cat", "dog"], { title: "Cats and dogs" });
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function confusionSvg(
  matrix: readonly ArrayLike<number>[],
  names: readonly string[],
  options: ConfusionOptions = {},
): string {
  checkMatrix(matrix, names);
  const classes = matrix.length;
  const cell = Math.max(18, Math.min(56, Math.floor(680 / classes)));
  const font = Math.max(7, Math.min(14, cell * 0.3));
  const nameFont = Math.max(9, Math.min(13, cell * 0.55));
  const longest = Math.max(...names.map((name) => estimateWidth(name, nameFont)));
  const nameWidth = Math.min(maxNameWidth, longest) + 14;
  // Names that fit over their column stand there; longer ones are turned.
  const turned = longest > cell - 4;
  const left = margin + 22 + nameWidth;
  const top = headerHeight + 22 + (turned ? nameWidth : 20);
  const side = classes * cell;
  const title = options.title ?? "Confusion matrix";
  const place: Place = { left, top, cell, font, nameFont, turned, side };
  const parts = [
    textAt(title, margin, 42, 22, { "font-weight": 700 }),
    textAt(summary(matrix), margin, 66, 14, { fill: look.pale }),
    drawLabels(names, place),
    drawGrid(classes, place),
    ...matrix.map((row, r) => drawRow(row, r, names, place)),
  ];
  const least = margin * 2 + estimateWidth(title, 22) + 20;
  return drawing(Math.max(left + side + 70 + margin, least), top + side + margin, title, parts);
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly cell: number;
  readonly font: number;
  readonly nameFont: number;
  readonly turned: boolean;
  readonly side: number;
}

function checkMatrix(matrix: readonly ArrayLike<number>[], names: readonly string[]): void {
  const op = "confusionSvg";
  const rows = matrix.length;
  const odd = matrix.findIndex((row) => row.length !== rows);
  if (rows === 0) throw new ShapeError(op, "the matrix is empty; expected [C, C]");
  if (odd >= 0)
    throw new ShapeError(op, `row ${odd} has ${matrix[odd]!.length} counts; expected ${rows}`);
  if (names.length !== rows) throw new ShapeError(op, `${names.length} names for ${rows} classes`);
  for (const row of matrix)
    for (const count of Array.from(row))
      if (!(Number.isFinite(count) && count >= 0))
        throw new ValueError(op, `the matrix holds ${count}; expected counts ≥ 0`);
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

/** Targets of probabilities count by their share, so that a count may have decimals. */
const grouped = (n: number): string =>
  String(Math.round(n * 100) / 100).replace(/\B(?=(\d{3})+$)/g, ",");

function summary(matrix: readonly ArrayLike<number>[]): string {
  const total = matrix.reduce((count, row) => count + sum(row), 0);
  const hits = matrix.reduce((count, row, i) => count + row[i]!, 0);
  if (total === 0) return "no examples yet";
  return `${grouped(hits)} of ${grouped(total)} right (${((100 * hits) / total).toFixed(2)}%)`;
}

function drawLabels(names: readonly string[], place: Place): string {
  const { left, top, cell, nameFont, turned, side } = place;
  const parts = names.flatMap((name, i) => {
    const middle = (i + 0.5) * cell;
    const [x, y] = [left + middle, top - 8];
    const over = turned
      ? { transform: `rotate(-90 ${x + nameFont * 0.35} ${y})`, "text-anchor": "start" }
      : { "text-anchor": "middle" };
    const shown = shorten(name, nameFont);
    return [
      textAt(shown, left - 8, top + middle + nameFont * 0.35, nameFont, { "text-anchor": "end" }),
      textAt(shown, turned ? x + nameFont * 0.35 : x, y, nameFont, over),
    ];
  });
  const axis = { fill: look.pale, "text-anchor": "middle" };
  const [x, y] = [margin + 8, top + side / 2];
  parts.push(textAt("predicted", left + side / 2, headerHeight + 8, 12.5, axis));
  parts.push(textAt("true", x, y, 12.5, { ...axis, transform: `rotate(-90 ${x} ${y})` }));
  const end = { fill: look.pale, "text-anchor": "start" };
  parts.push(textAt("right", left + side + 10, top - 8, nameFont, end));
  return parts.join("\n");
}

function drawGrid(classes: number, { left, top, cell, side }: Place): string {
  const box = { x: left, y: top, width: side, height: side, fill: look.card, stroke: look.rim };
  const lines = Array.from({ length: classes - 1 }, (_, i) => {
    const [x, y] = [coordinate(left + (i + 1) * cell), coordinate(top + (i + 1) * cell)];
    const [x0, y0, length] = [left, top, side].map(coordinate);
    return `M${x} ${y0}v${length}M${x0} ${y}h${length}`;
  });
  const grid = element("path", { d: lines.join(""), stroke: look.grid });
  return element("rect", box) + (lines.length > 0 ? grid : "");
}

function shorten(name: string, size: number): string {
  const fits = Math.floor(maxNameWidth / (size * 0.56));
  return name.length <= fits ? name : `${name.slice(0, fits - 1)}…`;
}

function drawRow(
  row: ArrayLike<number>,
  r: number,
  names: readonly string[],
  place: Place,
): string {
  const { left, top, cell, font, side } = place;
  const total = sum(row);
  const y = top + r * cell;
  const baseline = y + cell / 2 + font * 0.36;
  const parts: string[] = Array.from(row, (count, c) => {
    if (count === 0) return "";
    const share = total === 0 ? 0 : count / total;
    const x = left + c * cell;
    const rect = {
      x,
      y,
      width: cell,
      height: cell,
      fill: cellColour(share, r === c),
      stroke: look.grid,
    };
    const text = `${names[r]} taken for ${names[c]}: ${count} (${(share * 100).toFixed(1)}%)`;
    const tip = element("title", {}, escapeXml(text));
    const number = writeCount(count, share, r === c, x + cell / 2, baseline, place);
    return element("rect", rect, tip) + number;
  });
  if (total > 0) {
    const recall = `${((100 * row[r]!) / total).toFixed(1)}%`;
    parts.push(textAt(recall, left + side + 10, baseline, Math.max(font, 9), { fill: look.pale }));
  }
  return parts.join("\n");
}

function writeCount(
  count: number,
  share: number,
  right: boolean,
  x: number,
  y: number,
  { cell, font }: Place,
): string {
  const text = String(count);
  const size = Math.min(font, (cell - 2) / (text.length * 0.6));
  const dark = darkness(share, right) > 0.5;
  const style = { "text-anchor": "middle", fill: dark ? look.card : look.ink };
  // The rectangle below answers the pointer with its title.
  return textAt(text, x, y, size, { ...style, "pointer-events": "none" });
}

/**
 * How strong a cell's colour is, 0 to 1. Mistakes are few: a share of a fifth is as strong as can
 * be.
 */
const darkness = (share: number, right: boolean): number =>
  right ? share * 0.9 : Math.min(1, share * 5) ** 0.6 * 0.85;

function cellColour(share: number, right: boolean): string {
  const strong = right ? [37, 99, 184] : [200, 48, 44];
  const amount = darkness(share, right);
  const mixed = strong.map((channel) => Math.round(255 + (channel - 255) * amount));
  return `rgb(${mixed.join(",")})`;
}
