/**
 * A study: trials asked for, worked on and told, by one process or by many that share a storage. Read storage.ts for what is behind
 * it, samplers/ and pruners/ for how it chooses.
 */
import { ValueError } from "../core/errors.js";
import { LostTrialError, StudyError } from "./errors.js";
import { InMemoryStorage } from "./memoryStorage.js";
import { type Objective, type OptimizeOptions, optimize } from "./optimize.js";
import { makePruner } from "./pruners/make.js";
import { NoPruner, type Pruner } from "./pruners/pruner.js";
import { makeSampler } from "./samplers/make.js";
import type { Sampler } from "./samplers/sampler.js";
import { TPESampler } from "./samplers/tpe.js";
import { Space, type SpaceTree, type ValuesOf } from "./space/space.js";
import type { Claim, ClaimLimits, Ending, StudyDefinition, StudyStorage } from "./storage.js";
import { Trial } from "./trial.js";
import type { Direction, Parameters, TrialRecord } from "./types.js";

/** How this process takes part in a study. */
export interface StudyMember {
  /** Default in memory. */
  readonly storage?: StudyStorage;
  /** Default the one that the study was made with, else TPE. */
  readonly sampler?: Sampler;
  /** Default the one that the study was made with, else none. */
  readonly pruner?: Pruner;
  /** A name for this process in the records; default a random one. */
  readonly worker?: string;
  /** Milliseconds without a sign of life after which a trial is given to somebody else; default never. */
  readonly staleAfter?: number;
}

export interface StudyOptions<T> extends StudyMember {
  /** What to choose from: an object of distributions, or a Space. */
  readonly space: T;
  /** Trials to begin with, put in line when the study is made: their parameters, or some of them. */
  readonly first?: readonly Partial<ParametersOf<T>>[];
  /** Default "minimize". */
  readonly direction?: Direction;
  /** Default "study". */
  readonly name?: string;
}

/** Values of a space or of the tree that it is made of. */
export type ParametersOf<T> = T extends Space<infer P> ? P : ValuesOf<T>;

const directions: readonly Direction[] = ["minimize", "maximize"];

/**
 * Begins a study, or takes part in the one that the storage holds.
 *
 * @throws ValueError for a space that cannot be; StudyError if the storage holds a study of another space or direction.
 * @example
 * ```ts
 * import { choice, createStudy, uniform } from "gradus/tune";
 * const study = await createStudy({ space: { x: uniform(-5, 5), shift: choice([0, 1]) } });
 * await study.optimize(({ parameters: { x, shift } }) => (x - 2) ** 2 + shift, { trials: 60 });
 * const best = await study.bestTrial();
 * console.log(best!.parameters.shift, Math.abs(Number(best!.parameters.x) - 2) < 0.5); // → 0 true
 * ```
 */
export async function createStudy<const T extends Space<unknown> | SpaceTree>(
  options: StudyOptions<T>,
): Promise<Study<ParametersOf<T>>> {
  const { direction = "minimize", name = "study", storage = new InMemoryStorage() } = options;
  const first = options.first as readonly Parameters[] | undefined;
  if (!directions.includes(direction))
    throw new ValueError(
      "createStudy",
      `direction is "${direction}"; expected minimize or maximize`,
    );
  const space =
    options.space instanceof Space ? options.space : new Space(options.space as SpaceTree);
  for (const parameters of first ?? []) space.check("createStudy", parameters, { partial: true });
  const wanted: StudyDefinition = {
    ...{ name, direction, space: space.toJSON(), created: Date.now(), ...(first && { first }) },
    sampler: (options.sampler ?? new TPESampler()).settings,
    pruner: (options.pruner ?? new NoPruner()).settings,
  };
  const found = await storage.open(wanted);
  for (const part of ["direction", "space"] as const)
    if (JSON.stringify(found[part]) !== JSON.stringify(wanted[part]))
      throw new StudyError(
        "createStudy",
        `there is a study "${found.name}" already with another ${part}; take another storage, or loadStudy`,
      );
  return new Study(found, { ...options, storage });
}

/**
 * Takes part in a study that a storage holds.
 *
 * @throws StudyError if it holds none.
 * @example
 * ```ts
 * import { createStudy, InMemoryStorage, loadStudy, uniform } from "gradus/tune";
 * const storage = new InMemoryStorage();
 * await createStudy({ storage, space: { x: uniform(0, 1) } });
 * console.log((await loadStudy(storage)).space.names); // → [ 'x' ]
 * ```
 */
export async function loadStudy(
  storage: StudyStorage,
  member: Omit<StudyMember, "storage"> = {},
): Promise<Study> {
  const definition = await storage.load();
  if (!definition) throw new StudyError("loadStudy", "the storage holds no study; make one first");
  return new Study(definition, { ...member, storage });
}

