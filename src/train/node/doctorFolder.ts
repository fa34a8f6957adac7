/** What the doctor leaves on disk, and what it reads of a run: report, pictures, events and facts. Read ../doctor/recipe.ts for the doctor. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GradusError } from "../../core/errors.js";
import { writeFileAtomic } from "../../io/files.js";
import { loadSafetensors } from "../../io/safetensorsFile.js";
import { cardFrom } from "../classifier.js";
import type { DiagnosedEvent, DiagnosisFacts } from "../doctor/course.js";
import { doctorPictures } from "../doctor/pictures.js";
import { doctorJson, doctorMarkdown } from "../doctor/reportText.js";
import type { DoctorReport } from "../doctor/types.js";
import { readLog } from "./readRun.js";
import { RunFolder, runFiles } from "./runFolder.js";

export interface WriteDoctorOptions {
  /** The folder that holds the doctor's reports. */
  readonly out: string;
  /** What was examined. */
  readonly name: string;
}

/** A name that a folder can have. */
const folderName = (name: string): string =>
  name
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[^\p{L}\p{N}_]+|[.-]+$/gu, "")
    .slice(0, 60) || "experiment";

/**
 * Writes a report with its pictures in a new folder, named after what was examined, with date and number.
 *
 * @returns the folder and the names of its files.
 * @throws FileError where it cannot be written.
 */
export function writeDoctorReport(
  report: DoctorReport,
  { out, name }: WriteDoctorOptions,
): { readonly path: string; readonly files: readonly string[] } {
  const folder = RunFolder.create({ runs: out, prefix: folderName(name) });
  const pictures = doctorPictures(report);
  const files = new Map<string, string>([
    ["report.md", doctorMarkdown(report, name, pictures.keys())],
    ["report.json", doctorJson(report, name)],
    ...pictures,
  ]);
  const encoder = new TextEncoder();
  for (const [file, text] of files) writeFileAtomic(join(folder.path, file), encoder.encode(text));
  return { path: folder.path, files: [...files.keys()] };
}

/** What a run's folder tells the doctor. */
export interface RunEvidence {
  readonly events: readonly DiagnosedEvent[];
  readonly facts: DiagnosisFacts;
  /** Lines of the log that could not be understood. */
  readonly damaged: number;
}

/** How many classes the run's model tells apart, where it keeps one that says so. */
function classesOf(path: string): number | undefined {
  const file = join(path, runFiles.model);
  if (!existsSync(file)) return undefined;
  try {
    return cardFrom(loadSafetensors(file), file).classes.length;
  } catch (error) {
    // A model that cannot be read says nothing about the log.
    if (error instanceof GradusError) return undefined;
    throw error;
  }
}

/**
 * Reads a run's events and facts for {@link diagnose}. Of a run that went on from a checkpoint, steps that were done again are taken once.
 *
 * @throws FileError where there is no log.
 * @example
 * ```ts ignore
 * import { diagnose } from "gradus/train";
 * import { readRunEvidence } from "gradus/train/node";
 * const { events, facts } = readRunEvidence("runs/lenet-2026-11-23-001");
 * for (const { evidence, advice } of diagnose(events, facts)) console.log(evidence, advice);
 * ```
 */
export function readRunEvidence(path: string): RunEvidence {
  const events: DiagnosedEvent[] = [];
  let [damaged, last] = [0, 0];
  const onProblem = () => void damaged++;
  for (const { event } of readLog(join(path, runFiles.log), { onProblem })) {
    if (event.type === "step") {
      if (event.step <= last) continue;
      last = event.step;
    }
    events.push(event);
  }
  const classes = classesOf(path);
  return { events, facts: classes === undefined ? {} : { classes }, damaged };
}
