/** Studies that processes share through a file, and the processes that work on them. Node only. Read ../types.ts first. */

export type * from "../types.js";
export { FileStorage } from "./fileStorage.js";
export { type GiveBackOptions, giveBackLost, isGone, workerName } from "./liveness.js";
export { runSweep } from "./runSweep.js";
export { sweepFiles, trialFolder } from "./sweepFolder.js";
export type {
  ExperimentTask,
  ModuleTask,
  ObjectiveContext,
  SweepEvent,
  SweepOptions,
  SweepResult,
  SweepStudy,
  SweepTask,
  TrialRunner,
} from "./sweepTypes.js";