/** A search and its trials. Made by {@link createStudy} and {@link loadStudy}. */
export class Study<P = Parameters> {
  readonly definition: StudyDefinition;
  readonly space: Space<P>;
  readonly direction: Direction;
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  readonly storage: StudyStorage;
  readonly worker: string;
  readonly staleAfter: number;

  /** @internal */
  constructor(definition: StudyDefinition, member: StudyMember & { storage: StudyStorage }) {
    this.definition = definition;
    this.space = new Space<P>(definition.space);
    this.direction = definition.direction;
    this.storage = member.storage;
    this.sampler = member.sampler ?? makeSampler(definition.sampler);
    this.pruner = member.pruner ?? makePruner(definition.pruner);
    this.worker = member.worker ?? crypto.randomUUID();
    this.staleAfter = member.staleAfter ?? Infinity;
    if (!(this.staleAfter > 0))
      throw new ValueError("Study", `staleAfter is ${this.staleAfter}; expected milliseconds > 0`);
  }

  /**
   * A trial to work on: the first in line, else a new one from the sampler. Undefined when the limits, or the sampler's own (a grid
   * ends), leave none.
   */
  async ask(limits: ClaimLimits = {}): Promise<Trial<P> | undefined> {
    const { storage, sampler, staleAfter } = this;
    if (staleAfter < Infinity) await storage.requeue({ before: Date.now() - staleAfter });
    const size = sampler.size?.(this.space as Space) ?? Infinity;
    const sampled = Math.min(limits.sampled ?? Infinity, size);
    const record = await storage.claim(this.worker, { ...limits, sampled });
    if (!record) return undefined;
    try {
      return new Trial<P>(this, await this.#decided(record));
    } catch (error) {
      // Silent for too long between the two operations: somebody else has it.
      if (error instanceof LostTrialError) return this.ask(limits);
      await storage.release(record);
      throw error;
    }
  }

  /** Lets the sampler choose what the trial has no value for. */
  async #decided(record: TrialRecord): Promise<TrialRecord> {
    const { parameters: fixed, number } = record;
    const space = this.space as Space;
    // One that was given back has all its values, which must stay as they are.
    const decided = space.choose((p) => fixed[p.name] ?? null, fixed);
    if (Object.keys(decided).every((name) => Object.hasOwn(fixed, name))) return record;
    const trials = await this.storage.trials();
    const { direction } = this;
    const parameters = this.sampler.sample({ space, direction, number, trials, fixed });
    space.check("ask", parameters);
    await this.storage.decide(record, parameters);
    return { ...record, parameters };
  }

  /**
   * Ends a trial: with its value, as pruned or as failed. NaN and infinity count as pruned: it is known to be bad.
   *
   * @throws LostTrialError when the trial was given back to the line in the meantime, or told before.
   */
  async tell(trial: Claim, result: number | Ending): Promise<TrialRecord> {
    return this.storage.tell(trial, typeof result === "number" ? endingOf(result) : result);
  }

  /**
   * Puts a trial in line with these parameters, or some of them: the sampler chooses the others.
   *
   * @throws ValueError for a name or value that is not in the space.
   */
  async enqueue(parameters: Partial<P>): Promise<TrialRecord> {
    this.space.check("enqueue", parameters as Parameters, { partial: true });
    return this.storage.enqueue(parameters as Parameters);
  }

  /** All trials by number. */
  async trials(): Promise<readonly TrialRecord[]> {
    return this.storage.trials();
  }

  /** The complete trial with the best value, the earliest of several; undefined before there is one. */
  async bestTrial(): Promise<TrialRecord | undefined> {
    return bestOf(await this.trials(), this.direction);
  }

  /**
   * Asks, runs the objective and tells, until the study has so many trials. What it returns is the trial's value; a trial ends early
   * with a {@link PrunedError}. When the signal comes, the trials at work go back into the line.
   */
  async optimize(objective: Objective<P>, options: OptimizeOptions): Promise<void> {
    await optimize(this, objective, options);
  }
}

/** How a trial ends with a value. */
function endingOf(value: number): Ending {
  if (Number.isFinite(value)) return { state: "complete", value };
  return { state: "pruned", error: `the objective gave ${value}` };
}

/** The complete trial with the best value, the earliest of several. */
export function bestOf(
  trials: readonly TrialRecord[],
  direction: Direction,
): TrialRecord | undefined {
  const sign = direction === "minimize" ? 1 : -1;
  const complete = trials.filter(({ state }) => state === "complete");
  return complete.reduce<TrialRecord | undefined>(
    (best, trial) => (best && sign * best.value! <= sign * trial.value! ? best : trial),
    undefined,
  );
}
