/** One HTML page for a search from coarse to fine: what each stage looked for and where, and what it found. Read page.ts first. */
import { escapeXml } from "../../train/draw/svg.js";
import type { Distribution } from "../space/distribution.js";
import type { Space } from "../space/space.js";
import type { Direction, TrialRecord } from "../types.js";
import { bestOf, finishedTrials } from "./axes.js";
import { pageStyle } from "./page.js";
import { shortNumber, shortValue } from "./table.js";

/** A stage that has begun. */
export interface StageSummary {
  readonly space: Space;
  readonly trials: readonly TrialRecord[];
  /** Where its own page is. */
  readonly link: string;
}

export interface StagesPageOptions {
  readonly title: string;
  readonly metric: string;
  readonly direction: Direction;
  readonly stages: readonly StageSummary[];
  /** How many there are to be. */
  readonly planned: number;
}

const mostValues = 8;

/** Where a parameter is looked for, in words. */
export function rangeText(distribution: Distribution): string {
  if (distribution.kind !== "choice")
    return `${shortNumber(distribution.low, 3)} … ${shortNumber(distribution.high, 3)}`;
  const shown = distribution.values.slice(0, mostValues).map(shortValue);
  const left = distribution.values.length - shown.length;
  return `${shown.join(", ")}${left > 0 ? ` and ${left} more` : ""}`;
}

const row = (head: string, texts: readonly string[], kind: "th" | "td" = "td"): string =>
  `<tr><th>${head}</th>${texts.map((text) => `<${kind}>${text}</${kind}>`).join("")}</tr>`;

/**
 * A page that links to those of all stages: a column for each, with its trials, its best value and the part of the space that
 * was left to it.
 *
 * @example
 * ```ts
 * import { Space, stagesPage, uniform } from "gradus/tune";
 * const stages = [1, 0.1].map((high, i) => ({
 *   ...{ space: new Space({ x: uniform(0, high) }), trials: [], link: `stage-${i + 1}/index.html` },
 * }));
 * const page = stagesPage({ title: "x", metric: "loss", direction: "minimize", stages, planned: 2 });
 * console.log(page.includes("<td>0 … 1</td><td>0 … 0.1</td>")); // → true
 * ```
 */
export function stagesPage({
  title,
  metric,
  direction,
  stages,
  planned,
}: StagesPageOptions): string {
  const values = stages.map(({ trials }) =>
    shortValue(bestOf(finishedTrials(trials), direction)?.value),
  );
  const links = stages.map(({ link }, i) => `<a href="${escapeXml(link)}">stage ${i + 1}</a>`);
  const complete = stages.map(
    ({ trials }) => `${finishedTrials(trials).length} of ${trials.length}`,
  );
  const names = [...new Set(stages.flatMap(({ space }) => space.names))];
  const ranges = names.map((name) => {
    const searched = stages.map(({ space }) => {
      const found = space.parameters.find((parameter) => parameter.name === name);
      return escapeXml(found ? rangeText(found.distribution) : "");
    });
    return row(escapeXml(name), searched);
  });
  const begun = stages.length < planned ? `; ${stages.length} of ${planned} stages begun` : "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title><style>${pageStyle}</style></head><body>
<h1>${escapeXml(title)}</h1>
<p>${escapeXml(direction)} ${escapeXml(metric)}, from coarse to fine${begun}</p>
<div class="table"><table><thead>${row("", links, "th")}</thead>
<tbody>
${row("complete trials", complete)}
${row(`best ${escapeXml(metric)}`, values)}
${ranges.join("\n")}
</tbody></table></div>
</body></html>
`;
}
