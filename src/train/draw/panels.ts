/** Line charts beside and below one another on one paper. Read chart.ts for a panel. */
import { ValueError } from "../../core/errors.js";
import { drawPanel, type Line, type Panel } from "./chart.js";
import { drawing, look, seriesColour, textAt } from "./svg.js";

/** A line; without a colour it gets the next one of the palette. */
export type PanelLine = Omit<Line, "colour"> & { readonly colour?: string };

export type PanelSpec = Omit<Panel, "lines"> & { readonly lines: readonly PanelLine[] };

export interface PanelsOptions {
  readonly title: string;
  readonly subtitle?: string;
  /** Panels in a row; default 2. */
  readonly columns?: number;
  /** Of each panel, in pixels; default 520 × 340. */
  readonly width?: number;
  readonly height?: number;
}

const margin = 24;

/**
 * Draws line charts in a grid.
 *
 * @returns an SVG file as text, which a browser shows as it is.
 * @throws ValueError for no panel, or columns that are no whole number ≥ 1.
 * @example
 * ```ts
 * import { drawPanels } from "gradus/train";
 * const points = [0, 1, 2, 3].map((x) => [x, x ** 2] as const);
 * const panel = { title: "Squares", xLabel: "x", lines: [{ name: "x²", points }] };
 * console.log(drawPanels([panel], { title: "Powers" }).slice(0, 4)); // → <svg
 * ```
 */
export function drawPanels(panels: readonly PanelSpec[], options: PanelsOptions): string {
  const { title, subtitle, columns = 2, width = 520, height = 340 } = options;
  if (panels.length === 0) throw new ValueError("drawPanels", "got no panel");
  if (!Number.isInteger(columns) || columns < 1)
    throw new ValueError("drawPanels", `columns is ${columns}; expected a whole number ≥ 1`);
  const top = subtitle ? 84 : 64;
  const parts = [textAt(title, margin, 42, 22, { "font-weight": 700 })];
  if (subtitle) parts.push(textAt(subtitle, margin, 66, 14, { fill: look.pale }));
  for (const [i, panel] of panels.entries()) {
    const left = margin + (i % columns) * (width + margin);
    const upper = top + Math.floor(i / columns) * (height + margin);
    let next = 0;
    const lines = panel.lines.map(
      (line): Line => ({
        ...line,
        colour: line.colour ?? seriesColour(next++),
      }),
    );
    parts.push(drawPanel({ ...panel, lines }, { left, top: upper, width, height }));
  }
  const across = Math.min(columns, panels.length);
  const rows = Math.ceil(panels.length / columns);
  const total = margin + across * (width + margin);
  return drawing(total, top + rows * (height + margin), title, parts);
}
