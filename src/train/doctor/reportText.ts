/** A report as Markdown, for people, and as plain JSON, for programs. Read pictures.ts for its pictures. */
import { figure, share } from "./diagnosis.js";
import type { DoctorReport, StepStatus } from "./types.js";

const signs: Readonly<Record<StepStatus, string>> = {
  passed: "✓",
  warned: "!",
  failed: "✗",
  skipped: "–",
};

export const signOf = (status: StepStatus): string => signs[status];

/** Text that Markdown shows as it is. */
const escape = (text: string): string => text.replace(/[\\`*_{}[\]<>#|]/g, "\\$&");

const captions: Readonly<Record<string, string>> = {
  "overfit.svg": "A few batches learned by heart",
  "range-test.svg": "Learning-rate range test",
  "runs.svg": "Longer runs",
  "health.svg": "Inside the network",
};

function trialTable({ trials }: DoctorReport): string[] {
  if (trials.length === 0) return [];
  const rows = trials.map(({ lr, weightDecay, loss, accuracy }) => {
    const cells = [
      ...[figure(lr), weightDecay === null ? "–" : figure(weightDecay)],
      ...[
        Number.isFinite(loss) ? figure(loss) : "diverged",
        accuracy === null ? "–" : share(accuracy),
      ],
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    ...["## Coarse search", "", "| rate | weight decay | loss | accuracy |", "|---|---|---|---|"],
    ...[...rows, ""],
  ];
}

/**
 * The report as Markdown.
 *
 * @param name what was examined.
 * @param pictures the names of picture files beside it.
 */
export function doctorMarkdown(
  report: DoctorReport,
  name: string,
  pictures: Iterable<string> = [],
): string {
  const { verdict, advice, steps, diagnoses, settings } = report;
  const chosen = Object.entries(settings).map(([path, value]) => `- \`${path}\`: ${value}`);
  const lines = [
    ...[`# ${escape(name)}`, "", `**${escape(verdict)}**`, ""],
    ...(advice.length > 0
      ? ["## What to do", "", ...advice.map((one) => `- ${escape(one)}`), ""]
      : []),
    ...(chosen.length > 0 ? ["## Settings found", "", ...chosen, ""] : []),
    ...["## Steps", ""],
    ...steps.flatMap(({ number, title, status, sentence, details }) => [
      `${number}. ${signOf(status)} **${escape(title)}.** ${escape(sentence)}`,
      ...details.map((line) => `   - ${escape(line)}`),
    ]),
    "",
    ...(diagnoses.length > 0 ? ["## Findings", ""] : []),
    ...diagnoses.map(
      ({ symptom, severity, evidence, advice: cure }) =>
        `- **${symptom}** (${severity}): ${escape(evidence)} ${escape(cure)}`,
    ),
    ...(diagnoses.length > 0 ? [""] : []),
    ...trialTable(report),
    ...[...pictures].flatMap((file) => [`![${captions[file] ?? file}](${file})`, ""]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Numbers that JSON lacks as their names. */
const spelled = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

/** The report as JSON, without the events of its runs. */
export function doctorJson(report: DoctorReport, name: string): string {
  const runs = report.runs.map(({ events: _, ...rest }) => rest);
  return `${JSON.stringify({ name, ...report, runs }, spelled, 2)}\n`;
}
