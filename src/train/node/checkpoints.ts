/**
 * The checkpoints of one run in a folder: `step-N.safetensors`, of which the last ones and the best are kept, and two small
 * files that name the latest and the best. A process that dies at any moment, or a file that is damaged later, costs the run
 * at most its newest checkpoint. Node only. Read ../fit.ts for when checkpoints are made, runLock.ts for who may write.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { FormatError, ValueError } from "../../core/errors.js";
import { bytesOf } from "../../io/arrayData.js";
import type { SafetensorsContent } from "../../io/browser.js";
import { FileError, fileError, nodeFileSystem } from "../../io/fileSystem.js";
import { readFileLimited, type WriteOptions, writeFileAtomic } from "../../io/files.js";
import { loadSafetensors, saveSafetensors } from "../../io/safetensorsFile.js";
import { ResumeError } from "../errors.js";
import { Field } from "../fields.js";
import type { CheckpointPlace } from "../options.js";

export interface CheckpointFolderOptions extends WriteOptions {
  /** How many of the newest checkpoints are kept, besides the best one; default 3. */
  readonly keep?: number;
}

/** A checkpoint that could not be read, and why. */
export interface DamagedCheckpoint {
  readonly path: string;
  readonly message: string;
}

/** A checkpoint that was read and is whole. */
export interface StoredCheckpoint {
  /** For `resume` of {@link fit}. */
  readonly content: SafetensorsContent;
  readonly path: string;
  /** Optimizer steps that were done. */
  readonly step: number;
  /** Newer ones that are damaged, the newest first: tell people of them. */
  readonly damaged: readonly DamagedCheckpoint[];
}

const pointers = { latest: "latest.json", best: "best.json" } as const;
const stepFile = /^step-(\d{1,15})\.safetensors$/;
const leftOver = /^\.(step-\d+\.safetensors|latest\.json|best\.json)\.[0-9a-f]+\.tmp$/;
const maxPointerBytes = 65_536;

const nameOf = (step: number): string => `step-${step}.safetensors`;

/** A digest of all that a checkpoint holds: a safetensors file alone does not tell a flipped bit. */
function digestOf({ tensors, metadata }: SafetensorsContent): string {
  const hash = createHash("sha256");
  for (const [key, value] of Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))
    if (key !== "digest") hash.update(JSON.stringify([key, value]));
  for (const [name, { shape, dtype, data }] of tensors) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(bytesOf(data));
  }
  return `sha256:${hash.digest("hex")}`;
}

/**
 * A folder of checkpoints. Its `save` is what `fit` asks of `checkpoint`.
 *
 * @throws ValueError unless `keep` is a whole number ≥ 1; from its methods FileError where a file cannot be read or written.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { data, manualSeed, nn, ones, optim } from "gradus";
 * import { fit } from "gradus/train";
 * import { CheckpointFolder } from "gradus/train/node";
 * manualSeed(0);
 * const folder = new CheckpointFolder(mkdtempSync(`${tmpdir()}/gradus-`), { keep: 2 });
 * const train = async () => {
 *   const model = new nn.Linear(1, 1);
 *   const stored = folder.load();
 *   return await fit(model, {
 *     optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
 *     train: new data.DataLoader(new data.TensorDataset(ones([4, 1]), ones([4, 1]))),
 *     epochs: 5,
 *     loss: nn.functional.mseLoss,
 *     checkpoint: { save: folder.save, everySteps: 3 },
 *     ...(stored && { resume: stored.content }),
 *   });
 * };
 * await train();
 * console.log(folder.steps(), (await train()).status); // → [ 19, 20 ] finished
 * ```
 */
export class CheckpointFolder {
  readonly path: string;
  readonly #keep: number;
  readonly #write: WriteOptions;
  /** Whether one was read, so that the run goes on from it; and whether one was written. */
  #isLoaded = false;
  #isBegun = false;

  constructor(path: string, { keep = 3, fileSystem }: CheckpointFolderOptions = {}) {
    if (!Number.isInteger(keep) || keep < 1)
      throw new ValueError("CheckpointFolder", `keep is ${keep}; expected a whole number ≥ 1`);
    this.path = path;
    this.#keep = keep;
    this.#write = fileSystem ? { fileSystem } : {};
  }

