/**
 * Pictures of a run: its curves and confusion matrix as SVG text, its mistakes as pixels. Works in
 * a browser too.
 */
export { type ComparedRun, type CompareOptions, compareCurvesSvg } from "./compare.js";
export { type ConfusionOptions, confusionSvg } from "./confusion.js";
export {
  type CurvesOptions,
  curvesSvg,
  type EpochRecord,
  type RunCurves,
  type StepRecord,
} from "./curves.js";
export { type DrawInitOptions, drawInitStatistics } from "./initStatistics.js";
export { type MistakesOptions, mistakesPicture } from "./mistakes.js";
export { drawPanels, type PanelLine, type PanelSpec, type PanelsOptions } from "./panels.js";
export { precisionRecallSvg, type RankingOptions, rocSvg } from "./ranking.js";
export { type ReliabilityOptions, reliabilitySvg } from "./reliability.js";
export { type Drawable, type DrawScheduleOptions, drawSchedule } from "./schedule.js";
export { drawSheet, type SheetOptions, type Tile } from "./sheet.js";
