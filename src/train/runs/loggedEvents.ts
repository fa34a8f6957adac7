/**
 * Events as a log gives them back: every field is checked, since another version, another program or half a disk may have
 * written them. Read runHistory.ts for what becomes of them.
 */
import type {
  ActivationHealth,
  HealthEvent,
  Measures,
  ParameterHealth,
  StepEvent,
  TrainEvent,
} from "../events.js";
import { checkpointReasons } from "../options.js";

/** What a log keeps of a step. */
export type LoggedStep = Pick<
  StepEvent,
  "type" | "epoch" | "step" | "loss" | "lr" | "gradientNorm"
>;

/** Events that a log gives back. */
export type LoggedEvent = Exclude<TrainEvent, StepEvent> | LoggedStep;

/** A line of a log. */
export interface LogEntry {
  readonly event: LoggedEvent;
  /** When it was written, in milliseconds since 1970; null where the line does not tell. */
  readonly time: number | null;
}

type Json = Readonly<Record<string, unknown>>;

/** More measures (a confusion matrix has one a cell), parameters or modules of one event are left out. */
const most = { measures: 50_000, parts: 10_000, text: 2000 } as const;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const named: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** A number, also one that JSON lacks; undefined for all else. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && Object.hasOwn(named, value) ? named[value] : undefined;
}

const numberOr = (value: unknown, fallback: number): number => numberOf(value) ?? fallback;

const textOf = (value: unknown): string =>
  typeof value === "string" ? value.slice(0, most.text) : "";

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.slice(0, most.parts).map(textOf) : [];

/** A whole number from 0, or undefined. */
const countOf = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;

/** The numbers of an object; undefined where it is none or has no loss. */
function measuresOf(value: unknown): Measures | undefined {
  if (!isObject(value)) return undefined;
  const numbers = Object.entries(value)
    .slice(0, most.measures)
    .flatMap(([name, number]): [string, number][] => {
      const read = numberOf(number);
      return read === undefined ? [] : [[name, read]];
    });
  const measures = Object.fromEntries(numbers);
  return measures.loss === undefined ? undefined : (measures as unknown as Measures);
}

/** What an event of one kind makes of a line; null where something that it needs is missing. */
type Reader = (line: Json, place: { epoch: number; step: number }) => LoggedEvent | null;

const readers: Readonly<Record<string, Reader>> = {
  step: (line, place) => {
    const loss = numberOf(line.loss);
    if (loss === undefined) return null;
    const norm = numberOf(line.gradientNorm);
    const lr = numberOr(line.lr, Number.NaN);
    return { type: "step", ...place, loss, lr, ...(norm !== undefined && { gradientNorm: norm }) };
  },
  start: (line, { step }) => ({
    type: "start",
    epochs: countOf(line.epochs) ?? 0,
    batches: countOf(line.batches) ?? 0,
    totalSteps:
      countOf(line.totalSteps) ?? (countOf(line.epochs) ?? 0) * (countOf(line.batches) ?? 0),
    trainExamples: countOf(line.trainExamples) ?? 0,
    // Before 0.2 the validation data was called test data.
    validationExamples: countOf(line.validationExamples ?? line.testExamples) ?? 0,
    backend: textOf(line.backend),
    resumed: line.resumed === true,
    step,
  }),
  evaluation: (line, place) => {
    const measures = measuresOf(line.measures);
    if (!measures) return null;
    const examples = countOf(line.examples) ?? 0;
    const seconds = numberOr(line.seconds, 0);
    const averaged = line.averaged === true && ({ averaged: true } as const);
    return { type: "evaluation", ...place, examples, seconds, measures, ...averaged };
  },
  epoch: (line, place) => {
    const train = measuresOf(line.train);
    if (!train || place.epoch < 1) return null;
    const validation = measuresOf(line.validation ?? line.test);
    const [lr, seconds] = [numberOr(line.lr, Number.NaN), numberOr(line.seconds, 0)];
    return { type: "epoch", ...place, lr, seconds, train, ...(validation && { validation }) };
  },
  checkpoint: (line, place) => ({
    ...{ type: "checkpoint", ...place, seconds: numberOr(line.seconds, 0) },
    reasons: checkpointReasons.filter((reason) => textsOf(line.reasons).includes(reason)),
  }),
  best: (line, place) => {
    const value = numberOf(line.value);
    if (value === undefined) return null;
    return { type: "best", ...place, monitor: textOf(line.monitor), value };
  },
  rate: (line, place) => {
    const [from, to] = [numberOr(line.from, Number.NaN), numberOr(line.to, Number.NaN)];
    return { type: "rate", ...place, from, to, reason: textOf(line.reason) };
  },
  earlyStop: (line, place) => ({ type: "earlyStop", ...place, reason: textOf(line.reason) }),
  weights: (line, place) => {
    const from = isObject(line.from) ? line.from : {};
    const source = line.source === "averages" ? "averages" : "best";
    const origin = { epoch: countOf(from.epoch) ?? 0, step: countOf(from.step) ?? 0 };
    return { type: "weights", ...place, source, from: origin };
  },
  health: healthOf,
  stopped: (_line, place) => ({ type: "stopped", ...place }),
  finished: (line, { step }) => {
    const seconds = numberOr(line.seconds, 0);
    return { type: "finished", epochs: countOf(line.epochs) ?? 0, step, seconds };
  },
  failed: (line, place) => ({ type: "failed", ...place, message: textOf(line.message) }),
};

function listOf<T>(value: unknown, read: (item: Json) => T | null): T[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, most.parts).flatMap((item) => (isObject(item) ? (read(item) ?? []) : []));
}

function healthOf(line: Json, place: { epoch: number; step: number }): HealthEvent {
  const parameters = listOf(
    line.parameters,
    (item): ParameterHealth => ({
      name: textOf(item.name),
      trainable: item.trainable !== false,
      norm: numberOr(item.norm, Number.NaN),
      gradientNorm: numberOf(item.gradientNorm) ?? null,
      updateRatio: numberOr(item.updateRatio, Number.NaN),
    }),
  );
  const activations = listOf(
    line.activations,
    (item): ActivationHealth => ({
      ...{ name: textOf(item.name), kind: textOf(item.kind) },
      ...{ mean: numberOr(item.mean, Number.NaN), std: numberOr(item.std, Number.NaN) },
      ...{ dead: numberOr(item.dead, 0), saturated: numberOr(item.saturated, 0) },
    }),
  );
  const { input } = line;
  return {
    ...{ type: "health", ...place, parameters, activations },
    ...(isObject(input) && {
      input: {
        ...{ mean: numberOr(input.mean, Number.NaN), std: numberOr(input.std, Number.NaN) },
        ...{ min: numberOr(input.min, Number.NaN), max: numberOr(input.max, Number.NaN) },
      },
    }),
    evalModules: textsOf(line.evalModules),
  };
}

/**
 * What a line of a log tells.
 *
 * @returns null for a kind of event that this version does not know; undefined for what is no event or lacks what it needs.
 */
export function readLogEntry(line: unknown): LogEntry | null | undefined {
  if (!isObject(line) || typeof line.type !== "string") return undefined;
  const read = Object.hasOwn(readers, line.type) ? readers[line.type] : undefined;
  if (!read) return null;
  const place = { epoch: countOf(line.epoch) ?? 0, step: countOf(line.step) ?? -1 };
  if (place.step < 0) return undefined;
  const event = read(line, place);
  if (!event) return undefined;
  const time = typeof line.time === "string" ? Date.parse(line.time) : Number.NaN;
  return { event, time: Number.isNaN(time) ? null : time };
}
