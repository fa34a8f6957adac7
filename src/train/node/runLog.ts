/** A run's log, log.jsonl: its events, one a line, which also give the curves when a run goes on. */
import * as fs from "node:fs";
import type { WriteOptions } from "../../io/files.js";
import { JsonLinesWriter, readJsonLines } from "../../io/jsonLines.js";
import type { StepRecord } from "../draw/index.js";
import type { TrainEvent } from "../events.js";

/** What a step's line holds: there are many, and the rest can be told from them. */
const logged = (event: TrainEvent): object => {
  if (event.type !== "step") return event;
  const { type, epoch, step, loss, lr, gradientNorm } = event;
  return { type, epoch, step, loss, lr, ...(gradientNorm !== undefined && { gradientNorm }) };
};

export class RunLog {
  /** The losses of all steps in the log. */
  readonly steps: StepRecord[] = [];
  readonly #writer: JsonLinesWriter;

  /**
   * Opens a log to append to.
   *
   * @param position bytes to keep: what a run wrote after its last checkpoint, it will write again.
   */
  constructor(path: string, position: number, write: WriteOptions) {
    const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    // Somebody may have deleted or shortened the log: then the run goes on with what is left.
    const kept = position <= size ? { position } : {};
    this.#writer = new JsonLinesWriter(path, { ...write, ...kept });
    if (size > 0) this.steps.push(...readJsonLines(path).flatMap(stepOf));
  }

  get position(): number {
    return this.#writer.position;
  }

  write(event: TrainEvent): void {
    if (event.type === "step") this.steps.push({ step: event.step, loss: event.loss });
    this.#writer.write({ time: new Date().toISOString(), ...logged(event) });
  }

  close(): void {
    this.#writer.close();
  }
}

function stepOf(line: unknown): StepRecord[] {
  const { type, step, loss } = (line ?? {}) as { type?: unknown; step?: unknown; loss?: unknown };
  return type === "step" && typeof step === "number" && typeof loss === "number"
    ? [{ step, loss }]
    : [];
}
