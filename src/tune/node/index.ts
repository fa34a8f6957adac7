/** Studies that processes share through a file, and the processes that work on them. Node only. Read ../types.ts first. */

export type * from "../types.js";
export { checkSweep } from "./checkSweep.js";
export { FileStorage } from "./fileStorage.js";
export { type GiveBackOptions, giveBackLost, isGone, workerName } from "./liveness.js";
export { runSweep } from "./runSweep.js";
export { openStage, runStages, type StageInfo, type StagesOptions, stageFolder } from "./stages.js";
export {
  loadSweep,
  type ResolvedStage,
  type ResolvedSweep,
  type RunSource,
  withSettings,
} from "./sweepFile.js";
export { sweepFiles, trialFolder } from "./sweepFolder.js";
export { writeSweepReport } from "./sweepReport.js";
export type {
  ExperimentTask,
  ModuleTask,
  ObjectiveContext,
  RunTask,
  SweepEvent,
  SweepOptions,
  SweepResult,
  SweepStudy,
  SweepTask,
  TrialRunner,
} from "./sweepTypes.js";
