/**
 * The base of learning-rate schedules: a rule says how each group's rate follows from the step; the scheduler counts steps, sets
 * rates and keeps its state. Read steps.ts for rules.
 */
import { ValueError } from "../../core/errors.js";
import type { ParamGroup } from "../paramGroup.js";

/** What a schedule changes: anything with parameter groups, such as an optimizer. */
export interface Scheduled {
  readonly paramGroups: readonly ParamGroup[];
}

/** Plain values, so that a state can be written as JSON. */
export type Plain =
  | number
  | string
  | boolean
  | null
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** A scheduler's state: counters, rates, and the settings that it must agree in. */
export type SchedulerState = Readonly<Record<string, Plain>>;

/** One learning rate's place in a schedule. */
export interface Place {
  /** Steps of the scheduler since the start. */
  readonly epoch: number;
  /** The group's rate now. */
  readonly lr: number;
  /** The group's rate at the start. */
  readonly base: number;
  /** The group's number. */
  readonly group: number;
}

export interface ScheduleRule {
  readonly name: string;
  /** What makes one schedule differ from another of its kind: kept in the state. */
  readonly settings: Readonly<Record<string, Plain>>;
  /** The rate in closed form. */
  at?(place: Place): number;
  /** The rate from the last one, so that schedules can be chained; default: the closed form. */
  next?(place: Place): number;
  /** Changes other numbers of a group, such as its momentum. */
  also?(group: ParamGroup, place: Place): void;
}

export interface SchedulerOptions {
  /** The step that the last run ended with, to go on without a state; default −1: a fresh start. */
  readonly lastEpoch?: number;
}

/** A schedule that goes by the step alone. */
export interface Schedulable {
  readonly optimizer: Scheduled;
  readonly lastLr: readonly number[];
  step(epoch?: number): void;
  stateDict(): SchedulerState;
  loadStateDict(state: SchedulerState): void;
}

/** Sets the learning rates of an optimizer's groups by a rule; call `step()` after the optimizer's. */
export abstract class LRScheduler implements Schedulable {
  readonly optimizer: Scheduled;
  private readonly rule: ScheduleRule;
  /** What `lastEpoch` was when it was made. */
  private readonly first: number;
  private base: readonly number[];
  private epoch: number;
  private last: readonly number[] = [];

  protected constructor(
    optimizer: Scheduled,
    rule: ScheduleRule,
    { lastEpoch = -1 }: SchedulerOptions = {},
  ) {
    if (!Number.isInteger(lastEpoch) || lastEpoch < -1)
      throw new ValueError(rule.name, `lastEpoch must be a whole number ≥ -1, got ${lastEpoch}`);
    this.optimizer = optimizer;
    this.rule = rule;
    for (const [i, group] of optimizer.paramGroups.entries()) {
      if (lastEpoch >= 0 && group.initialLr === undefined)
        throw new ValueError(
          rule.name,
          `lastEpoch is ${lastEpoch}, but group ${i} has no initialLr; load the optimizer's state first`,
        );
      group.initialLr ??= group.lr;
    }
    this.base = optimizer.paramGroups.map((group) => group.initialLr!);
    this.first = lastEpoch;
    this.epoch = lastEpoch;
    this.step();
  }

  /** Steps since the start. */
  get lastEpoch(): number {
    return this.epoch;
  }

  /** The groups' rates at the start. */
  get baseLrs(): readonly number[] {
    return this.base;
  }

  /** The groups' rates as the last step left them. */
  get lastLr(): readonly number[] {
    return this.last;
  }

