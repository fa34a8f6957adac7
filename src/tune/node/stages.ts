/**
 * A sweep from its file: one stage after another, each in the part of the space where the last one's best trials lie. Read
 * sweepFile.ts for the file, runSweep.ts for a stage.
 */
import { basename, join } from "node:path";
import type { BackendName } from "../../backend/contract.js";
import type { StageSummary } from "../draw/index.js";
import { StudyError } from "../errors.js";
import { bestTrials, narrow } from "../space/narrow.js";
import { contains, unitOf, valueAt } from "../space/scale.js";
import type { Space } from "../space/space.js";
import { loadStudy, type Study } from "../study.js";
import type { Parameters, TrialRecord } from "../types.js";
import { FileStorage } from "./fileStorage.js";
import { runSweep } from "./runSweep.js";
import type { ResolvedStage, ResolvedSweep } from "./sweepFile.js";
import { makeFolder, sweepFiles } from "./sweepFolder.js";
import { checkIdentity } from "./sweepIdentity.js";
import { writeStagesReport, writeSweepReport } from "./sweepReport.js";
import type { SweepEvent, SweepResult } from "./sweepTypes.js";

/** From fewer trials nothing can be told of where the best ones lie. */
const leastComplete = 2;

export interface StagesOptions {
  /** Holds everything of the sweep. */
  readonly folder: string;
  /** In place of what the sweep says. */
  readonly workers?: number;
  readonly threads?: number;
  readonly backend?: BackendName;
  readonly signal?: AbortSignal;
  readonly onStage?: (stage: StageInfo) => void;
  readonly onEvent?: (event: SweepEvent) => void;
}

/** A stage that begins. */
export interface StageInfo {
  /** Counted from 1. */
  readonly stage: number;
  readonly stages: number;
  readonly folder: string;
  readonly space: Space;
  readonly trials: number;
}

/** The folder of a stage: the sweep's own where there is but one. */
export const stageFolder = (folder: string, stage: number, stages: number): string =>
  stages === 1 ? folder : join(folder, `stage-${stage}`);

/** Opens the study of a stage to look at; undefined where it has not begun. */
export async function openStage(folder: string): Promise<Study | undefined> {
  const storage = new FileStorage(join(folder, sweepFiles.study));
  return storage.load() ? await loadStudy(storage) : undefined;
}

/**
 * Runs a sweep, or goes on with it: stages that are over are passed by.
 *
 * @throws StudyError where the folder holds another sweep, or no trial comes to a value.
 */
export async function runStages(
  sweep: ResolvedSweep,
  options: StagesOptions,
): Promise<SweepResult> {
  const { stages } = sweep;
  makeFolder(options.folder);
  await checkIdentity(options.folder, sweep);
  const begun: StageSummary[] = [];
  let space = sweep.space;
  let last: { readonly trials: readonly TrialRecord[]; readonly result: SweepResult } | undefined;
  for (const [i, stage] of stages.entries()) {
    const folder = stageFolder(options.folder, i + 1, stages.length);
    if (last) space = narrowed(space, last.trials, sweep, stage, i + 1);
    options.onStage?.({ stage: i + 1, stages: stages.length, folder, space, trials: stage.trials });
    const first = last ? again(space, last.trials, sweep, stage) : [];
    const result = await runStage(sweep, stage, space, folder, first, options);
    last = { trials: result.trials, result };
    begun.push({ space, trials: result.trials, link: `${basename(folder)}/${sweepFiles.page}` });
    if (stages.length > 1) writeStagesReport(options.folder, sweep, begun);
    if (result.status === "stopped") break;
  }
  return last!.result;
}

function narrowed(
  space: Space,
  trials: readonly TrialRecord[],
  { direction }: ResolvedSweep,
  { keep }: ResolvedStage,
  stage: number,
): Space {
  const complete = trials.filter(({ state }) => state === "complete").length;
  if (complete >= leastComplete) return narrow(space, trials, { direction, keep });
  throw new StudyError(
    "sweep",
    `stage ${stage - 1} left ${plural(complete)}; stage ${stage} needs at least ${leastComplete} to narrow the space`,
  );
}

const plural = (n: number) => `${n} complete trial${n === 1 ? "" : "s"}`;

/** The best trials of the stage before, with values that the narrowed space has. */
function again(
  space: Space,
  trials: readonly TrialRecord[],
  { direction }: ResolvedSweep,
  { again: count }: ResolvedStage,
): Parameters[] {
  const best = bestTrials(trials, { direction, keep: 1 }).slice(0, count);
  return best.map(({ parameters }) =>
    space.choose(({ name, distribution }) => {
      const value = parameters[name];
      if (value === undefined) return valueAt(distribution, 0.5);
      const isThere = contains(distribution, value);
      return isThere ? value : valueAt(distribution, unitOf(distribution, value));
    }),
  );
}

async function runStage(
  sweep: ResolvedSweep,
  stage: ResolvedStage,
  space: Space,
  folder: string,
  first: readonly Parameters[],
  options: StagesOptions,
): Promise<SweepResult> {
  const { name, direction, metric, take, run: source } = sweep;
  const { sampler, pruner, set } = stage;
  const [workers, threads] = [options.workers ?? sweep.workers, options.threads ?? sweep.threads];
  try {
    return await runSweep({
      ...{ folder, trials: stage.trials, first },
      study: { name, direction, space: space.toJSON(), sampler, pruner },
      task: { kind: "run", source, settings: set, metric, take },
      ...(workers !== undefined && { workers }),
      ...(threads !== undefined && { threads }),
      ...(options.backend && { backend: options.backend }),
      ...(options.signal && { signal: options.signal }),
      ...(options.onEvent && { onEvent: options.onEvent }),
    });
  } finally {
    const study = await openStage(folder);
    if (study) await writeSweepReport(folder, study, metric);
    await study?.storage.close?.();
  }
}
