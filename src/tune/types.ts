/**
 * The words of a search: a study holds trials; a trial is one choice of parameters from a space, with its reports and its end.
 * Read space.ts for spaces, study.ts for asking and telling.
 */

/** The value of one parameter. */
export type ParameterValue = number | string | boolean | null;

/** A choice from a space: values by the parameters' names. Parameters whose condition does not hold are left out. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

export type Direction = "minimize" | "maximize";

/**
 * `waiting` in line (added by hand, or given back by a process that died), `running`, `complete` with a value, `pruned` before
 * its end, `failed` with an error.
 */
export type TrialState = "waiting" | "running" | "complete" | "pruned" | "failed";

/** What a trial had reached after so many steps (epochs, as a rule). */
export interface Report {
  readonly step: number;
  readonly value: number;
}

/** One trial as a study's storage keeps it. */
export interface TrialRecord {
  /** From 0, in the order in which they were asked for. */
  readonly number: number;
  readonly state: TrialState;
  /** All that are there, once the trial was asked for; of a waiting one any part of them. */
  readonly parameters: Parameters;
  /** How often it was begun: 1, and one more each time that it had been given back. */
  readonly attempt: number;
  /** How often in a row its process died or fell silent before it had reported a further step; left out for never. */
  readonly deaths?: number;
  /** Added by hand, not by the sampler. */
  readonly enqueued?: boolean;
  /** What the objective gave; there for `complete`, and for `pruned` the last report. */
  readonly value?: number;
  /** In the order of their steps, one a step. */
  readonly reports: readonly Report[];
  /** Who has it, while it is running: host, process and worker. */
  readonly worker?: string;
  /** Milliseconds since 1970: asked for, last sign of life, told. */
  readonly started?: number;
  readonly heartbeat?: number;
  readonly ended?: number;
  /** Why it failed. */
  readonly error?: string;
  /** Anything that belongs to it, such as the folder of its run, by name. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}
