/** How much each parameter mattered, as bars. Read ../importance/fanova.ts for where the numbers come from. */
import { drawing, element, estimateWidth, look, textAt } from "../../train/draw/svg.js";
import { shortPath } from "./axes.js";

const [left, top, rowHeight, barHeight, barWidth] = [24, 100, 34, 18, 420];
const longestName = 32;

export interface ImportanceOptions {
  readonly title?: string;
}

/**
 * Draws shares of importance, the greatest on top.
 *
 * @param importance a share from 0 to 1 by each parameter's name.
 * @returns an SVG file as text.
 * @example
 * ```ts
 * import { drawImportance } from "gradus/tune";
 * console.log(drawImportance({ lr: 0.8, width: 0.2 }).includes("80%")); // → true
 * ```
 */
export function drawImportance(
  importance: Readonly<Record<string, number>>,
  { title }: ImportanceOptions = {},
): string {
  const rows = Object.entries(importance)
    .filter(([, share]) => Number.isFinite(share))
    .sort(([, a], [, b]) => b - a);
  const names = rows.map(([name]) => shortPath(name, longestName));
  const widest = Math.max(60, ...names.map((name) => estimateWidth(name, 13)));
  const from = left + 20 + widest + 12;
  const width = from + barWidth + 100;
  const height = top + Math.max(1, rows.length) * rowHeight + 40;
  const name = title ? `Importance in ${title}` : "Importance";
  const card = { x: left - 8, y: 82, width: width - 2 * left + 16, height: height - 100, rx: 8 };
  const parts = [
    textAt(name, left, 42, 22, { "font-weight": 700 }),
    textAt("how much of the value's spread each parameter explains", left, 66, 14, {
      fill: look.pale,
    }),
    element("rect", { ...card, fill: look.card, stroke: look.rim }),
  ];
  const most = Math.max(1e-12, ...rows.map(([, share]) => share));
  for (const [i, [, share]] of rows.entries()) {
    const y = top + i * rowHeight;
    const size = Math.max(1, (Math.max(0, share) / most) * barWidth);
    const bar = { x: from, y, width: size, height: barHeight, rx: 3, fill: look.blue };
    parts.push(
      textAt(names[i]!, from - 12, y + 14, 13, { "text-anchor": "end" }),
      element("rect", bar),
      textAt(`${Number((share * 100).toFixed(1))}%`, from + size + 8, y + 14, 13),
    );
  }
  if (rows.length === 0)
    parts.push(textAt("too few trials to tell", left + 20, top + 16, 14, { fill: look.pale }));
  return drawing(width, height, name, parts);
}
