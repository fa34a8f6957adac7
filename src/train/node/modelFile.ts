/** Trained classifiers from files. Node only. Read ../classifier.ts for what a file holds. */
import * as fs from "node:fs";
import { join } from "node:path";
import { FormatError } from "../../core/errors.js";
import { loadSafetensors } from "../../io/safetensorsFile.js";
import { cardFrom, classifierFrom, type ImageClassifier } from "../classifier.js";
import { experimentFromSource } from "./experimentFile.js";
import { RunFolder, runFiles } from "./runFolder.js";

/**
 * Loads a trained classifier from a run's folder or from its model file. A model that a TypeScript configuration makes is made
 * by the configuration's copy in the run's folder: its code runs, so open only runs that you trust.
 *
 * @throws FormatError for a file that is damaged or no classifier's; FileError where there is none.
 * @example
 * ```ts ignore
 * import { loadClassifier } from "gradus/train/node";
 * const classifier = await loadClassifier("runs/lenet-2026-11-23-001");
 * console.log(classifier.card.classes.length); // → 10
 * ```
 */
export async function loadClassifier(path: string): Promise<ImageClassifier> {
  const isFolder = fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const file = isFolder ? join(path, runFiles.model) : path;
  const content = loadSafetensors(file);
  const card = cardFrom(content, file);
  if (card.model.name !== "custom" || !isFolder) return classifierFrom(content, file);
  const folder = RunFolder.open(path);
  const config = folder.readConfig();
  const source = folder.readSource(config);
  if (!source)
    throw new FormatError("loadClassifier", `${path}: keeps no configuration that makes its model`);
  const { makeModel } = await experimentFromSource(source, config.changes);
  return classifierFrom(content, file, ({ channels, height, width, classes }) =>
    makeModel({ inputShape: [channels, height, width], outputs: classes.length }),
  );
}