  /** The steps of the checkpoints that are there, in order. */
  steps(): number[] {
    const steps = this.#names().flatMap((name) => {
      const [, step] = stepFile.exec(name) ?? [];
      return step === undefined ? [] : [Number(step)];
    });
    return steps.sort((a, b) => a - b);
  }

  #names(): string[] {
    try {
      return fs.readdirSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw fileError("CheckpointFolder", this.path, error);
    }
  }

  #file(step: number): string {
    return join(this.path, nameOf(step));
  }

  /**
   * Writes a checkpoint, then the files that name the latest and the best, then removes what is no longer kept: also newer
   * checkpoints than this one, which a run left that went on from an older one.
   *
   * @throws FileError for the first checkpoint of a new run where there are others already.
   */
  readonly save = ({ tensors, metadata }: SafetensorsContent, place: CheckpointPlace): void => {
    this.#begin(place);
    const { step, epoch, reasons, best } = place;
    const digest = digestOf({ tensors, metadata });
    const options = { ...this.#write, metadata: { ...metadata, digest } };
    saveSafetensors(this.#file(step), tensors, options);
    const entry = { file: nameOf(step), step, epoch, reasons };
    if (reasons.includes("best") && best)
      this.#point("best", { ...entry, monitor: best.monitor, value: best.value });
    this.#point("latest", entry);
    this.#removeOld(step);
  };

  #begin({ reasons }: CheckpointPlace): void {
    if (this.#isBegun) return;
    if (!this.#isLoaded && reasons.includes("start") && this.steps().length > 0) {
      const message = "holds the checkpoints of a run; load one to go on, or choose another folder";
      throw new FileError("CheckpointFolder", this.path, message, "EEXIST");
    }
    try {
      fs.mkdirSync(this.path, { recursive: true });
    } catch (error) {
      throw fileError("CheckpointFolder", this.path, error);
    }
    this.#isBegun = true;
    for (const name of this.#names()) if (leftOver.test(name)) this.#remove(name);
  }

  #point(to: keyof typeof pointers, entry: object): void {
    const text = `${JSON.stringify(entry)}\n`;
    writeFileAtomic(join(this.path, pointers[to]), new TextEncoder().encode(text), this.#write);
  }

  #removeOld(step: number): void {
    const steps = this.steps();
    const kept = new Set(steps.filter((own) => own <= step).slice(-this.#keep));
    const best = this.#bestStep();
    if (best !== null && best <= step) kept.add(best);
    for (const own of steps) if (!kept.has(own)) this.#remove(nameOf(own));
  }

  #remove(name: string): void {
    try {
      (this.#write.fileSystem ?? nodeFileSystem).remove(join(this.path, name));
    } catch {
      // A file too many harms nobody; a run need not end for it.
    }
  }

  /** The step that the best file names; null where there is none that can be read. */
  #bestStep(): number | null {
    const path = join(this.path, pointers.best);
    if (!fs.existsSync(path)) return null;
    try {
      const text = new TextDecoder().decode(readFileLimited(path, { maxBytes: maxPointerBytes }));
      return Field.parse(text, path).get("step").whole();
    } catch {
      return null;
    }
  }

  /**
   * Reads the newest checkpoint that is whole; null where there are none at all.
   *
   * @throws ResumeError where all are damaged.
   */
  load(): StoredCheckpoint | null {
    const damaged: DamagedCheckpoint[] = [];
    for (const step of this.steps().reverse()) {
      const path = this.#file(step);
      try {
        const stored = { content: readWhole(path), path, step, damaged };
        this.#isLoaded = true;
        return stored;
      } catch (error) {
        damaged.push({ path, message: error instanceof Error ? error.message : String(error) });
      }
    }
    if (damaged.length === 0) return null;
    const all = damaged.map(({ message }) => message).join("; ");
    throw new ResumeError("resume", `${this.path}: no checkpoint can be read: ${all}`);
  }

  /**
   * Reads the best checkpoint; null where none was marked.
   *
   * @throws FormatError where it is damaged; FileError where it is gone.
   */
  loadBest(): StoredCheckpoint | null {
    const step = this.#bestStep();
    if (step === null) return null;
    const path = this.#file(step);
    return { content: readWhole(path), path, step, damaged: [] };
  }
}

/** @throws FormatError for a file whose digest is not that of what it holds. */
function readWhole(path: string): SafetensorsContent {
  const content = loadSafetensors(path);
  if (content.metadata.digest !== digestOf(content))
    throw new FormatError("resume", `${path}: is damaged: its digest is not that of its content`);
  return content;
}
