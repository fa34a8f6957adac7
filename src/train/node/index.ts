/** Runs on disk: folders with a run's settings, log, checkpoint, weights and pictures; trained models from files. Node only. */

export type {
  EncodedImage,
  Histogram,
  Hyperparameters,
  SummaryValue,
} from "../tensorboard/events.js";
export {
  CheckpointFolder,
  type CheckpointFolderOptions,
  type DamagedCheckpoint,
  type StoredCheckpoint,
} from "./checkpoints.js";

export { type ConfigSource, parseSetting } from "./configFile.js";
export { csvLogger } from "./csvLogger.js";
export { fingerprintOf, openExamples } from "./dataSource.js";
export {
  type RunEvidence,
  readRunEvidence,
  type WriteDoctorOptions,
  writeDoctorReport,
} from "./doctorFolder.js";
export { type EmbeddedRun, type EmbedRunOptions, embedParts, embedRun } from "./embedRun.js";
export { type GitState, gitStateOf, type Machine, machineOf } from "./environment.js";
export {
  type EvaluatedModel,
  type EvaluateRunsOptions,
  type EvaluationPart,
  evaluateRuns,
  openTrainedRun,
  type RunsEvaluation,
  type TrainedRun,
} from "./evaluateRuns.js";
export {
  experimentFrom,
  experimentFromSource,
  type FileExperiment,
  type LoadedExperiment,
  loadExperiment,
} from "./experimentFile.js";

export {
  type CsvRows,
  type ExportCsvOptions,
  type ExportOptions,
  exportCsv,
  exportTensorBoard,
} from "./exportRuns.js";

export { loadClassifier } from "./modelFile.js";
export { type PictureChange, type PreparedPicture, readPicture } from "./picture.js";
export {
  isRunFolder,
  listRuns,
  type ReadLogOptions,
  type ReadRunOptions,
  readLog,
  readRun,
} from "./readRun.js";
export { type RunReport, summarize } from "./report.js";
export type { CheckpointInterval, RunConfig } from "./runConfig.js";
export { checkRunName, type RunFiles, RunFolder, runFiles } from "./runFolder.js";
export { type LockHolder, lockRun, type RunLock, RunLockedError } from "./runLock.js";
export { type SummaryPlace, SummaryWriter, type SummaryWriterOptions } from "./summaryWriter.js";
export { type FileCallback, type TensorBoardOptions, tensorBoard } from "./tensorBoard.js";
export {
  type ResumeRunOptions,
  type RunHandlers,
  type RunOutcome,
  resumeRun,
  type StartRunOptions,
  startRun,
} from "./trainRun.js";
export { loadWeightsFile, readWeights } from "./weightsFile.js";
