/**
 * What became of a run, gathered event by event: how far it came, its curves, its best values, how it ended. Memory stays
 * bounded however long the run is. Works in a browser too; node/readRun.ts feeds it from a log.
 */
import type {
  EpochSummary,
  FailedEvent,
  FinishedEvent,
  HealthEvent,
  Measures,
  StartEvent,
  StoppedEvent,
} from "../events.js";
import { BoundedCurve, type Stretch } from "./boundedCurve.js";
import type { LogEntry, LoggedEvent } from "./loggedEvents.js";
import { isBetter, matricesOf, withoutMatrices } from "./measures.js";

/** What was measured with the validation data at a step. */
export interface Evaluation {
  readonly epoch: number;
  readonly step: number;
  readonly measures: Measures;
}

/** The best value of a measure, and where it was reached. */
export interface BestValue {
  readonly value: number;
  readonly epoch: number;
  readonly step: number;
}

/** Something that happened at a step, as a sentence. */
export interface RunNote {
  readonly epoch: number;
  readonly step: number;
  readonly text: string;
}

export type BestValues = Readonly<Record<string, BestValue>>;

const [maxEntries, maxNotes] = [5000, 50];

/** A list that keeps every second entry once it is full; the newest is always there. */
class ThinnedList<T extends { readonly step: number }> {
  #items: T[] = [];
  #newest: T | null = null;
  #stride = 1;
  #seen = 0;

  get items(): readonly T[] {
    const isKept = this.#newest === null || this.#items.at(-1) === this.#newest;
    return isKept ? this.#items : [...this.#items, this.#newest!];
  }

