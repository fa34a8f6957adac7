/** Tables of text: columns as wide as their longest cell, the least important left out where the screen is narrow. */

import type { Screen } from "./screen.js";
import { clip, plain } from "./style.js";

export interface Column {
  readonly title: string;
  readonly cells: readonly string[];
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Columns with higher numbers are left out first; 0 (default) always stays. */
  readonly rank?: number;
}

const gap = "  ";

/** Control characters, and those that turn the direction of writing: they could repaint the screen. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A text from a file as one line that is safe to print, at most `width` characters of it. */
export const printable = (text: string, width = 200): string =>
  clip(text.replace(unprintable, "�"), width);

/** JSON for other programs that may be printed as well: what could repaint the screen is escaped. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(unprintable, (sign) =>
    sign === "\n" ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const widthOf = ({ title, cells }: Column): number =>
  cells.reduce((most, cell) => Math.max(most, plain(cell).length), title.length);

const total = (columns: readonly Column[]): number =>
  columns.reduce((sum, column) => sum + widthOf(column) + gap.length, -gap.length);

/** Leaves out columns until the rest fits. */
function fitting(columns: readonly Column[], width: number): readonly Column[] {
  const ranks = [...new Set(columns.map(({ rank = 0 }) => rank))].sort((a, b) => b - a);
  let kept = columns;
  for (const worst of ranks) {
    if (worst === 0 || total(kept) <= width) break;
    kept = kept.filter(({ rank = 0 }) => rank !== worst);
  }
  return kept;
}

/** Prints a table; on a terminal it is made to fit, elsewhere everything is printed. */
export function printTable(screen: Screen, columns: readonly Column[], indent = ""): void {
  const width = screen.isLive ? screen.columns - indent.length : Number.POSITIVE_INFINITY;
  const kept = fitting(columns, width);
  const pad = (text: string, column: Column): string => {
    const room = " ".repeat(widthOf(column) - plain(text).length);
    return column.right ? room + text : text + room;
  };
  const row = (texts: readonly string[]): string => {
    const line =
      indent +
      texts
        .map((text, i) => pad(text, kept[i]!))
        .join(gap)
        .trimEnd();
    return screen.isLive ? clip(line, screen.columns) : line;
  };
  screen.line(screen.style.dim(row(kept.map(({ title }) => title))));
  const rows = kept[0]?.cells.length ?? 0;
  for (let i = 0; i < rows; i++) screen.line(row(kept.map(({ cells }) => cells[i]!)));
}
