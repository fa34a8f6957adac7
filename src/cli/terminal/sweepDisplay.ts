/** Shows a sweep: a row for each trial that ends, and a line that moves below them. Read sweepTable.ts for the results. */

import { shortNumber } from "../../tune/draw/table.js";
import type { Direction, Parameters, TrialRecord } from "../../tune/index.js";
import type { SweepEvent } from "../../tune/node/index.js";
import { count, duration, plural, timeLeft } from "./format.js";
import type { Screen } from "./screen.js";
import { bar } from "./style.js";
import { printable } from "./table.js";

const redrawMilliseconds = 100;
const [leastBar, mostBar] = [8, 24];
const stateWidth = 9;

/** A number as it is shown in tables: six digits. */
export const valueText = (value: number | undefined): string =>
  value === undefined ? "" : shortNumber(value);

/** Ends of paths that say nothing without what stands before them. */
const vague = /^(name|kind|\d+)$/;

/** The ends of paths by which they can still be told apart: `lr` of `optim.lr`, but `optim.name`. */
export function shortNames(names: readonly string[]): ReadonlyMap<string, string> {
  const end = (name: string, count: number) => name.split(".").slice(-count).join(".");
  return new Map(
    names.map((name) => {
      for (let count = 1; ; count++) {
        const short = end(name, count);
        const isAlone = names.every((other) => other === name || end(other, count) !== short);
        if (short === name || (isAlone && !vague.test(short))) return [name, short];
      }
    }),
  );
}

/** Parameters in one line: `lr=0.003  optim.name=adam`. */
export const parametersText = (
  parameters: Parameters,
  names: ReadonlyMap<string, string>,
): string =>
  Object.entries(parameters)
    .map(([name, value]) => {
      const text = typeof value === "number" ? shortNumber(value, 4) : value;
      return printable(`${names.get(name) ?? name}=${text}`, 60);
    })
    .join("  ");

export class SweepDisplay {
  readonly #out: Screen;
  readonly #err: Screen;
  readonly #isQuiet: boolean;
  readonly #direction: Direction;
  readonly #shares = new Map<number, number>();
  #trials = 0;
  #ended = 0;
  #before = 0;
  #begun = performance.now();
  #lastDraw = Number.NEGATIVE_INFINITY;
  #best: TrialRecord | undefined;
  #names: ReadonlyMap<string, string> = new Map();

  constructor(out: Screen, err: Screen, options: { quiet: boolean; direction: Direction }) {
    this.#out = out;
    this.#err = err;
    this.#isQuiet = options.quiet;
    this.#direction = options.direction;
  }

  /** A search begins, alone or as a stage, of parameters with these names. */
  begin(names: readonly string[]): void {
    this.#names = shortNames(names);
  }

  onEvent(event: SweepEvent): void {
    if (this.#isQuiet) return;
    switch (event.type) {
      case "start":
        this.#start(event);
        break;
      case "begin":
        this.#shares.set(event.number, 0);
        break;
      case "progress":
        this.#shares.set(event.number, event.share);
        break;
      case "end":
        this.#end(event.trial);
        break;
      case "back":
        this.#shares.delete(event.trial.number);
        this.#err.line(`trial ${event.trial.number} goes back in line: ${event.reason}`);
        break;
      case "output":
        for (const line of event.text.trimEnd().split("\n"))
          this.#err.line(this.#err.style.dim(`worker ${event.worker}: ${printable(line, 400)}`));
        break;
      default:
        break;
    }
    this.#draw();
  }

  #start({ ended, trials, workers, threads, best }: Extract<SweepEvent, { type: "start" }>): void {
    [this.#trials, this.#ended, this.#before] = [trials, ended, ended];
    this.#begun = performance.now();
    this.#shares.clear();
    this.#best = best;
    const sharing = `${plural(workers, "process", "processes")} of ${plural(threads, "thread")}`;
    const done = ended > 0 ? `; ${count(ended)} ended before` : "";
    this.#out.line(this.#out.style.dim(`${plural(trials, "trial")} by ${sharing}${done}`));
  }

  #end(trial: TrialRecord): void {
    this.#ended++;
    this.#shares.delete(trial.number);
    const { style } = this.#out;
    const isBest = trial.state === "complete" && this.#isBetter(trial);
    if (isBest) this.#best = trial;
    const state =
      trial.state === "failed"
        ? style.bad("failed".padEnd(stateWidth))
        : trial.state.padEnd(stateWidth);
    const value = valueText(trial.value).padStart(10);
    const why = trial.error ? `  ${printable(trial.error, 200)}` : "";
    const number = String(trial.number).padStart(5);
    this.#out.line(
      `${number}  ${state} ${isBest ? style.bold(style.good(value)) : value}  ` +
        `${style.dim(parametersText(trial.parameters, this.#names))}${why}`,
    );
  }

  #isBetter({ value }: TrialRecord): boolean {
    const best = this.#best?.value;
    if (best === undefined) return true;
    return this.#direction === "minimize" ? value! < best : value! > best;
  }

  /** The status line; the bar takes what room the numbers leave. */
  #draw(): void {
    const now = performance.now();
    if (now - this.#lastDraw < redrawMilliseconds) return;
    this.#lastDraw = now;
    const { style } = this.#out;
    const under = [...this.#shares.values()].reduce((sum, share) => sum + share, 0);
    const done = this.#ended + under;
    const share = this.#trials === 0 ? 0 : done / this.#trials;
    const head = `trial ${Math.min(this.#ended, this.#trials)}/${this.#trials}`;
    const facts = this.#facts(done, now);
    const room = () => this.#out.columns - 2 - `${head}    ${facts.join("  ")}`.length;
    while (facts.length > 1 && room() < leastBar) facts.pop();
    const width = Math.min(mostBar, room());
    const drawn = width < 4 ? "" : `${bar(share, width, style)}  `;
    this.#out.status(`${style.bold(head)}  ${drawn}${style.dim(facts.join("  "))}`);
  }

  #facts(done: number, now: number): string[] {
    const seconds = (now - this.#begun) / 1000;
    const rate = (done - this.#before) / seconds;
    const left = (this.#trials - done) / rate;
    return [
      this.#best ? `best ${valueText(this.#best.value)} (trial ${this.#best.number})` : "",
      ...(done - this.#before >= 1 && left > 0 ? [timeLeft(left)] : [duration(seconds)]),
      `${this.#shares.size} running`,
    ].filter((text) => text !== "");
  }
}
