/**
 * The hyper-parameters of optimizers: which there are, their defaults and ranges, and how a group's options become numbers
 * and switches. Read optimizer.ts next.
 */
import { ValueError } from "../core/errors.js";
import { checkNames } from "../core/options.js";

/** Hyper-parameters that are numbers: each lives in a cell, so that changing one retraces nothing. */
export type Numbers = Readonly<Record<string, number>>;
/** Hyper-parameters that decide which formula runs. */
export type Flags = Readonly<Record<string, boolean>>;

export type Options = Readonly<Record<string, unknown>>;

/** What an optimizer can be told. `betas` stands for the numbers beta1 and beta2. */
export interface Settings {
  readonly name: string;
  /** Numbers ≥ 0 and their defaults. */
  readonly numbers: Numbers;
  /** Numbers that must also be below a bound. */
  readonly below?: Numbers;
  /** Booleans and their defaults. */
  readonly switches?: Flags;
  /** Numbers that change the formula when they are not 0: a flag of the same name says so. */
  readonly optional?: readonly string[];
  /** Throws for options that do not go together. */
  readonly check?: (settled: Settled) => void;
}

export interface Settled {
  readonly numbers: Numbers;
  /** The switches, and whether each optional number is in use. */
  readonly flags: Flags;
  readonly switches: Flags;
}

interface Bounds {
  readonly least?: number;
  /** The value must be below this. */
  readonly below?: number;
}

/** A number within bounds, or an error that names optimizer and option. */
export function checkNumber(
  op: string,
  name: string,
  value: unknown,
  { least = 0, below = Number.POSITIVE_INFINITY }: Bounds = {},
): number {
  if (typeof value !== "number" || !(value >= least && value < below)) {
    const range = below === Number.POSITIVE_INFINITY ? `≥ ${least}` : `in [${least}, ${below})`;
    throw new ValueError(op, `${name} must be a number ${range}, got ${String(value)}`);
  }
  return value;
}

export { checkNames };

const hasBetas = (settings: Settings): boolean => "beta1" in settings.numbers;

/** The options that people write. */
function knownOptions(settings: Settings): string[] {
  const numbers = Object.keys(settings.numbers).map((name) => (name === "beta1" ? "betas" : name));
  return [...numbers.filter((n) => n !== "beta2"), ...Object.keys(settings.switches ?? {})];
}

function spreadBetas(op: string, { betas, ...rest }: Options): Options {
  if (betas === undefined) return rest;
  if (!Array.isArray(betas) || betas.length !== 2)
    throw new ValueError(op, `betas must be two numbers, got ${String(betas)}`);
  return { ...rest, beta1: betas[0] as unknown, beta2: betas[1] as unknown };
}

/**
 * Options as numbers and switches, with defaults for those that are not given.
 *
 * @throws ValueError for an option that is unknown, out of range or of another type.
 */
export function settle(settings: Settings, options: Options): Settled {
  const { name: op, switches: defaults = {}, below = {}, optional = [] } = settings;
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined));
  checkNames(op, given, knownOptions(settings));
  const spread = hasBetas(settings) ? spreadBetas(op, given) : given;
  const numbers: Record<string, number> = {};
  for (const [name, standard] of Object.entries(settings.numbers)) {
    const shown = name.startsWith("beta") ? "betas" : name;
    const bounds = below[name] === undefined ? {} : { below: below[name] };
    numbers[name] = checkNumber(op, shown, spread[name] ?? standard, bounds);
  }
  const switches: Record<string, boolean> = {};
  for (const [name, standard] of Object.entries(defaults)) {
    const value = spread[name] ?? standard;
    if (typeof value !== "boolean")
      throw new ValueError(op, `${name} must be true or false, got ${String(value)}`);
    switches[name] = value;
  }
  const used = optional.map((name) => [name, numbers[name] !== 0] as const);
  const settled = { numbers, switches, flags: { ...switches, ...Object.fromEntries(used) } };
  settings.check?.(settled);
  return settled;
}