  add(item: T): void {
    this.#newest = item;
    if (this.#seen++ % this.#stride !== 0) return;
    this.#items.push(item);
    if (this.#items.length < maxEntries) return;
    this.#items = this.#items.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  /** Forgets what came at a step or after it; says whether there was any. */
  cutBack(step: number): boolean {
    if (this.#newest === null || this.#newest.step < step) return false;
    this.#items = this.items.filter((item) => item.step < step);
    this.#newest = this.#items.at(-1) ?? null;
    return true;
  }
}

export class RunHistory {
  readonly #steps = new BoundedCurve();
  readonly #rates = new BoundedCurve();
  readonly #epochs = new ThinnedList<EpochSummary>();
  readonly #evaluations = new ThinnedList<Evaluation>();
  #best = { train: new Map<string, BestValue>(), validation: new Map<string, BestValue>() };
  #segmentSeconds = 0;
  /** When the last epoch, or this part of the run, began. */
  #since: number | null = null;
  #epochSeconds = 0;
  /** As the run began, and as it was last taken up. */
  start: StartEvent | null = null;
  /** How the run ended; null as long as it goes on. */
  end: StoppedEvent | FinishedEvent | FailedEvent | null = null;
  health: HealthEvent | null = null;
  readonly notes: RunNote[] = [];
  /** The confusion matrices of the last evaluation, by name. */
  matrices: Readonly<Record<string, number[][]>> = {};
  step = 0;
  /** Epochs done. */
  epoch = 0;
  /** The first and the last time that the log names, in milliseconds since 1970. */
  begun: number | null = null;
  changed: number | null = null;
  /** The longest evaluation, in seconds: so long a run may be silent. */
  longestEvaluation = 0;

  add({ event, time }: LogEntry): void {
    this.begun ??= time;
    if (time !== null) this.changed = time;
    if (event.type === "start") this.#begin(event, time);
    if (event.type === "finished" || event.type === "stopped" || event.type === "failed")
      this.end = event;
    else if (event.type !== "checkpoint") this.end = null;
    if (event.type === "step") this.#addStep(event, time);
    if (event.type === "epoch") this.#addEpoch(event, time);
    if (event.type === "evaluation") this.#evaluate(event);
    if (event.type === "evaluation" && event.seconds > this.longestEvaluation)
      this.longestEvaluation = event.seconds;
    if (event.type === "health") this.health = event;
    this.#note(event);
    if (event.type !== "start" && event.step > this.step) this.step = event.step;
  }

  #note(event: LoggedEvent): void {
    const text = noteOf(event);
    if (text === null || event.type === "start" || event.type === "finished") return;
    this.notes.push({ epoch: event.epoch, step: event.step, text });
    if (this.notes.length > maxNotes) this.notes.shift();
  }

  #begin(event: StartEvent, time: number | null): void {
    this.start = event;
    this.#cutBack(event.step + 1);
    this.step = event.step;
    this.#since = time;
    this.#segmentSeconds = 0;
  }

  /** A log may hold steps that were done again after a run went on: the later ones count. */
  #cutBack(step: number): void {
    if (this.step < step) return;
    const cut = [this.#epochs.cutBack(step), this.#evaluations.cutBack(step)].some(Boolean);
    while (this.notes.length > 0 && this.notes.at(-1)!.step >= step) this.notes.pop();
    this.#steps.cutBack(step);
    this.#rates.cutBack(step);
    if (!cut) return;
    this.#best = { train: new Map(), validation: new Map() };
    for (const { train, ...place } of this.#epochs.items) keepBest(this.#best.train, train, place);
    for (const { measures, ...place } of this.#evaluations.items)
      keepBest(this.#best.validation, measures, place);
    this.epoch = this.#epochs.items.at(-1)?.epoch ?? 0;
  }

  #addStep({ step, loss, lr }: Extract<LoggedEvent, { type: "step" }>, time: number | null): void {
    if (step <= this.step) {
      this.#cutBack(step);
      this.step = step;
    }
    this.#steps.add(step, loss);
    this.#rates.add(step, lr);
    if (time !== null && this.#since !== null)
      this.#segmentSeconds = Math.max(0, (time - this.#since) / 1000);
  }

  #addEpoch(event: EpochSummary & { type?: "epoch" }, time: number | null): void {
    const { type: _, ...summary } = event;
    const { epoch, step, validation, seconds } = summary;
    const train = withoutMatrices(summary.train);
    const measured = validation && { validation: withoutMatrices(validation) };
    this.#epochs.cutBack(step);
    this.#epochs.add({ ...summary, train, ...measured });
    this.epoch = epoch;
    keepBest(this.#best.train, train, { epoch, step });
    if (validation) this.#evaluate({ epoch, step, measures: validation });
    this.#epochSeconds += seconds;
    this.#segmentSeconds = 0;
    this.#since = time;
  }

  #evaluate({ epoch, step, measures }: Evaluation): void {
    const plain = withoutMatrices(measures);
    if (plain !== measures) this.matrices = matricesOf(measures);
    this.#evaluations.cutBack(step);
    this.#evaluations.add({ epoch, step, measures: plain });
    keepBest(this.#best.validation, plain, { epoch, step });
  }

  /** The loss by step. */
  get steps(): readonly Stretch[] {
    return this.#steps.stretches;
  }

  /** The learning rate by step. */
  get rates(): readonly Stretch[] {
    return this.#rates.stretches;
  }

  get epochs(): readonly EpochSummary[] {
    return this.#epochs.items;
  }

  get evaluations(): readonly Evaluation[] {
    return this.#evaluations.items;
  }

  get best(): { readonly train: BestValues; readonly validation: BestValues } {
    const { train, validation } = this.#best;
    return { train: Object.fromEntries(train), validation: Object.fromEntries(validation) };
  }

  /** Time taken so far. */
  get seconds(): number {
    if (this.end?.type === "finished") return this.end.seconds;
    return this.#epochSeconds + this.#segmentSeconds;
  }
}

function keepBest(
  best: Map<string, BestValue>,
  measures: Measures,
  { epoch, step }: { readonly epoch: number; readonly step: number },
): void {
  for (const [name, value] of Object.entries(measures))
    if (isBetter(name, value, best.get(name)?.value)) best.set(name, { value, epoch, step });
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

function noteOf(event: LoggedEvent): string | null {
  switch (event.type) {
    case "rate":
      return `learning rate ${short(event.from)} → ${short(event.to)}: ${event.reason}`;
    case "earlyStop":
      return `ended early: ${event.reason}`;
    case "weights": {
      const what = event.source === "best" ? "the best weights" : "averaged weights";
      return `the model got ${what} of step ${event.from.step}`;
    }
    default:
      return null;
  }
}
