/**
 * A picture of what a classifier got wrong: the misread images in a grid, the ones it was surest of
 * first, each with what it is and what it was taken for. Read raster.ts for the drawing.
 */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { ArrayData } from "../../io/arrayData.js";
import type { PixelImage } from "../../io/png.js";
import { fitText, fontHeight, textWidth } from "./font.js";
import { type Colour, Raster } from "./raster.js";

export interface MistakesOptions {
  /** `[N, H, W]`, `[N, 1, H, W]` or `[N, 3, H, W]`; uint8, or numbers from 0 to 1. */
  readonly images: ArrayData;
  /** The true class of each image. */
  readonly labels: ArrayLike<number>;
  /** The class that was predicted for each image. */
  readonly predictions: ArrayLike<number>;
  /** The probability that each prediction was given, 0 to 1. */
  readonly confidences: ArrayLike<number>;
  /** What classes are called; their numbers if left out. */
  readonly classNames?: readonly string[];
  /** The first words of the title, such as the model and the data. */
  readonly title?: string;
  /** At most so many images; default 60. */
  readonly limit?: number;
}

interface Mistake {
  readonly index: number;
  readonly truth: string;
  readonly guess: string;
  readonly confidence: string;
}

const paper: Colour = [250, 250, 248];
const card: Colour = [255, 255, 255];
const rim: Colour = [222, 222, 218];
const ink: Colour = [28, 32, 38];
const pale: Colour = [124, 130, 138];
const right: Colour = [22, 124, 82];
const wrong: Colour = [200, 48, 44];

const [margin, gap, padding] = [28, 14, 10];
/** Room for ten of MNIST's images beside one another. */
const wantedWidth = 1446;
const [titleScale, captionScale] = [3, 2];
/**
 * Images are enlarged by whole pixels to about this side, and captions get at least as much room.
 */
const wantedSide = 112;
const captionHeight = fontHeight * captionScale;

/**
 * Draws the wrongly classified images, the most confident mistakes first, as red-green-blue pixels.
 * A run without mistakes gives a picture that says so.
 *
 * @throws ShapeError where labels, predictions or confidences are not one an image.
 * @example
 * ```ts
 * import { encodePng } from "gradus/io";
 * import { mistakesPicture } from "gradus/train";
 * const pixels = new Uint8Array([0, 255, 255, 0]);
 * const images = { shape: [1, 2, 2], dtype: "uint8", data: pixels } as const;
 * const wrong = { images, labels: [7], predictions: [1], confidences: [0.98] };
 * const png = await encodePng(mistakesPicture({ ...wrong, title: "LeNet" }));
 * console.log(png.length > 100); // → true
 * ```
 */
export function mistakesPicture(options: MistakesOptions): PixelImage {
  const layout = imageLayout(options.images);
  checkCounts(options, layout.count);
  const indices = Array.from({ length: layout.count }, (_, i) => i)
    .filter((i) => options.labels[i] !== options.predictions[i])
    .sort((a, b) => options.confidences[b]! - options.confidences[a]! || a - b);
  const shown = indices.slice(0, options.limit ?? 60).map((i) => describe(options, i));
  const headings = makeHeadings(options, layout.count, indices.length, shown.length);
  return drawSheet(options.images, layout, shown, headings);
}

interface ImageLayout {
  readonly count: number;
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
}

function imageLayout({ shape }: ArrayData): ImageLayout {
  const [count, ...rest] = shape;
  const [channels, height, width] = rest.length === 2 ? [1, ...rest] : rest;
  if (
    rest.length < 2 ||
    rest.length > 3 ||
    (channels !== 1 && channels !== 3) ||
    !height ||
    !width
  ) {
    throw new ShapeError(
      "mistakesPicture",
      `images are ${formatShape(shape)}; expected [N, H, W], [N, 1, H, W] or [N, 3, H, W]`,
    );
  }
  return { count: count!, channels, height, width };
}

function checkCounts(options: MistakesOptions, count: number): void {
  for (const name of ["labels", "predictions", "confidences"] as const) {
    const { length } = options[name];
    if (length !== count)
      throw new ShapeError("mistakesPicture", `${length} ${name} for ${count} images`);
  }
  const limit = options.limit ?? 1;
  if (!Number.isInteger(limit) || limit < 1)
    throw new ValueError("mistakesPicture", `limit is ${limit}; expected a whole number ≥ 1`);
}

function describe(
  { labels, predictions, confidences, classNames }: MistakesOptions,
  index: number,
) {
  const name = (label: number) => classNames?.[label] ?? String(label);
  const percent = confidences[index]! * 100;
  // 99.96 % is not 100 %.
  const confidence = `${percent < 100 ? Math.min(99, Math.round(percent)) : 100}%`;
  return { index, truth: name(labels[index]!), guess: name(predictions[index]!), confidence };
}

interface Headings {
  readonly title: string;
  readonly line: string;
}

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

