/**
 * Weights of another model by name: what fits is taken over, and a report says what did not. Read ../node/weightsFile.ts for
 * files, head.ts for the part that is usually new.
 */
import { isFloat } from "../../core/dtype.js";
import { GradusError, ShapeError, ValueError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import { toTensor } from "../../data/loader.js";
import type { ArrayData } from "../../io/arrayData.js";
import { type Module, Parameter } from "../../nn/module.js";
import { noGrad, type Tensor } from "../../tensor/index.js";
import { checkPatterns, type NamePatterns, showNames } from "./names.js";

/** A text that names begin with, or a RegExp, and what comes in its place. */
export type RenameRule = readonly [from: string | RegExp, to: string];

export interface LoadWeightsOptions {
  /** Whether every name must fit; default true. If not, what fits is loaded and the report says what did not. */
  readonly strict?: boolean;
  /**
   * From the source's names to the model's: rules, applied one after another (`["module.", ""]` takes a beginning away), or a
   * function, in which null leaves a tensor out.
   */
  readonly rename?: readonly RenameRule[] | ((name: string) => string | null);
  /** Only parts of the model that fit are looked at, under the model's names. */
  readonly only?: NamePatterns;
  /** Parts of the model that keep what they have, such as a new head. */
  readonly exclude?: NamePatterns;
}

/** A tensor whose shape or type is not the model's. */
export interface Misfit {
  readonly name: string;
  /** Such as `float32[10, 84]`. */
  readonly expected: string;
  readonly got: string;
}

/** What matched, under the model's names. */
export interface WeightReport {
  readonly loaded: readonly string[];
  /** In the model, not in the source. */
  readonly missing: readonly string[];
  /** In the source, not in the model; as renamed. */
  readonly unexpected: readonly string[];
  readonly wrongShape: readonly Misfit[];
  /** Left out by `only`, `exclude` or the renaming. */
  readonly excluded: readonly string[];
}

const op = "loadWeights";

const typeOf = ({ dtype, shape }: ArrayData): string => dtype + formatShape(shape);

/** Float types are converted; others must be the same. */
const fits = (target: Tensor, value: ArrayData): boolean =>
  sameShape(target.shape, value.shape) &&
  (target.dtype === value.dtype || (isFloat(target.dtype) && isFloat(value.dtype)));

function renamed(name: string, rename: LoadWeightsOptions["rename"]): string | null {
  if (rename === undefined) return name;
  if (typeof rename === "function") return rename(name);
  return rename.reduce((now, [from, to]) => {
    if (typeof from !== "string") return now.replace(from, to);
    return now.startsWith(from) ? to + now.slice(from.length) : now;
  }, name);
}

/** The source under the model's names; where two become one it cannot be told which is meant. */
function renameAll(
  source: Iterable<readonly [string, ArrayData]>,
  rename: LoadWeightsOptions["rename"],
): { given: Map<string, ArrayData>; left: string[] } {
  const given = new Map<string, ArrayData>();
  const left: string[] = [];
  for (const [name, array] of source) {
    const now = renamed(name, rename);
    if (now === null) left.push(name);
    else if (given.has(now))
      throw new ValueError(op, `two tensors are called "${now}" once renamed; one is "${name}"`);
    else given.set(now, array);
  }
  return { given, left };
}

/** The beginning that, taken from the source's names or put before them, makes most of them fit. */
function guessPrefix(missing: readonly string[], unexpected: readonly string[]): string {
  const wanted = new Set(missing);
  const prefixes = (names: readonly string[]) =>
    new Set(
      names.flatMap((name) =>
        [...name.matchAll(/\./g)].map(({ index }) => name.slice(0, index + 1)),
      ),
    );
  const fits = (rename: (name: string) => string) =>
    unexpected.filter((name) => wanted.has(rename(name))).length;
  const guesses = [
    ...[...prefixes(unexpected)].slice(0, 100).map((from) => ({
      rule: [from, ""],
      count: fits((name) => (name.startsWith(from) ? name.slice(from.length) : name)),
    })),
    ...[...prefixes(missing)].slice(0, 100).map((to) => ({
      rule: ["", to],
      count: fits((name) => to + name),
    })),
  ];
  const best = guesses.sort((a, b) => b.count - a.count)[0];
  if (!best || best.count === 0) return "";
  return `; with rename: [${JSON.stringify(best.rule)}] ${best.count} more would fit`;
}

/** Values that are no numbers would spread through the whole model; buffers may hold −∞, as masks do. */
function checkFinite(name: string, target: Tensor, { data }: ArrayData): void {
  if (!(target instanceof Parameter)) return;
  const at = data.findIndex((value: number) => !Number.isFinite(value));
  if (at >= 0)
    throw new ValueError(op, `${name} holds ${data[at]} at ${at}; weights must be finite numbers`);
}

interface Plan {
  readonly report: WeightReport;
  readonly pairs: readonly (readonly [name: string, target: Tensor, value: ArrayData])[];
}

function plan(
  model: Module,
  source: Iterable<readonly [string, ArrayData]>,
  { rename, only, exclude }: LoadWeightsOptions,
): Plan {
  const state = model.stateDict();
  const names = [...state.keys()];
  const isWanted = only === undefined ? () => true : checkPatterns(op, only, names);
  const { given, left } = renameAll(source, rename);
  // What is left out may be a part of the source alone.
  const all = [...names, ...given.keys()];
  const isOut = exclude === undefined ? () => false : checkPatterns(op, exclude, all);
  const isMeant = (name: string) => isWanted(name) && !isOut(name);
  const pairs: [string, Tensor, ArrayData][] = [];
  const wrongShape: Misfit[] = [];
  for (const [name, target] of state) {
    const value = given.get(name);
    if (!value || !isMeant(name)) continue;
    if (fits(target, value)) pairs.push([name, target, value]);
    else wrongShape.push({ name, expected: typeOf(target), got: typeOf(value) });
  }
  const loaded = pairs.map(([name]) => name);
  // A shared tensor is there if one of its names is.
  const filled = new Set(pairs.map(([, target]) => target));
  const isMissing = ([name, target]: readonly [string, Tensor]) =>
    isMeant(name) && !given.has(name) && !filled.has(target);
  const missing = [...state].filter(isMissing).map(([name]) => name);
  const outside = [...given.keys()].filter((name) => !isMeant(name));
  const unexpected = [...given.keys()].filter((name) => !state.has(name) && isMeant(name));
  const excluded = [...left, ...outside];
  return { report: { loaded, missing, unexpected, wrongShape, excluded }, pairs };
}

function check({ report, pairs }: Plan, strict: boolean): void {
  const { missing, unexpected, wrongShape } = report;
  const misfits = wrongShape.map(
    ({ name, expected, got }) => `${name}: expected ${expected}, got ${got}`,
  );
  const isWhole = missing.length + unexpected.length + misfits.length === 0;
  if (isWhole || (!strict && pairs.length > 0)) return;
  const message = [
    strict ? "" : "nothing fits; ",
    `missing: ${showNames(missing)}; unexpected: ${showNames(unexpected)}`,
    misfits.length > 0 ? `; wrong shape: ${showNames(misfits)}` : "",
    guessPrefix(missing, unexpected),
    strict && pairs.length > 0 ? "; strict: false loads what fits" : "",
  ].join("");
  const isShape = missing.length + unexpected.length === 0;
  throw isShape ? new ShapeError(op, message) : new GradusError(op, message);
}

/**
 * Copies weights into a model by name and reports what matched. Float types are converted into one another. Nothing changes
 * where an error is thrown.
 *
 * @param source names and values: a `stateDict()`, or the tensors of a file.
 * @throws GradusError (ShapeError where only shapes differ) that lists what does not fit, unless `strict` is false, and also
 * then if nothing fits; ValueError for weights that are not finite, a pattern that fits no name, or two tensors under one name.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { loadWeights } from "gradus/train";
 * const trained = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 10));
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * const report = loadWeights(model, trained.stateDict(), { strict: false });
 * console.log(report.loaded, report.wrongShape[0]?.got); // → [ '0.weight', '0.bias' ] float32[10, 8]
 * ```
 */
export function loadWeights(
  model: Module,
  source: Iterable<readonly [name: string, array: ArrayData]>,
  options: LoadWeightsOptions = {},
): WeightReport {
  const planned = plan(model, source, options);
  check(planned, options.strict ?? true);
  noGrad(() => {
    const values = planned.pairs.map(([name, target, value]) => {
      const converted = toTensor(value).detach().to(target.dtype);
      checkFinite(name, target, converted);
      return converted;
    });
    for (const [i, [, target]] of planned.pairs.entries()) target.assign(values[i]!);
  });
  return planned.report;
}

/**
 * The report as lines for people.
 *
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { describeWeights, loadWeights } from "gradus/train";
 * const model = new nn.Linear(4, 2);
 * console.log(describeWeights(loadWeights(model, model.stateDict()))); // → 2 tensors loaded
 * ```
 */
export function describeWeights(report: WeightReport): string {
  const { loaded, missing, unexpected, wrongShape, excluded } = report;
  const misfits = wrongShape.map(
    ({ name, expected, got }) => `${name} (${got}, expected ${expected})`,
  );
  const rows = [
    ["missing, kept as they were", missing],
    ["unexpected, left out", unexpected],
    ["of another shape, left out", misfits],
    ["excluded", excluded],
  ] as const;
  const lines = rows
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${names.length} ${what}: ${showNames(names)}`);
  return [`${loaded.length} tensors loaded`, ...lines].join("\n");
}
