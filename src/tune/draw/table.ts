/** The trials of a study as rows: for spreadsheets, and for the page and the terminal. */
import type { ParameterValue, TrialRecord } from "../types.js";

/** The names of all parameters that any trial has, in the order in which they first appear. */
export const parameterNames = (trials: readonly TrialRecord[]): string[] => [
  ...new Set(trials.flatMap(({ parameters }) => Object.keys(parameters))),
];

/** A number for people, with so many digits: 0.003, 5.905e-5. */
export function shortNumber(value: number, digits = 6): string {
  const short = Number(value.toPrecision(digits));
  return short !== 0 && Math.abs(short) < 1e-3 ? short.toExponential() : String(short);
}

/** A value for people, nothing for what is not there. */
export function shortValue(value: ParameterValue | undefined): string {
  if (value === undefined) return "";
  return typeof value === "number" ? shortNumber(value) : String(value);
}

/** How long a trial ran, in seconds. */
export const secondsOf = ({ started, ended }: TrialRecord): number | undefined =>
  started === undefined || ended === undefined ? undefined : Math.max(0, ended - started) / 1000;

/** Spreadsheets take a cell that begins like this for a formula. */
const formula = /^[=+\-@\t\r]/;

function cell(value: ParameterValue | undefined): string {
  if (value === undefined || value === null) return value === null ? "null" : "";
  if (typeof value !== "string") return String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const time = (milliseconds: number | undefined): string | undefined =>
  milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();

/**
 * All trials as CSV (RFC 4180): number, state, value, parameters, reports' count, seconds, times, worker, attributes, error.
 *
 * @example
 * ```ts
 * import { trialsCsv } from "gradus/tune";
 * const trial = { number: 0, state: "complete" as const, value: 0.5, attempt: 1 };
 * const csv = trialsCsv([{ ...trial, parameters: { lr: 0.1 }, reports: [], attributes: {} }]);
 * console.log(csv.split("\r\n")[1]?.slice(0, 18)); // → 0,complete,0.5,0.1
 * ```
 */
export function trialsCsv(trials: readonly TrialRecord[]): string {
  const names = parameterNames(trials);
  const attributes = [...new Set(trials.flatMap((trial) => Object.keys(trial.attributes)))];
  const head = ["number", "state", "value", ...names, "reports", "seconds", "started", "ended"];
  const rows = trials.map((trial) => [
    ...[trial.number, trial.state, trial.value],
    ...names.map((name) => trial.parameters[name]),
    ...[trial.reports.length, secondsOf(trial), time(trial.started), time(trial.ended)],
    ...[trial.worker, ...attributes.map((name) => trial.attributes[name]), trial.error],
  ]);
  const lines = [[...head, "worker", ...attributes, "error"], ...rows];
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}
