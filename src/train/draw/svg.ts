/**
 * The pieces that drawings in SVG share: escaping, numbers, text and the look. Fonts are the
 * reader's own, so a drawing is one file. Read chart.ts next.
 */

export const look = {
  paper: "#fafaf8",
  card: "#ffffff",
  rim: "#dededa",
  grid: "#ecece8",
  ink: "#1c2026",
  pale: "#6b727b",
  blue: "#2563b8",
  orange: "#d9691e",
  red: "#c8302c",
  green: "#2c8a57",
  violet: "#7b4bb3",
  font: "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, 'DejaVu Sans', sans-serif",
} as const;

const series = [
  ...[look.blue, look.orange, look.red, look.green, look.violet, look.ink, look.pale],
  ...["#12909c", "#a9791c", "#b8478f"],
] as const;

/** The colour of the i-th line of a chart. */
export const seriesColour = (i: number): string => series[i % series.length]!;

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them, even escaped.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

/** Makes any text safe inside an element or an attribute. */
export const escapeXml = (text: string): string =>
  text.replace(forbidden, "?").replace(/[&<>"]/g, (character) => entities[character]!);

/** A coordinate with at most two decimals. */
export const coordinate = (value: number): string => String(Math.round(value * 100) / 100);

export type Attributes = Readonly<Record<string, string | number>>;

/** An element; numbers among its attributes are written as coordinates. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => {
      const text = typeof value === "number" ? coordinate(value) : escapeXml(value);
      return ` ${key}="${text}"`;
    })
    .join("");
  return content === "" ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

export const textAt = (
  text: string,
  x: number,
  y: number,
  size: number,
  attributes: Attributes = {},
): string => element("text", { x, y, "font-size": size, ...attributes }, escapeXml(text) || " ");

/** The whole drawing on its paper; `title` is read out to those who cannot see it. */
export function drawing(
  width: number,
  height: number,
  title: string,
  parts: readonly string[],
): string {
  const root = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${coordinate(width)} ${coordinate(height)}`,
    width,
    height,
    role: "img",
    "aria-label": title,
    "font-family": look.font,
    fill: look.ink,
  };
  const paper = element("rect", { width, height, fill: look.paper });
  return `${element("svg", root, `\n${[paper, ...parts].join("\n")}\n`)}\n`;
}

/** Shares of the font's size: wide letters, narrow ones, all others. */
const letterWidth = (letter: string): number => {
  if (/[mwMW%—…]/.test(letter)) return 0.9;
  return /[iljtfr.,:;'| 1]/.test(letter) ? 0.42 : 0.62;
};

/** About how wide a text will be: fonts differ, so leave some room. */
export const estimateWidth = (text: string, size: number): number =>
  size * Array.from(text).reduce((sum, letter) => sum + letterWidth(letter), 0);
