/** The folder of a sweep: what lies where. Read runSweep.ts for who writes it. */
import * as fs from "node:fs";
import { join } from "node:path";
import { fileError } from "../../io/fileSystem.js";

/** The files of a sweep by what they hold. */
export const sweepFiles = {
  study: "study.jsonl",
  sweep: "sweep.json",
  table: "trials.csv",
  page: "index.html",
  history: "history.svg",
  reports: "reports.svg",
  parallel: "parallel.svg",
  slices: "slices.svg",
  importance: "importance.svg",
} as const;

/** The folder of a trial's own run, inside of the sweep's. */
export const trialFolder = (number: number): string =>
  join("trials", String(number).padStart(4, "0"));

/**
 * Makes a folder and those above it.
 *
 * @throws FileError where it cannot be.
 */
export function makeFolder(path: string): string {
  try {
    fs.mkdirSync(path, { recursive: true });
    return path;
  } catch (error) {
    throw fileError("sweep", path, error);
  }
}
