/**
 * A study in memory: the rules of what may happen to a trial, in one place. A storage in a file replays what is written there through
 * the same operations, so they do not wait for anything. Read study.ts for their use.
 */
import { ValueError } from "../core/errors.js";
import { LostTrialError, StudyError } from "./errors.js";
import type {
  Claim,
  ClaimLimits,
  Ending,
  ReleaseOptions,
  RequeueOptions,
  StudyDefinition,
  StudyStorage,
} from "./storage.js";
import type { Parameters, Report, TrialRecord } from "./types.js";

export interface MemoryStorageOptions {
  /** Milliseconds since 1970; default the computer's clock. */
  readonly now?: () => number;
}

/**
 * Keeps a study as long as the program runs.
 *
 * @example
 * ```ts
 * import { InMemoryStorage } from "gradus/tune";
 * const storage = new InMemoryStorage();
 * storage.enqueue({ lr: 0.1 });
 * const claim = storage.claim("me")!;
 * storage.tell(claim, { state: "complete", value: 2 });
 * console.log(storage.trials()[0]?.state, storage.trials()[0]?.value); // → complete 2
 * ```
 */
export class InMemoryStorage implements StudyStorage {
  readonly #now: () => number;
  #definition: StudyDefinition | undefined;
  readonly #trials: TrialRecord[] = [];

  constructor({ now = Date.now }: MemoryStorageOptions = {}) {
    this.#now = now;
  }

  open(definition: StudyDefinition): StudyDefinition {
    if (this.#definition) return this.#definition;
    this.#definition = definition;
    for (const parameters of definition.first ?? []) this.enqueue(parameters);
    return definition;
  }

  load(): StudyDefinition | undefined {
    return this.#definition;
  }

  trials(): readonly TrialRecord[] {
    return [...this.#trials];
  }

  enqueue(parameters: Parameters): TrialRecord {
    return this.#put({ ...this.#next("waiting"), parameters, attempt: 0, enqueued: true });
  }

  claim(worker: string, limits: ClaimLimits = {}): TrialRecord | undefined {
    const now = this.#now();
    const begun = { state: "running", worker, started: now, heartbeat: now } as const;
    const waiting = this.#trials.find(({ state }) => state === "waiting");
    if (waiting) return this.#put({ ...waiting, ...begun, attempt: waiting.attempt + 1 });
    if (!this.#leavesOne(limits)) return undefined;
    return this.#put({ ...this.#next("running"), ...begun });
  }

  decide(claim: Claim, parameters: Parameters): void {
    this.#put({ ...this.#running("decide", claim), parameters });
  }

  report(claim: Claim, step: number, value: number): void {
    if (!Number.isFinite(value) || !Number.isFinite(step))
      throw new ValueError("report", `step ${step} with value ${value}; expected finite numbers`);
    const { deaths, ...trial } = this.#running("report", claim);
    const others = trial.reports.filter((report: Report) => report.step !== step);
    const reports = [...others, { step, value }].sort((a, b) => a.step - b.step);
    // Where it gets further each time, the trial is not what its processes die of.
    const isFurther = trial.reports.every((report) => report.step < step);
    const row = deaths === undefined || isFurther ? {} : { deaths };
    this.#put({ ...trial, ...row, reports, heartbeat: this.#now() });
  }

  heartbeat(claim: Claim): void {
    this.#put({ ...this.#running("heartbeat", claim), heartbeat: this.#now() });
  }

  annotate(claim: Claim, attributes: TrialRecord["attributes"]): void {
    const trial = this.#running("annotate", claim);
    this.#put({ ...trial, attributes: { ...trial.attributes, ...attributes } });
  }

  tell(claim: Claim, ending: Ending): TrialRecord {
    if ("value" in ending && ending.value !== undefined && !Number.isFinite(ending.value))
      throw new ValueError("tell", `value is ${ending.value}; expected a finite number`);
    const trial = this.#running("tell", claim);
    const ended = this.#now();
    return this.#put({ ...trial, ...ending, heartbeat: ended, ended });
  }

  release(claim: Claim, { died = false }: ReleaseOptions = {}): void {
    const trial = this.#running("release", claim);
    this.#put(givenBack(died ? { ...trial, deaths: (trial.deaths ?? 0) + 1 } : trial));
  }

  requeue({ before, attempts = 3 }: RequeueOptions): TrialRecord[] {
    const silent = this.#trials.filter(
      ({ state, heartbeat }) => state === "running" && heartbeat! < before,
    );
    return silent.map((trial) => {
      const deaths = (trial.deaths ?? 0) + 1;
      if (deaths < attempts) return this.#put(givenBack({ ...trial, deaths }));
      const error = `its process died or fell silent ${deaths} times`;
      return this.#put({ ...trial, deaths, state: "failed", error, ended: this.#now() });
    });
  }

  #next(state: "waiting" | "running"): TrialRecord {
    const number = this.#trials.length;
    return { number, state, parameters: {}, attempt: 1, reports: [], attributes: {} };
  }

  #put(trial: TrialRecord): TrialRecord {
    this.#trials[trial.number] = trial;
    return trial;
  }

  #leavesOne({ trials = Infinity, sampled = Infinity }: ClaimLimits): boolean {
    if (this.#trials.length >= trials) return false;
    return this.#trials.reduce((sum, { enqueued }) => sum + Number(!enqueued), 0) < sampled;
  }

  #running(op: string, { number, attempt }: Claim): TrialRecord {
    const trial = this.#trials[number];
    if (!trial) throw new StudyError(op, `there is no trial ${number}`);
    if (trial.state === "running" && trial.attempt === attempt) return trial;
    const now = `${trial.state} in attempt ${trial.attempt}`;
    throw new LostTrialError(op, `trial ${number} is ${now}, not running in attempt ${attempt}`);
  }
}

function givenBack(trial: TrialRecord): TrialRecord {
  const { worker, started, heartbeat, ...rest } = trial;
  return { ...rest, state: "waiting" };
}
