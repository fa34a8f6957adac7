/** What the doctor leaves on disk, and what it reads of a run: report, pictures, events and facts. Read ../doctor/recipe.ts for the doctor. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GradusError } from "../../core/errors.js";
import { readFileLimited, writeFileAtomic } from "../../io/files.js";
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

const maxConfigBytes = 2 ** 20;

/** How many classes a run's configuration speaks of: a run that failed has it too, and no model. */
function configuredClasses(path: string): number | undefined {
  const file = join(path, runFiles.config);
  if (!existsSync(file)) return undefined;
  try {
    const text = new TextDecoder().decode(readFileLimited(file, { maxBytes: maxConfigBytes }));
    const { classes } = Object(JSON.parse(text));
    return Number.isSafeInteger(classes) && classes > 0 ? classes : undefined;
  } catch (error) {
    // A configuration that cannot be read says nothing about the log.
    if (error instanceof GradusError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** How many classes the run's model tells apart, where it keeps one that says so. */
function modelClasses(path: string): number | undefined {
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

/** Of a longer run every second step is read, or fewer: its curve does not change by it. */
const mostSteps = 100_000;

/** Collects events; steps only as far as they fit, evenly, but all that are not finite. */
class EventList {
  events: DiagnosedEvent[] = [];
  #stride = 1;
  #seen = 0;
  #kept = 0;

  add(event: DiagnosedEvent): void {
    const isThinned = event.type === "step" && Number.isFinite(event.loss);
    if (isThinned && this.#seen++ % this.#stride !== 0) return;
    this.events.push(event);
    if (isThinned && ++this.#kept >= mostSteps) this.#thin();
  }

  #thin(): void {
    let count = 0;
    this.events = this.events.filter(
      (event) => event.type !== "step" || !Number.isFinite(event.loss) || count++ % 2 === 0,
    );
    this.#stride *= 2;
    this.#kept = Math.ceil(count / 2);
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
  const list = new EventList();
  let [damaged, last] = [0, 0];
  const onProblem = () => void damaged++;
  for (const { event } of readLog(join(path, runFiles.log), { onProblem })) {
    if (event.type === "step") {
      if (event.step <= last) continue;
      last = event.step;
    }
    list.add(event);
  }
  const classes = configuredClasses(path) ?? modelClasses(path);
  const { events } = list;
  return { events, facts: classes === undefined ? {} : { classes }, damaged };
}
