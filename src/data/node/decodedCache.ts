/**
 * Decoded pictures of an archive as one file, so that only the first run decodes: named by the archive's place, size and time and by how
 * it was decoded. Node only. Read imageArchive.ts for its use.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import type { ArrayData } from "../../io/arrayData.js";
import { loadNpz, saveNpz } from "../../io/npyFile.js";
import { warnNotKept } from "./notKept.js";

export interface Decoded {
  /** uint8 [N, C, H, W]. */
  readonly images: ArrayData;
  /** The pictures' names in the archive. */
  readonly files: readonly string[];
}

/**
 * Where an archive's decoded pictures are kept; undefined where the archive is not there. To be asked before the archive is read: one
 * that is replaced meanwhile must not be kept under the new one's name.
 */
export function placeOfDecoded(folder: string, archive: string, facts: object): string | undefined {
  const stat = fs.statSync(archive, { throwIfNoEntry: false });
  if (!stat) return undefined;
  const key = JSON.stringify([1, fs.realpathSync(archive), stat.size, stat.mtimeMs, facts]);
  const name = createHash("sha256").update(key).digest("hex").slice(0, 32);
  return join(folder, `${name}.npz`);
}

/** Names one after another, with a line's end behind each. */
function parseNames(names: ArrayData | undefined): string[] | undefined {
  if (!names || !(names.data instanceof Uint8Array)) return undefined;
  return new TextDecoder().decode(names.data).split("\n").slice(0, -1);
}

/** What was kept; undefined where there is nothing, or nothing whole. */
export async function readDecoded(place: string): Promise<Decoded | undefined> {
  if (!fs.existsSync(place)) return undefined;
  try {
    const arrays = await loadNpz(place);
    const images = arrays.get("images");
    const files = parseNames(arrays.get("files"));
    const isWhole =
      images?.dtype === "uint8" && images.shape.length === 4 && files?.length === images.shape[0];
    return isWhole ? { images, files: files! } : undefined;
  } catch {
    // A damaged copy is made anew.
    return undefined;
  }
}

/** Keeps decoded pictures, whole or not at all. A disk that takes none does not take away the ones that were just decoded. */
export async function writeDecoded(place: string, { images, files }: Decoded): Promise<void> {
  const folder = dirname(place);
  const data = new TextEncoder().encode(files.map((name) => `${name}\n`).join(""));
  try {
    fs.mkdirSync(folder, { recursive: true });
    await saveNpz(place, [
      ["images", images],
      ["files", { shape: [data.length], dtype: "uint8", data }],
    ]);
  } catch (error) {
    warnNotKept("loadImageArchive", folder, error);
  }
}
