/**
 * What a study needs from whatever keeps it: memory, a file, a database. All that several processes could do at once is one
 * operation here, and each operation happens as a whole or not at all. Read memoryStorage.ts for the plainest one.
 */
import type { SpaceJson } from "./space/space.js";
import type { Direction, Parameters, TrialRecord } from "./types.js";

/** A sampler's or a pruner's name and options, as JSON. */
export interface NamedOptions {
  readonly kind: string;
  readonly [option: string]: unknown;
}

/** What a study is, decided when it is made; the same for all that work on it. */
export interface StudyDefinition {
  readonly name: string;
  readonly direction: Direction;
  readonly space: SpaceJson;
  readonly sampler: NamedOptions;
  /** `{ kind: "none" }` where nothing is pruned. */
  readonly pruner: NamedOptions;
  /** Trials that are in line from the beginning: their parameters, or some of them. */
  readonly first?: readonly Parameters[];
  /** Milliseconds since 1970. */
  readonly created: number;
}

/** A trial that somebody works on. It is lost when the trial was given back, since that begins another attempt. */
export interface Claim {
  readonly number: number;
  readonly attempt: number;
}

/** How a trial ended. Values are finite. */
export type Ending =
  | { readonly state: "complete"; readonly value: number }
  | { readonly state: "pruned"; readonly value?: number; readonly error?: string }
  | { readonly state: "failed"; readonly error: string };

/** How many trials a claim may lead to; without limits there is always one more. */
export interface ClaimLimits {
  /** In the whole study. */
  readonly trials?: number;
  /** Of those that the sampler made; enqueued ones come on top. */
  readonly sampled?: number;
}

export interface RequeueOptions {
  /** Running trials with their last sign of life before this, in milliseconds since 1970. */
  readonly before: number;
  /** A trial whose processes died so often in a row fails instead; default 3. It may be what kills them. */
  readonly attempts?: number;
}

export interface ReleaseOptions {
  /** Whether its process died, and did not give it back itself; default false. */
  readonly died?: boolean;
}

type Awaitable<T> = T | Promise<T>;

/**
 * Keeps one study. Operations with a {@link Claim} throw a {@link LostTrialError} and change nothing if the trial is not running in
 * that attempt any more: so nothing is told twice, whoever comes back to life.
 */
export interface StudyStorage {
  /** The study that is there, else makes it of this definition, with its first trials: of several processes one makes it and all get the same. */
  open(definition: StudyDefinition): Awaitable<StudyDefinition>;
  /** The study that is there, if any. */
  load(): Awaitable<StudyDefinition | undefined>;
  /** All trials by number. */
  trials(): Awaitable<readonly TrialRecord[]>;
  /** Puts a trial in line with these parameters, or some of them. */
  enqueue(parameters: Parameters): Awaitable<TrialRecord>;
  /**
   * Takes the first trial in line, else makes one with the next number and no parameters: running from now on. Undefined when the
   * limits leave none.
   */
  claim(worker: string, limits?: ClaimLimits): Awaitable<TrialRecord | undefined>;
  /** Says what a claimed trial's parameters are. */
  decide(claim: Claim, parameters: Parameters): Awaitable<void>;
  /** Adds a report, in place of an earlier one for the same step; also a sign of life. A further step ends a row of deaths. */
  report(claim: Claim, step: number, value: number): Awaitable<void>;
  /** A sign of life. */
  heartbeat(claim: Claim): Awaitable<void>;
  /** Adds attributes to those that a trial has. */
  annotate(claim: Claim, attributes: TrialRecord["attributes"]): Awaitable<void>;
  /** Ends a trial. */
  tell(claim: Claim, ending: Ending): Awaitable<TrialRecord>;
  /** Gives a trial back: it waits, with its parameters and reports, for the next claim. */
  release(claim: Claim, options?: ReleaseOptions): Awaitable<void>;
  /** Gives back all trials of processes that went silent, as with `died`; returns those that changed. */
  requeue(options: RequeueOptions): Awaitable<readonly TrialRecord[]>;
  /** Lets go of files and connections. */
  close?(): Awaitable<void>;
}
