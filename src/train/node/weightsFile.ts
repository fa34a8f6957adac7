/** Weights from files, whichever way they were kept. Node only. Read ../transfer/loadWeights.ts for what happens to them. */
import * as fs from "node:fs";
import { extname, join } from "node:path";
import { FormatError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import type { SafetensorsContent } from "../../io/browser.js";
import { FileError } from "../../io/fileSystem.js";
import { loadSafetensors } from "../../io/safetensorsFile.js";
import type { Module } from "../../nn/module.js";
import {
  type LoadWeightsOptions,
  loadWeights,
  type WeightReport,
} from "../transfer/loadWeights.js";
import { CheckpointFolder } from "./checkpoints.js";
import { runFiles } from "./runFolder.js";

const op = "readWeights";
const inCheckpoint = "model.";

/** Files of a folder that may hold weights; the first that is there counts. */
const files = [runFiles.model, "checkpoint.safetensors"];

/** A run's own folder of checkpoints, and what is called so in general. */
const folders = ["", runFiles.checkpoints];

/** What a folder holds: the model itself, or else the best checkpoint or the newest. */
function readFolder(folder: string): SafetensorsContent {
  const found = files.map((name) => join(folder, name)).find((path) => fs.existsSync(path));
  if (found) return loadSafetensors(found);
  for (const name of folders) {
    const checkpoints = new CheckpointFolder(join(folder, name));
    const stored = checkpoints.loadBest() ?? checkpoints.load();
    if (stored) return stored.content;
  }
  const message = `holds no weights: none of ${files.join(", ")}, and no checkpoints`;
  throw new FileError(op, folder, message, "ENOENT");
}

function readContent(path: string): SafetensorsContent {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) return readFolder(path);
  if (/^\.(pt|pth|ckpt|pkl)$/i.test(extname(path)))
    throw new FormatError(
      op,
      `${path}: PyTorch's own files are not read; save it with safetensors.torch.save_file in Python`,
    );
  return loadSafetensors(path);
}

/**
 * Reads the weights in a safetensors file, a checkpoint or the folder of a run, under the model's names. Of a folder the model
 * file counts, or else the best checkpoint, or else the newest.
 *
 * @throws FileError where there are none; FormatError for a damaged file, and for PyTorch's own files, which are programs.
 */
export function readWeights(path: string): ReadonlyMap<string, ArrayData> {
  const { tensors, metadata } = readContent(path);
  if (metadata.format !== "gradus-checkpoint") return tensors;
  const own = [...tensors].filter(([name]) => name.startsWith(inCheckpoint));
  return new Map(own.map(([name, array]) => [name.slice(inCheckpoint.length), array]));
}

/**
 * As {@link loadWeights}, from a safetensors file, a checkpoint or the folder of a run.
 *
 * @throws FileError where there are no weights; FormatError for a damaged file; and what `loadWeights` throws.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { nn } from "gradus";
 * import { saveSafetensors } from "gradus/io";
 * import { loadWeightsFile } from "gradus/train/node";
 * const path = join(mkdtempSync(join(tmpdir(), "gradus-")), "body.safetensors");
 * saveSafetensors(path, new nn.Sequential(new nn.Linear(4, 8)).stateDict());
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * console.log(loadWeightsFile(model, path, { exclude: "2" }).loaded); // → [ '0.weight', '0.bias' ]
 * ```
 */
export const loadWeightsFile = (
  model: Module,
  path: string,
  options: LoadWeightsOptions = {},
): WeightReport => loadWeights(model, readWeights(path), options);
