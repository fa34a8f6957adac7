/** A run's log, log.jsonl: its events, one a line, which also give the curves when a run goes on. */
import * as fs from "node:fs";
import type { WriteOptions } from "../../io/files.js";
import { JsonLinesWriter } from "../../io/jsonLines.js";
import type { StepRecord } from "../draw/index.js";
import type { TrainEvent } from "../events.js";
import { BoundedCurve } from "../runs/boundedCurve.js";
import { readLog } from "./readRun.js";

/** What a step's line holds: there are many, and the rest can be told from them. */
const logged = (event: TrainEvent): object => {
  if (event.type !== "step") return event;
  const { type, epoch, step, loss, lr, gradientNorm } = event;
  return { type, epoch, step, loss, lr, ...(gradientNorm !== undefined && { gradientNorm }) };
};

export class RunLog {
  readonly #losses = new BoundedCurve();
  readonly #writer: JsonLinesWriter;

  /**
   * Opens a log to append to.
   *
   * @param position bytes to keep: what a run wrote after its last checkpoint, it will write again.
   */
  constructor(path: string, position: number, write: WriteOptions) {
    const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    // Somebody, or a power cut, may have shortened or damaged the log: then the run goes on with what is left.
    const rest = new JsonLinesWriter(path, write);
    const isLonger = rest.position > position;
    if (isLonger) rest.close();
    this.#writer = isLonger ? new JsonLinesWriter(path, { ...write, position }) : rest;
    if (size > 0)
      for (const { event } of readLog(path))
        if (event.type === "step") this.#losses.add(event.step, event.loss);
  }

  /** The losses of the steps in the log, of several steps each where there are thousands; NaN where one is not finite. */
  get steps(): StepRecord[] {
    return this.#losses.stretches.map(({ last, mean, bad }) => ({
      step: last,
      loss: bad > 0 ? Number.NaN : mean,
    }));
  }

  get position(): number {
    return this.#writer.position;
  }

  write(event: TrainEvent): void {
    if (event.type === "step") this.#losses.add(event.step, event.loss);
    this.#writer.write({ time: new Date().toISOString(), ...logged(event) });
  }

  /** Brings what was written to the disk. */
  flush(): void {
    this.#writer.flush();
  }

  close(): void {
    this.#writer.close();
  }
}
