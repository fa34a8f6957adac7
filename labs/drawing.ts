/** Pictures of what an experiment learned, as PNG files. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "gradus";
import { writePng } from "gradus/io";
import { templateImages } from "gradus/linear";
import { drawSheet } from "gradus/train";

/** Draws what each class of a linear classifier looks for. */
export async function saveTemplates(
  folder: string,
  weight: Tensor,
  shape: readonly number[],
  classNames: readonly string[],
): Promise<string> {
  const images = templateImages(weight.detach(), shape);
  const tiles = classNames.map((caption, i) => ({ image: images.select(0, i), caption }));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "templates.png");
  await writePng(path, drawSheet(tiles, { columns: 5, title: "What each class looks for" }));
  return path;
}
