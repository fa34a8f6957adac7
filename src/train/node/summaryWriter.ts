/**
 * Writes TensorBoard's event files while a run goes on: a record a call, whole or not at all. Node only. Read
 * ../tensorboard/events.ts for the format, tensorBoard.ts for the callback that feeds it.
 */
import * as fs from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { FormatError, ValueError } from "../../core/errors.js";
import { FileError, type FileSystem, fileError, nodeFileSystem } from "../../io/fileSystem.js";
import { type WriteOptions, writeAll } from "../../io/files.js";
import { encodePng, type PixelImage } from "../../io/png.js";
import {
  type EncodedImage,
  eventRecord,
  fileHeader,
  type Hyperparameters,
  restartRecord,
  type SummaryValue,
  sessionEnd,
  sessionStart,
} from "../tensorboard/events.js";
import { histogramOf } from "../tensorboard/histogram.js";

export interface SummaryWriterOptions extends WriteOptions {
  /** When the file is begun, in milliseconds since 1970; default now. */
  readonly time?: number;
  /** The first step of a run that goes on: what other files of the folder hold for it and later ones does not count. */
  readonly purgeStep?: number;
}

/** Where a value belongs. */
export interface SummaryPlace {
  readonly step: number;
  /** Milliseconds since 1970; default now. */
  readonly time?: number;
}

function checkStep(step: number, name: string): void {
  if (!Number.isSafeInteger(step) || step < 0)
    throw new ValueError("SummaryWriter", `${name} is ${step}; expected a whole number ≥ 0`);
}

let writers = 0;

/** A name that sorts by time, and that no other process or writer gives. */
const fileName = (time: number): string => {
  const seconds = String(Math.floor(time / 1000)).padStart(10, "0");
  const host = hostname().replace(/[^\w-]/g, "_") || "host";
  return `events.out.tfevents.${seconds}.${host}.${process.pid}.${writers++}`;
};

/**
 * Writes scalars, pictures, texts, histograms and hyperparameters into a folder that TensorBoard opens. Each call is one write;
 * where that fails, the file is cut back to its last whole record.
 *
 * @throws FileError where the folder or the file cannot be written; ValueError for a step that is no whole number ≥ 0.
 * @example
 * ```ts
 * import { mkdtempSync, readdirSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { SummaryWriter } from "gradus/train/node";
 * const folder = mkdtempSync(join(tmpdir(), "gradus-"));
 * const writer = new SummaryWriter(folder);
 * for (let step = 1; step <= 10; step++) writer.addScalar("loss/train", 1 / step, { step });
 * writer.close();
 * console.log(readdirSync(folder)[0]?.slice(0, 20)); // → events.out.tfevents.
 * ```
 */
export class SummaryWriter {
  readonly path: string;
  readonly #files: FileSystem;
  #file: number | undefined;
  #position = 0;

  constructor(folder: string, options: SummaryWriterOptions = {}) {
    const { time = Date.now(), fileSystem, purgeStep } = options;
    if (purgeStep !== undefined) checkStep(purgeStep, "purgeStep");
    this.#files = fileSystem ?? nodeFileSystem;
    this.path = join(folder, fileName(time));
    try {
      fs.mkdirSync(folder, { recursive: true });
      this.#file = this.#files.open(this.path, "ax");
    } catch (error) {
      throw fileError("SummaryWriter", this.path, error);
    }
    this.#write(fileHeader(time));
    if (purgeStep !== undefined) this.#write(restartRecord({ step: purgeStep, time }));
  }

  /** Writes values that belong to one step. */
  add(values: readonly SummaryValue[], { step, time = Date.now() }: SummaryPlace): void {
    checkStep(step, "step");
    if (values.length > 0) this.#write(eventRecord(values, { step, time }));
  }

  /** A number, of which 32 bits are kept. */
  addScalar(tag: string, value: number, place: SummaryPlace): void {
    this.add([{ tag, scalar: value }], place);
  }

  /** A text, which TensorBoard reads as Markdown. */
  addText(tag: string, text: string, place: SummaryPlace): void {
    this.add([{ tag, text }], place);
  }

  /** How values are spread; nothing where none is finite. */
  addHistogram(tag: string, values: ArrayLike<number>, place: SummaryPlace): void {
    const histogram = histogramOf(values);
    if (histogram) this.add([{ tag, histogram }], place);
  }

  /** A picture. */
  async addImage(tag: string, image: PixelImage, place: SummaryPlace): Promise<void> {
    const { width, height, channels } = image;
    const png = await encodePng(image);
    this.add([{ tag, image: { width, height, channels, png } }], place);
  }

  /** What the run was set to, for the table of hyperparameters. */
  addHparams(settings: Hyperparameters, { time = Date.now() } = {}): void {
    this.add([sessionStart(settings, time)], { step: 0, time });
  }

  /** How the run ended, for the table of hyperparameters. */
  addEnd(status: Parameters<typeof sessionEnd>[0], { time = Date.now() } = {}): void {
    this.add([sessionEnd(status, time)], { step: 0, time });
  }

  #write(record: Uint8Array): void {
    if (this.#file === undefined) throw new FileError("SummaryWriter", this.path, "is closed");
    try {
      writeAll(this.#files, this.#file, record);
      this.#position += record.length;
    } catch (error) {
      try {
        this.#files.truncate(this.#file, this.#position);
      } catch {
        // Readers stop at a record whose checksum is wrong.
      }
      throw fileError("SummaryWriter", this.path, error);
    }
  }

  /** Flushes what was written to the disk. */
  flush(): void {
    if (this.#file !== undefined) this.#files.sync(this.#file);
  }

  /** Closes the file; closing twice is fine. */
  close(): void {
    if (this.#file !== undefined) this.#files.close(this.#file);
    this.#file = undefined;
  }
}

const channelsOf: Readonly<Record<number, EncodedImage["channels"]>> = {
  0: 1,
  2: 3,
  3: 3,
  4: 2,
  6: 4,
};

/**
 * A PNG file as a picture for {@link SummaryWriter.add}: its size and channels are read from its header.
 *
 * @throws FormatError for bytes that are no PNG's.
 */
export function pngImage(png: Uint8Array, source: string): EncodedImage {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const isPng =
    png.length > 33 && view.getUint32(0) === 0x89504e47 && view.getUint32(12) === 0x49484452;
  const channels = isPng ? channelsOf[png[25]!] : undefined;
  if (!channels) throw new FormatError("pngImage", `${basename(source)}: is not a PNG`);
  return { width: view.getUint32(16), height: view.getUint32(20), channels, png };
}
