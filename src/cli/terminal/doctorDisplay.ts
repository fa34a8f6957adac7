/** Shows an examination: a line that moves while a step is at work, a mark and a sentence when it is over, the verdict at the end. */
import type {
  Diagnosis,
  DoctorEvent,
  DoctorReport,
  Severity,
  StepResult,
} from "../../train/index.js";
import { duration } from "./format.js";
import type { Screen } from "./screen.js";
import { bar, type Style } from "./style.js";
import { printable } from "./table.js";

const redrawMilliseconds = 80;
const [titleWidth, barWidth, mostDetails] = [26, 16, 12];

/** Words in lines that are no longer than `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function mark(status: StepResult["status"], style: Style): string {
  if (status === "passed") return style.good("✓");
  if (status === "failed") return style.bad("✗");
  return status === "warned" ? style.accent("!") : style.dim("–");
}

/** A text under a hanging indent. */
function block(
  screen: Screen,
  first: string,
  indent: number,
  text: string,
  paint = (line: string) => line,
): void {
  const width = Math.max(20, Math.min(screen.columns, 110) - indent - 1);
  for (const [i, line] of wrap(printable(text, 2000), width).entries())
    screen.line(`${i === 0 ? first : " ".repeat(indent)}${paint(line)}`);
}

const severityWords: Readonly<Record<Severity, string>> = {
  problem: "problem",
  warning: "remark",
  note: "note",
};

/** Findings with what to do about each. */
export function showDiagnoses(screen: Screen, diagnoses: readonly Diagnosis[]): void {
  const { style } = screen;
  for (const { symptom, severity, evidence, advice } of diagnoses) {
    const paint = severity === "problem" ? style.bad : style.accent;
    screen.line();
    screen.line(
      `${paint(severity === "problem" ? "✗" : "!")} ${style.bold(symptom)} ${style.dim(severityWords[severity])}`,
    );
    block(screen, "  ", 2, evidence);
    block(screen, `  ${style.accent("→")} `, 4, advice);
  }
}

export class DoctorDisplay {
  readonly #screen: Screen;
  readonly #isQuiet: boolean;
  #title = "";
  #number = 0;
  #lastDraw = Number.NEGATIVE_INFINITY;

  constructor(screen: Screen, { quiet }: { readonly quiet: boolean }) {
    this.#screen = screen;
    this.#isQuiet = quiet;
  }

  introduce(name: string, backend: string): void {
    if (this.#isQuiet) return;
    const { style } = this.#screen;
    this.#screen.line(
      `${style.bold("Examining")} ${printable(name)} ${style.dim(`on ${backend}`)}`,
    );
    this.#screen.line();
  }

  onEvent(event: DoctorEvent): void {
    if (this.#isQuiet) return;
    if (event.type === "begin") {
      this.#title = event.title;
      this.#number = event.number;
      this.#draw(0, "");
    } else if (event.type === "progress") {
      const now = performance.now();
      if (now - this.#lastDraw < redrawMilliseconds) return;
      this.#lastDraw = now;
      this.#draw(event.share, event.text);
    } else this.#showResult(event.result);
  }

  #draw(share: number, text: string): void {
    const { style } = this.#screen;
    const title = this.#title.padEnd(titleWidth);
    this.#screen.status(
      `${style.accent("…")} ${this.#number} ${title} ${bar(share, barWidth, style)} ${style.dim(text)}`,
    );
  }

  #showResult({ number, title, status, sentence, details, seconds, name }: StepResult): void {
    // The verdict is shown by itself, below.
    if (name === "verdict") return;
    const { style } = this.#screen;
    const head = `${mark(status, style)} ${number} ${style.bold(title.padEnd(titleWidth))} `;
    block(this.#screen, head, titleWidth + 5, `${sentence} (${duration(seconds)})`);
    for (const line of details.slice(0, mostDetails))
      block(this.#screen, "    ", 4, line, style.dim);
  }

  /** The verdict, what to do, where it is written. */
  conclude(report: DoctorReport, path: string, files: readonly string[]): void {
    const { style } = this.#screen;
    const screen = this.#screen;
    const paint = { healthy: style.good, problems: style.bad, stopped: style.accent }[
      report.status
    ];
    if (!this.#isQuiet) screen.line();
    block(screen, paint(style.bold("Verdict  ")), 9, report.verdict);
    for (const one of report.advice) block(screen, `  ${style.accent("→")} `, 4, one);
    screen.line();
    screen.line(`Written to ${printable(path)}: ${files.join(", ")}`);
  }
}
