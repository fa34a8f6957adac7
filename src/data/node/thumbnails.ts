/**
 * Small copies of large pictures, so that only the first epoch decodes the files. A copy is named by its picture's place, size and time
 * and by how it was decoded; processes share a folder of them. Node only. Read imageFolder.ts for their use.
 */
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as files from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ArrayData } from "../../io/arrayData.js";
import { type DecodeImageOptions, readImage } from "../../io/decodeImage.js";
import { fileError } from "../../io/fileSystem.js";
import { decodeNpz, encodeNpz } from "../../io/npz.js";
import { inflateEntry } from "../../io/zipFile.js";
import { warnNotKept } from "./notKept.js";

const op = "thumbnails";
/** Part of every name: copies of another way to keep them are not found. */
const version = 2;
const field = "image";

export class Thumbnails {
  readonly #folder: string;
  readonly #decode: DecodeImageOptions;
  #isKeeping = true;

  /** @throws FileError where the folder cannot be made. */
  constructor(folder: string, decode: DecodeImageOptions) {
    try {
      fs.mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw fileError(op, folder, error);
    }
    this.#folder = folder;
    this.#decode = decode;
  }

  /** A picture's copy; one that is damaged, or of a picture that has changed since, is made anew. */
  async read(path: string): Promise<ArrayData> {
    const place = await this.#placeOf(path);
    const kept = place && (await readKept(place));
    if (kept) return kept;
    const image = await readImage(path, this.#decode);
    if (place && this.#isKeeping) await this.#keep(place, image);
    return image;
  }

  /** Nothing where there is no such picture: reading it says why. */
  async #placeOf(path: string): Promise<string | undefined> {
    try {
      const [real, { mtimeMs, size }] = [await files.realpath(path), await files.stat(path)];
      const { mode, dtype, size: wanted, maxPixels } = this.#decode;
      const key = [version, real, mtimeMs, size, mode, dtype, wanted, maxPixels];
      const name = createHash("sha256").update(JSON.stringify(key)).digest("hex");
      return join(this.#folder, name.slice(0, 2), `${name}.npz`);
    } catch {
      return undefined;
    }
  }

  /** A disk that takes no copies takes nothing from the epoch but time. */
  async #keep(place: string, image: ArrayData): Promise<void> {
    const temporary = `${place}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      await files.mkdir(dirname(place), { recursive: true });
      // Not flushed, which would cost more than decoding: what a power cut leaves fails its checksum.
      await files.writeFile(temporary, await encodeNpz([[field, image]]), { flag: "wx" });
      await files.rename(temporary, place);
    } catch (error) {
      this.#isKeeping = false;
      await files.rm(temporary, { force: true }).catch(() => {});
      warnNotKept(op, this.#folder, error);
    }
  }
}

async function readKept(place: string): Promise<ArrayData | undefined> {
  try {
    const arrays = await decodeNpz(await files.readFile(place), { inflate: inflateEntry });
    return arrays.get(field);
  } catch {
    return undefined;
  }
}
