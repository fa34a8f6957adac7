/** What is left of a sweep for people: pictures, a table, a page with all of them. Read ../draw/index.ts for the pictures. */
import { join } from "node:path";
import { writeFileAtomic } from "../../io/files.js";
import {
  drawHistory,
  drawImportance,
  drawParallel,
  drawReports,
  drawSlices,
  type StageSummary,
  type StudyPicture,
  stagesPage,
  studyPage,
  trialsCsv,
} from "../draw/index.js";
import { parameterImportances } from "../importance/fanova.js";
import type { Study } from "../study.js";
import type { TrialRecord } from "../types.js";
import type { ResolvedSweep } from "./sweepFile.js";
import { sweepFiles } from "./sweepFolder.js";

/** Fewer trials say nothing of what matters. */
const leastForImportance = 8;

/** How much of the values' spread each parameter explains; empty where there are too few trials to tell. */
export function importanceOf(study: Study, trials: readonly TrialRecord[]): Record<string, number> {
  const complete = trials.filter(({ state }) => state === "complete");
  if (complete.length < leastForImportance) return {};
  // Runs that diverged say nothing of what matters among the others.
  const shares = parameterImportances(study.space, complete, {
    direction: study.direction,
    cap: 0.8,
  });
  return Object.fromEntries(shares.map(({ parameter, importance }) => [parameter, importance]));
}

const isLogarithmic = (kind: string): boolean => /^log[A-Z]/.test(kind);

/** Writes pictures, table and page of a study to its folder. */
export async function writeSweepReport(
  folder: string,
  study: Study,
  metric: string,
): Promise<void> {
  const trials = await study.trials();
  const { direction, definition, space } = study;
  const logarithmic = space.parameters
    .filter(({ distribution }) => isLogarithmic(distribution.kind))
    .map(({ name }) => name);
  const title = definition.name;
  const picture: StudyPicture = { trials, direction, title, metric, logarithmic };
  const drawn = {
    history: drawHistory(picture),
    reports: drawReports(picture),
    parallel: drawParallel(picture),
    slices: drawSlices(picture),
    importance: drawImportance(importanceOf(study, trials), { title }),
  };
  const pictures = Object.values(drawn);
  const page = studyPage({ title, metric, direction, trials, pictures });
  const texts = { ...drawn, table: trialsCsv(trials), page };
  for (const [kind, text] of Object.entries(texts))
    writeFileAtomic(
      join(folder, sweepFiles[kind as keyof typeof texts]),
      new TextEncoder().encode(text),
    );
}

/** Writes the page of a sweep in stages to its folder. */
export function writeStagesReport(
  folder: string,
  { name, metric, direction, stages: { length: planned } }: ResolvedSweep,
  stages: readonly StageSummary[],
): void {
  const page = stagesPage({ title: name, metric, direction, stages, planned });
  writeFileAtomic(join(folder, sweepFiles.page), new TextEncoder().encode(page));
}
