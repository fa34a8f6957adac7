/** Trained classifiers from files. Node only. Read ../classifier.ts for what a file holds. */
import * as fs from "node:fs";
import { join } from "node:path";
import { loadSafetensors } from "../../io/safetensorsFile.js";
import { classifierFrom, type ImageClassifier } from "../classifier.js";
import { runFiles } from "./runFolder.js";

/**
 * Loads a trained classifier from a run's folder or from its model file.
 *
 * @throws FormatError for a file that is damaged or no classifier's; FileError where there is none.
 * @example
 * ```ts ignore
 * import { loadClassifier } from "gradus/train/node";
 * const classifier = loadClassifier("runs/lenet-2026-11-23-001");
 * console.log(classifier.card.classes.length); // → 10
 * ```
 */
export function loadClassifier(path: string): ImageClassifier {
  const isFolder = fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const file = isFolder ? join(path, runFiles.model) : path;
  return classifierFrom(loadSafetensors(file), file);
}
