/** Leaves the pictures of a lab in its folder: charts as SVG, sheets of pictures as PNG. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "gradus";
import { type PixelImage, writeFileAtomic, writePng } from "gradus/io";
import { templateImages } from "gradus/linear";
import {
  drawPanels,
  drawSheet,
  type PanelSpec,
  type PanelsOptions,
  type SheetOptions,
  type Tile,
} from "gradus/train";
import type { LabOptions } from "./lab.js";

/** Writes an SVG drawing as `NAME.svg`; nothing without a folder. */
export function saveSvg({ out, log }: LabOptions, name: string, svg: string): void {
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  const path = join(out, `${name}.svg`);
  writeFileAtomic(path, new TextEncoder().encode(svg));
  log?.(`Picture: ${path}`);
}

/** Draws line charts as `NAME.svg`. */
export const savePanels = (
  options: LabOptions,
  name: string,
  panels: readonly PanelSpec[],
  look: PanelsOptions,
): void => saveSvg(options, name, drawPanels(panels, look));

/** Writes a picture as `NAME.png`; nothing without a folder. */
export async function savePicture(
  { out, log }: LabOptions,
  name: string,
  picture: PixelImage,
): Promise<void> {
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  const path = join(out, `${name}.png`);
  await writePng(path, picture);
  log?.(`Picture: ${path}`);
}

/** Draws pictures with captions as `NAME.png`. */
export const saveSheet = (
  options: LabOptions,
  name: string,
  tiles: readonly Tile[],
  look: SheetOptions,
): Promise<void> => savePicture(options, name, drawSheet(tiles, look));

/** Draws what each class of a linear classifier looks for as `NAME.png`. */
export async function saveTemplates(
  options: LabOptions,
  weight: Tensor,
  shape: readonly number[],
  classNames: readonly string[],
  name = "templates",
): Promise<void> {
  const images = templateImages(weight.detach(), shape);
  const tiles = classNames.map((caption, i) => ({ image: images.select(0, i), caption }));
  await saveSheet(options, name, tiles, { columns: 5, title: "What each class looks for" });
}
