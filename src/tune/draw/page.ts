/** One HTML page with a study's pictures and table, complete in itself. Read table.ts for the rows. */
import { escapeXml, look } from "../../train/draw/svg.js";
import { rank } from "../samplers/ranking.js";
import type { Direction, TrialRecord } from "../types.js";
import { bestOf, finishedTrials } from "./axes.js";
import { parameterNames, secondsOf, shortValue } from "./table.js";

export interface StudyPageOptions {
  readonly title: string;
  readonly metric: string;
  readonly direction: Direction;
  readonly trials: readonly TrialRecord[];
  /** SVG texts, in order; they are put into the page as they are. */
  readonly pictures: readonly string[];
}

const mostRows = 2000;

export const pageStyle = `
body { margin: 2rem auto; max-width: 1240px; padding: 0 1rem; font-family: ${look.font};
  color: ${look.ink}; background: ${look.paper}; }
h1, body > p, .table { margin-left: 24px; }
svg { max-width: 100%; height: auto; display: block; margin: 1rem 0; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px; text-align: right; border-bottom: 1px solid ${look.grid};
  white-space: nowrap; }
tbody th { text-align: left; font-weight: 500; }
td.error { text-align: left; white-space: normal; color: ${look.red}; }
tr.best { font-weight: 600; }
`;

interface Columns {
  readonly names: readonly string[];
  readonly hasErrors: boolean;
}

function row(trial: TrialRecord, { names, hasErrors }: Columns, isBest: boolean): string {
  const seconds = secondsOf(trial);
  const cells = [
    ...[String(trial.number), trial.state, shortValue(trial.value)],
    ...names.map((name) => shortValue(trial.parameters[name])),
    ...[String(trial.reports.length), seconds === undefined ? "" : seconds.toFixed(1)],
  ].map((text) => `<td>${escapeXml(text)}</td>`);
  const error = hasErrors
    ? `<td class="error">${escapeXml((trial.error ?? "").slice(0, 300))}</td>`
    : "";
  return `<tr${isBest ? ' class="best"' : ""}>${cells.join("")}${error}</tr>`;
}

/**
 * A page with everything, the best trials first in its table.
 *
 * @example
 * ```ts
 * import { studyPage } from "gradus/tune";
 * const page = studyPage({
 *   ...{ title: "<rates>", metric: "loss", direction: "minimize", trials: [], pictures: [] },
 * });
 * console.log(page.includes("<h1>&lt;rates&gt;</h1>")); // → true
 * ```
 */
export function studyPage({
  title,
  metric,
  direction,
  trials,
  pictures,
}: StudyPageOptions): string {
  const names = parameterNames(trials);
  const best = bestOf(finishedTrials(trials), direction);
  const told = rank(trials, direction);
  const rows = [
    ...told,
    ...trials.filter((trial) => trial.state !== "complete" && trial.state !== "pruned"),
  ].slice(0, mostRows);
  const hasErrors = rows.some(({ error }) => error);
  const ends = hasErrors ? ["error"] : [];
  const head = ["trial", "state", metric, ...names, "reports", "seconds", ...ends];
  const cut =
    trials.length > rows.length ? `<p>The ${rows.length} best of ${trials.length}.</p>` : "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title><style>${pageStyle}</style></head><body>
<h1>${escapeXml(title)}</h1>
<p>${escapeXml(direction)} ${escapeXml(metric)}; ${trials.length} trials</p>
${pictures.join("\n")}
${cut}<div class="table"><table><thead><tr>${head.map((text) => `<th>${escapeXml(text)}</th>`).join("")}</tr></thead>
<tbody>
${rows.map((trial) => row(trial, { names, hasErrors }, trial === best)).join("\n")}
</tbody></table></div>
</body></html>
`;
}