  /**
   * Goes one step on, or in closed form to step `epoch`, which may be a fraction.
   *
   * @throws ValueError for an epoch below 0, or where the schedule has an end and that is past.
   */
  step(epoch?: number): void {
    if (epoch !== undefined && !(epoch >= 0 && Number.isFinite(epoch)))
      throw new ValueError(this.rule.name, `epoch must be a number ≥ 0, got ${epoch}`);
    const { rule } = this;
    const now = epoch ?? this.epoch + 1;
    const jump = epoch === undefined ? undefined : rule.at?.bind(rule);
    const rate = jump ?? rule.next?.bind(rule) ?? rule.at!.bind(rule);
    const places = this.optimizer.paramGroups.map((group, i) => ({
      ...{ epoch: now, lr: group.lr, base: this.base[i] ?? group.lr, group: i },
    }));
    const rates = places.map(rate);
    for (const [i, lr] of rates.entries()) this.optimizer.paramGroups[i]!.check("lr", lr);
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      group.lr = rates[i]!;
      rule.also?.(group, places[i]!);
    }
    this.epoch = Math.floor(now);
    this.last = rates;
  }

  /** Counters, rates and settings, as plain values. */
  stateDict(): SchedulerState {
    return {
      lastEpoch: this.epoch,
      baseLrs: this.base,
      lastLr: this.last,
      ...this.rule.settings,
    };
  }

  /**
   * Takes over a saved state. The rates themselves are in the optimizer's state, as in PyTorch. Nothing changes on an error.
   *
   * @throws ValueError for a state of another schedule, or one that is damaged.
   */
  loadStateDict(state: SchedulerState): void {
    const { name, settings } = this.rule;
    const count = this.optimizer.paramGroups.length;
    const { lastEpoch } = state;
    if (!Number.isInteger(lastEpoch) || (lastEpoch as number) < -1)
      throw new ValueError(name, `lastEpoch of the state is ${shown(lastEpoch)}`);
    const [base, last] = [
      rates(name, "baseLrs", state, count),
      rates(name, "lastLr", state, count),
    ];
    checkSettings(name, settings, state);
    this.epoch = lastEpoch as number;
    this.base = base;
    this.last = last;
  }

  /** Goes back before the first step, for those that wait in another schedule. @internal */
  rewind(): void {
    this.epoch = this.first;
  }
}

const shown = (value: unknown): string => JSON.stringify(value) ?? "missing";

/** A list of finite numbers ≥ 0 from a state. */
function rates(op: string, key: string, state: SchedulerState, count: number): readonly number[] {
  const list = state[key];
  const isGood = (x: unknown) => typeof x === "number" && x >= 0 && Number.isFinite(x);
  if (!Array.isArray(list) || list.length !== count || !list.every(isGood))
    throw new ValueError(
      op,
      `${key} of the state must be ${count} numbers ≥ 0, got ${shown(list)}`,
    );
  return list as number[];
}

/** Throws unless the state is of a schedule with the same settings. @internal */
export function checkSettings(
  op: string,
  settings: Readonly<Record<string, Plain>>,
  state: SchedulerState,
): void {
  for (const [key, value] of Object.entries(settings)) {
    const came = Object.hasOwn(state, key) ? state[key] : undefined;
    if (shown(came) !== shown(value))
      throw new ValueError(
        op,
        `the state has ${key} ${shown(came)}, this schedule ${shown(value)}`,
      );
  }
}

/** A whole number ≥ least, or an error. @internal */
export function wholeNumber(op: string, name: string, value: unknown, least = 1): number {
  if (!Number.isInteger(value) || (value as number) < least)
    throw new ValueError(op, `${name} must be a whole number ≥ ${least}, got ${String(value)}`);
  return value as number;
}

/** One number for all groups, or one for each. @internal */
export function perGroup(
  op: string,
  name: string,
  value: number | readonly number[],
  optimizer: Scheduled,
): readonly number[] {
  const count = optimizer.paramGroups.length;
  const list = typeof value === "number" ? Array<number>(count).fill(value) : [...value];
  if (list.length !== count)
    throw new ValueError(op, `${name} has ${list.length} values for ${count} groups`);
  if (!list.every((x) => Number.isFinite(x) && x >= 0))
    throw new ValueError(op, `${name} must be numbers ≥ 0, got ${list.join(", ")}`);
  return list;
}

/** Sets momentum, or beta1 of an optimizer of Adam's family. @internal */
export function setMomentum(group: ParamGroup, value: number): void {
  group.set(group.has("momentum") ? "momentum" : "beta1", value);
}

/** Throws where {@link setMomentum} would find nothing to set. @internal */
export function checkMomentum(op: string, { paramGroups }: Scheduled): void {
  for (const group of paramGroups)
    if (!group.has("beta1") && !(group.has("momentum") && group.flags.momentum))
      throw new ValueError(
        op,
        "cycles the momentum, which the optimizer was made without; give it one, or cycleMomentum: false",
      );
}
