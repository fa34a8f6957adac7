/**
 * Makes any picture one like those a classifier was trained on: light on dark where they were, as large in its frame, grey.
 * Says what it changed. Node only. Read ../classifier.ts for what takes it.
 */
import { FormatError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import { readImage } from "../../io/decodeImage.js";
import { readGreyscale } from "../../io/images.js";
import type { ModelCard } from "../classifier.js";
import { borderPixels } from "../imageStatistics.js";

/** A picture that is ready for a classifier. */
export interface PreparedPicture {
  /** float32 [1, H, W], or [1, 3, H, W] for a classifier of colours; 0 to 1. */
  readonly image: ArrayData;
  /** What was done to it, for people: `inverted`, `framed`, `stretched`. */
  readonly changes: readonly PictureChange[];
  /** Whether the picture shows one grey only. */
  readonly isBlank: boolean;
}

/**
 * `inverted`: dark on light became light on dark, or the other way round; `framed`: the drawing was cut out and set as large
 * as the training pictures' are; `stretched`: a grey background was made as the training pictures' is.
 */
export type PictureChange = "inverted" | "framed" | "stretched";

/** Pictures are looked at in this many pixels a side, so that small drawings stay sharp. */
const side = 448;
/** A drawing is what stands out from the background by this share of the strongest contrast. */
const inkShare = 0.3;
const [leastContrast, frameTolerance, greyTolerance] = [0.05, 0.15, 0.06];

type Pixels = Float32Array;

interface Look {
  /** Grey of the outermost pixels. */
  readonly background: number;
  /** The greatest difference from it. */
  readonly contrast: number;
}

const edges = borderPixels(side, side);

function lookAt(pixels: Pixels): Look {
  const border = edges.map((i) => pixels[i]!).sort((a, b) => a - b);
  const background = border[border.length >> 1]!;
  const contrast = pixels.reduce((most, value) => Math.max(most, Math.abs(value - background)), 0);
  return { background, contrast };
}

/** Transparent parts are taken as white, or as black where all that is drawn is white. */
async function findBackground(path: string): Promise<Look> {
  const size = { width: side, height: side, fit: "fill" } as const;
  const onWhite = lookAt((await readGreyscale(path, { ...size, background: 1 })).data);
  if (onWhite.contrast >= leastContrast) return onWhite;
  return lookAt((await readGreyscale(path, { ...size, background: 0 })).data);
}

/**
 * Reads a picture for a classifier.
 *
 * @throws FormatError naming the file for one that is damaged or no picture; FileError where it cannot be read.
 */
export async function readPicture(path: string, card: ModelCard): Promise<PreparedPicture> {
  if (card.channels !== 1) return await readColours(path, card);
  const { background, contrast } = await findBackground(path);
  const invert = background > 0.5 !== card.background > 0.5;
  const changes: PictureChange[] = invert ? ["inverted"] : [];
  const read = async (width: number, height: number): Promise<Pixels> =>
    (await readGreyscale(path, { width, height, background, invert })).data;
  const shape = [1, card.height, card.width];
  const wrap = (data: Pixels): ArrayData => ({ shape, dtype: "float32", data });
  if (contrast < leastContrast)
    return { image: wrap(await read(card.width, card.height)), changes, isBlank: true };
  const large = await read(side, side);
  const ground = invert ? 1 - background : background;
  const box = findDrawing(large, ground, contrast);
  let pixels: Pixels;
  if (Math.abs(box.size / side - card.extent) > frameTolerance) {
    changes.push("framed");
    pixels = frame(large, ground, box, card);
  } else pixels = await read(card.width, card.height);
  if (ground - card.background > greyTolerance && card.background < 0.5) {
    changes.push("stretched");
    pixels = pixels.map((value) => Math.max(0, (value - ground) / Math.max(1 - ground, 0.1)));
  }
  return { image: wrap(pixels), changes, isBlank: false };
}

/** A photograph has neither drawing nor background: it is only brought to size. */
async function readColours(path: string, card: ModelCard): Promise<PreparedPicture> {
  const { channels, height, width } = card;
  if (channels !== 3)
    throw new FormatError("readPicture", `${path}: the network takes ${channels} channels, not 3`);
  const { data } = await readImage(path, { size: [height, width] });
  const pixels = Float32Array.from(data, (byte) => byte / 255);
  const image: ArrayData = { shape: [1, 3, height, width], dtype: "float32", data: pixels };
  return { image, changes: [], isBlank: pixels.every((value) => value === pixels[0]) };
}

interface Box {
  readonly centerX: number;
  readonly centerY: number;
  /** The longer side, in pixels. */
  readonly size: number;
}

function findDrawing(pixels: Pixels, ground: number, contrast: number): Box {
  let [left, right, top, bottom] = [side, 0, side, 0];
  pixels.forEach((value, i) => {
    if (Math.abs(value - ground) < inkShare * contrast) return;
    const [y, x] = [Math.floor(i / side), i % side];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
  });
  return {
    centerX: (left + right) / 2,
    centerY: (top + bottom) / 2,
    size: Math.max(right - left, bottom - top, 1),
  };
}

/** Scales the drawing to the classifier's frame; each pixel is the mean of those that fall on it. */
function frame(pixels: Pixels, ground: number, box: Box, card: ModelCard): Pixels {
  const { height, width, extent } = card;
  const step = box.size / (extent * Math.max(height, width));
  const out = new Float32Array(height * width);
  const span = (center: number, at: number, length: number): [from: number, to: number] => {
    const from = Math.round(center + (at - length / 2) * step);
    return [from, Math.max(from + 1, Math.round(center + (at + 1 - length / 2) * step))];
  };
  for (let i = 0; i < out.length; i++) {
    const [top, bottom] = span(box.centerY, Math.floor(i / width), height);
    const [left, right] = span(box.centerX, i % width, width);
    let sum = 0;
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) {
        const isInside = y >= 0 && y < side && x >= 0 && x < side;
        sum += isInside ? pixels[y * side + x]! : ground;
      }
    out[i] = sum / ((bottom - top) * (right - left));
  }
  return out;
}
