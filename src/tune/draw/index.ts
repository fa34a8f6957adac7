/** Pictures of a study as SVG text. Works in a browser too. Read history.ts first, axes.ts for what they share. */
export type { StudyPicture } from "./axes.js";
export { drawHistory, drawReports } from "./history.js";
export { drawImportance, type ImportanceOptions } from "./importance.js";
export { type StudyPageOptions, studyPage } from "./page.js";
export { drawParallel } from "./parallel.js";
export { drawSlices } from "./slices.js";
export { type StageSummary, type StagesPageOptions, stagesPage } from "./stages.js";
export { trialsCsv } from "./table.js";
