/** Runs as they are read back: their events, history, best values, settings. Works in a browser too. */
export { BoundedCurve, type Stretch } from "./boundedCurve.js";
export { type LogEntry, type LoggedEvent, type LoggedStep, readLogEntry } from "./loggedEvents.js";
export {
  isBetter,
  isLowerBetter,
  isShare,
  mainMeasure,
  matricesOf,
  withoutMatrices,
} from "./measures.js";
export {
  type BestValue,
  type BestValues,
  type Evaluation,
  RunHistory,
  type RunNote,
} from "./runHistory.js";
export type { RunFile, RunRecord, RunStatus } from "./runRecord.js";
export {
  differingSettings,
  type FlatSettings,
  flattenSettings,
  type SettingDifference,
  type SettingValue,
} from "./settings.js";
