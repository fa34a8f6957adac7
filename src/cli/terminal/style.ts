/** Colours and the few shapes that the terminal output is drawn with. */

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  accent(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  /** The colour of the i-th line of a chart. */
  series(i: number, text: string): string;
}

export interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a stream is a terminal that can redraw a line. */
export const isLive = (stream: Stream, environment: Environment): boolean =>
  stream.isTTY === true && environment.TERM !== "dumb";

/** Blue, yellow, magenta, cyan, green: neighbours differ for colour-blind people too. */
const seriesCodes = [34, 33, 35, 36, 32] as const;

/** Colours on a terminal, unless NO_COLOR is set (https://no-color.org); plain text elsewhere. */
export function styleFor(stream: Stream, environment: Environment): Style {
  const coloured = isLive(stream, environment) && !environment.NO_COLOR;
  const paint = (on: number, off: number) => (text: string) =>
    coloured ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    accent: paint(36, 39),
    good: paint(32, 39),
    bad: paint(31, 39),
    series: (i, text) => paint(seriesCodes[i % seriesCodes.length]!, 39)(text),
  };
}

/** A text without its colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences.
export const plain = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, "");

/** A bar of `width` characters, filled to `share` (0 to 1) in half steps. */
export function bar(share: number, width: number, style: Style): string {
  const halves = Math.round(Math.min(Math.max(share, 0), 1) * width * 2);
  const full = "━".repeat(halves >> 1) + (halves % 2 ? "╸" : "");
  return style.accent(full) + style.dim("─".repeat(width - Math.ceil(halves / 2)));
}

/** The first `width` columns of a text; colours count for nothing and are closed. */
export function clip(text: string, width: number): string {
  if (plain(text).length <= width) return text;
  let shown = 0;
  let result = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences.
  for (const [piece] of text.matchAll(/\x1b\[[0-9;]*m|[\s\S]/gu)) {
    if (piece.length > 1 && piece.startsWith("\x1b")) result += piece;
    else if (shown++ < width - 1) result += piece;
  }
  return `${result}…`;
}
