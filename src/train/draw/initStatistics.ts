/** The picture of activations and gradients by layer. Read chart.ts for its pieces. */
import { ValueError } from "../../core/errors.js";
import type { LayerStatistics, Spread } from "../initStatistics.js";
import { drawPanel, type Line, type Panel, type Point } from "./chart.js";
import { drawing, element, look, seriesColour, textAt } from "./svg.js";

export interface DrawInitOptions {
  readonly title?: string;
  readonly subtitle?: string;
}

const [panelWidth, panelHeight, margin] = [520, 320, 24];
const [cell, rowHeight, labelHeight] = [120, 96, 34];
const maxCells = 8;

function stdPanel(
  title: string,
  entries: readonly (readonly [string, readonly LayerStatistics[]])[],
  spread: (layer: LayerStatistics) => Spread,
): Panel {
  const lines = entries.map(([name, layers], i): Line => {
    const points = layers.map((layer, k): Point => [k + 1, spread(layer).std]);
    return { name, points, colour: seriesColour(i), dots: layers.length <= 30 };
  });
  return { title, xLabel: "layer", lines, wholeX: true, yKind: "log" };
}

/** Two digits, with an exponent where there would be many zeros. */
const short = (x: number): string =>
  x !== 0 && Math.abs(x) < 1e-3 ? x.toExponential(0) : String(Number(x.toPrecision(2)));

/** Bars of one histogram over its own range, without exact zeros; the highest fills the height. */
function histogram(
  { counts, zeros, least, greatest }: Spread,
  left: number,
  top: number,
  fill: string,
) {
  const height = rowHeight - 40;
  const width = (cell - 12) / counts.length;
  const most = Math.max(...counts);
  const bars = counts.map((count, i) => {
    const h = most > 0 ? (count / most) * height : 0;
    const place = { x: left + i * width, y: top + height - h, width: width + 0.3, height: h };
    return element("rect", { ...place, fill });
  });
  const ends = [least, greatest].map(short).join(" … ");
  const range = zeros > 0.005 ? `${ends}, ${(zeros * 100).toFixed(0)}% zeros` : ends;
  const label = textAt(range, left + (cell - 12) / 2, top + height + 14, 10, {
    "text-anchor": "middle",
    fill: look.pale,
  });
  return [...bars, label].join("\n");
}

/** Layers to show: all, or some from the first to the last. */
function chosen(count: number): number[] {
  if (count <= maxCells) return Array.from({ length: count }, (_, i) => i);
  const step = (count - 1) / (maxCells - 1);
  return Array.from({ length: maxCells }, (_, i) => Math.round(i * step));
}

/**
 * Draws the standard deviations of activations and gradients by layer for one initialisation or several, by name, and histograms of the
 * activations below.
 *
 * @returns an SVG file as text, which a browser shows as it is.
 * @throws ValueError for no initialisation.
 * @example
 * ```ts
 * import { drawInitStatistics, initStatistics } from "gradus/train";
 * const kaiming = initStatistics({ init: "kaimingNormal", layers: 3, width: 32 });
 * console.log(drawInitStatistics({ kaiming }).slice(0, 4)); // → <svg
 * ```
 */
export function drawInitStatistics(
  statistics: Readonly<Record<string, readonly LayerStatistics[]>>,
  { title = "Activations and gradients by layer", subtitle }: DrawInitOptions = {},
): string {
  const entries = Object.entries(statistics);
  if (entries.length === 0 || entries.some(([, layers]) => layers.length === 0))
    throw new ValueError("drawInitStatistics", "got no layers");
  const top = subtitle ? 84 : 64;
  const panels = [
    stdPanel("Standard deviation of activations", entries, ({ activation }) => activation),
    stdPanel("Standard deviation of gradients", entries, ({ gradient }) => gradient),
  ];
  const parts = [textAt(title, margin, 42, 22, { "font-weight": 700 })];
  if (subtitle) parts.push(textAt(subtitle, margin, 66, 14, { fill: look.pale }));
  panels.forEach((panel, i) => {
    const left = margin + i * (panelWidth + margin);
    parts.push(drawPanel(panel, { left, top, width: panelWidth, height: panelHeight }));
  });
  let y = top + panelHeight + margin;
  for (const [i, [name, layers]] of entries.entries()) {
    parts.push(textAt(`${name}: activations`, margin, y + 18, 14, { "font-weight": 600 }));
    for (const [k, layer] of chosen(layers.length).entries()) {
      const left = margin + k * cell;
      const place = { x: left + (cell - 12) / 2, y: y + labelHeight };
      parts.push(
        textAt(`layer ${layer + 1}`, place.x, place.y, 11, { "text-anchor": "middle" }),
        histogram(layers[layer]!.activation, left, place.y + 6, seriesColour(i)),
      );
    }
    y += rowHeight + labelHeight;
  }
  const width = margin + panels.length * (panelWidth + margin);
  return drawing(width, y + margin, title, parts);
}