function makeHeadings(
  { title }: MistakesOptions,
  count: number,
  wrongCount: number,
  shown: number,
): Headings {
  const percent = count === 0 ? 0 : (100 * wrongCount) / count;
  const counts = `${grouped(wrongCount)} of ${grouped(count)} wrong (${percent.toFixed(2)}%)`;
  const line =
    shown === 0
      ? "Every image was classified rightly."
      : `true → predicted, with the model's confidence; surest mistakes first${
          shown < wrongCount ? `, the first ${shown}` : ""
        }`;
  return { title: title ? `${title}: ${counts}` : counts, line };
}

/**
 * Where things go on one card: the image on top, then one line of caption, or two where names are
 * long.
 */
function cardLayout({ width, height }: ImageLayout, shown: readonly Mistake[]) {
  const scale = Math.max(1, Math.round(wantedSide / Math.max(width, height)));
  const oneLine = (m: Mistake) => textWidth(`${m.truth} → ${m.guess}  ${m.confidence}`);
  const twoLines = (m: Mistake) =>
    Math.max(textWidth(m.truth), textWidth(`→ ${m.guess}  ${m.confidence}`));
  const widest = (measure: (m: Mistake) => number) =>
    Math.max(0, ...shown.map(measure)) * captionScale;
  const room = Math.max(width * scale, wantedSide);
  const lines = widest(oneLine) <= room ? 1 : 2;
  const inner = Math.max(
    width * scale,
    Math.min(widest(lines === 1 ? oneLine : twoLines), room * 1.6),
  );
  return {
    scale,
    lines,
    width: Math.ceil(inner) + 2 * padding,
    height: height * scale + lines * (captionHeight + 4) + 2 * padding + 4,
  };
}

type CardLayout = ReturnType<typeof cardLayout>;

function drawSheet(
  images: ArrayData,
  layout: ImageLayout,
  shown: readonly Mistake[],
  { title, line }: Headings,
): PixelImage {
  const place = cardLayout(layout, shown);
  const fitting = Math.max(1, Math.floor((wantedWidth + gap) / (place.width + gap)));
  const columns = Math.min(fitting, Math.max(shown.length, 1));
  const rows = Math.ceil(shown.length / columns);
  const header = margin + titleScale * fontHeight + 10 + captionHeight + 18;
  const grid = columns * (place.width + gap) - gap;
  const text = Math.max(textWidth(title) * titleScale, textWidth(line) * captionScale);
  // Long titles widen the sheet up to what a full row takes anyway, then they are cut.
  const inner = Math.max(grid, Math.min(text, wantedWidth));
  const height = header + rows * (place.height + gap) - (rows > 0 ? gap : 18) + margin;
  const canvas = new Raster(inner + 2 * margin, height, paper);
  canvas.text(fitText(title, Math.floor(inner / titleScale)), margin, margin, titleScale, ink);
  const lineTop = margin + titleScale * fontHeight + 10;
  canvas.text(fitText(line, Math.floor(inner / captionScale)), margin, lineTop, captionScale, pale);
  shown.forEach((mistake, i) => {
    const left = margin + (i % columns) * (place.width + gap);
    const top = header + Math.floor(i / columns) * (place.height + gap);
    const pixels = pixelsOf(images, layout, mistake.index);
    drawCard(canvas, mistake, pixels, layout.width, place, left, top);
  });
  return canvas.finish();
}

function drawCard(
  canvas: Raster,
  { truth, guess, confidence }: Mistake,
  pixels: Uint8Array,
  imageWidth: number,
  place: CardLayout,
  left: number,
  top: number,
): void {
  canvas.fill(left, top, place.width, place.height, rim);
  canvas.fill(left + 1, top + 1, place.width - 2, place.height - 2, card);
  const indent = Math.floor((place.width - imageWidth * place.scale) / 2);
  canvas.image(pixels, imageWidth, left + indent, top + padding, place.scale);
  const step = captionHeight + 4;
  const [x, y] = [left + padding, top + place.height - padding - place.lines * step + 4];
  const room = Math.floor((place.width - 2 * padding) / captionScale);
  const percentX = left + place.width - padding - textWidth(confidence) * captionScale;
  const write = (text: string, at: number, line: number, colour: Colour) =>
    canvas.text(text, at, y + line * step, captionScale, colour);
  const arrow = "→ ";
  const arrowWidth = (textWidth("→") + 5) * captionScale;
  const last = place.lines - 1;
  const start = place.lines === 1 ? x + (textWidth(truth) + 5) * captionScale : x;
  write(fitText(truth, room), x, 0, right);
  write(arrow, start, last, pale);
  const guessRoom = Math.floor((percentX - start - arrowWidth) / captionScale) - 3;
  write(fitText(guess, guessRoom), start + arrowWidth, last, wrong);
  write(confidence, percentX, last, pale);
}

/**
 * One image as `[height, width, 3]` bytes; numbers are taken as 0 (black) to 1 (white) and cut off
 * there.
 */
function pixelsOf({ dtype, data }: ArrayData, layout: ImageLayout, index: number): Uint8Array {
  const plane = layout.width * layout.height;
  const start = index * plane * layout.channels;
  const byte = dtype === "uint8" ? 1 : 255;
  const result = new Uint8Array(plane * 3);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      const value = data[start + (layout.channels === 3 ? c * plane : 0) + i]! * byte;
      result[i * 3 + c] = Math.round(Math.min(255, Math.max(0, value)));
    }
  }
  return result;
}
