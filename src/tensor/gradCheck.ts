/**
 * Numerical gradients, and checks of gradients against them: central differences in float64, with kinks named. Read functional.ts
 * for exact derivatives.
 */
import { isFloat } from "../core/dtype.js";
import { DTypeError, GradusError, ValueError } from "../core/errors.js";
import { fromArray } from "./apply.js";
import { enableGrad, noGrad } from "./context.js";
import { pull, zerosLike } from "./grad.js";
import { Tensor } from "./tensor.js";

export interface DifferenceOptions {
  /** How far an element is moved to each side. Default 1e-5. */
  readonly eps?: number;
}

export interface GradCheckOptions {
  /** How far an element is moved to each side. Default 1e-6. */
  readonly eps?: number;
  /** Absolute tolerance. Default 1e-5. */
  readonly atol?: number;
  /** Relative tolerance. Default 1e-3. */
  readonly rtol?: number;
  /** Gives a failed check back in the report instead of throwing. Default true: throws. */
  readonly raise?: boolean;
}

/** A place where a slope to the left and one to the right differ, so that no gradient is right. */
export interface Kink {
  readonly input: number;
  readonly element: readonly number[];
  readonly left: number;
  readonly right: number;
}

/** What {@link gradCheck} found. */
export interface GradCheckReport {
  readonly passed: boolean;
  /** The largest |a − n| / max(|a|, |n|) of analytic and numerical slopes, kinks left out (CS231n). */
  readonly relativeError: number;
  /** The largest |a − n|, kinks left out. */
  readonly absoluteError: number;
  readonly kinks: readonly Kink[];
  /** In words, one line each: kinks, and slopes that differ. */
  readonly messages: readonly string[];
}

type Checked = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

const asList = (x: Tensor | readonly Tensor[]): readonly Tensor[] =>
  x instanceof Tensor ? [x] : x;

const toDoubles = (x: Tensor): Tensor =>
  isFloat(x.dtype) ? fromArray(Float64Array.from(x.data), x.shape, "float64") : x.detach();

/** The place of a flat index. */
function placeOf(shape: readonly number[], flat: number): number[] {
  const place = new Array<number>(shape.length);
  let rest = flat;
  for (let i = shape.length - 1; i >= 0; i--) {
    place[i] = rest % shape[i]!;
    rest = Math.floor(rest / shape[i]!);
  }
  return place;
}

function checkPositive(op: string, name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new ValueError(op, `${name} must be a number over 0, got ${value}`);
}

/** `fn` with one element of one input moved by `by`: its outputs' numbers. */
function valuesAt(
  fn: Checked,
  inputs: readonly Tensor[],
  at: { readonly input: number; readonly element: number; readonly by: number },
): Float64Array[] {
  const moved = inputs.map((x, i) => {
    if (i !== at.input) return x;
    const data = Float64Array.from(x.data);
    data[at.element]! += at.by;
    return fromArray(data, x.shape, "float64");
  });
  const outputs = noGrad(() => fn(...moved));
  return asList(outputs).map((y) => Float64Array.from(y.data));
}

/**
 * A function's gradient by central differences, (f(x + eps) − f(x − eps)) / 2·eps, computed in float64: of the sum of its
 * outputs, with regard to each element of `x`.
 *
 * `fn: [..] → any shape`, `x: [..]` → float64 like x.
 *
 * @throws DTypeError unless x is float; ValueError unless eps > 0.
 * @example
 * ```ts
 * import { numericalGradient, tensor } from "gradus";
 * const slopes = numericalGradient((x) => x.pow(3).sum(), tensor([1, 2]));
 * console.log(slopes.toArray()); // ≈ [3.000, 12.000]
 * ```
 */
export function numericalGradient(
  fn: (x: Tensor) => Tensor,
  x: Tensor,
  { eps = 1e-5 }: DifferenceOptions = {},
): Tensor {
  if (!isFloat(x.dtype))
    throw new DTypeError("numericalGradient", `x must be float, got ${x.dtype}`);
  checkPositive("numericalGradient", "eps", eps);
  const start = [toDoubles(x)];
  const total = (element: number, by: number) =>
    valuesAt((one) => fn(one!), start, { input: 0, element, by })[0]!.reduce((a, b) => a + b, 0);
  const slopes = Float64Array.from(
    { length: x.size },
    (_, i) => (total(i, eps) - total(i, -eps)) / (2 * eps),
  );
  return fromArray(slopes, x.shape, "float64");
}

/** The slopes of every output along one element of one input. */
interface Slopes {
  readonly central: Float64Array[];
  readonly left: Float64Array[];
  readonly right: Float64Array[];
}

function slopesAt(
  fn: Checked,
  inputs: readonly Tensor[],
  input: number,
  element: number,
  eps: number,
): Slopes {
  const value = (by: number) => valuesAt(fn, inputs, { input, element, by });
  const [below, here, above] = [value(-eps), value(0), value(eps)];
  const slope = (to: Float64Array[], from: Float64Array[], width: number) =>
    to.map((y, k) => y.map((v, i) => (v - from[k]![i]!) / width));
  return {
    central: slope(above, below, 2 * eps),
    left: slope(here, below, eps),
    right: slope(above, here, eps),
  };
}

/** How much closer slopes are taken again where the sides differ. */
const closerBy = 4;

/**
 * Whether slopes to both sides differ because of a kink: where the function is smooth they differ by eps times its curvature, which
 * shrinks with eps; at a kink they do not, and at one nearby they are equal all at once.
 */
function isJump(slopes: Slopes, closer: Slopes, output: number, i: number): boolean {
  const gap = ({ left, right }: Slopes) => Math.abs(right[output]![i]! - left[output]![i]!);
  const ratio = gap(closer) / gap(slopes);
  return !(ratio > 0.4 / closerBy && ratio < 2 / closerBy);
}

/** Analytic slopes of every element of every output: [output][element of it] → gradients of the inputs. */
function analyticRows(fn: Checked, inputs: readonly Tensor[]): (Tensor | null)[][][] {
  const leaves = inputs.map((x) => new Tensor(x.shape, x.dtype, x.source, isFloat(x.dtype)));
  const wrt = leaves.filter((x) => x.requiresGrad);
  const outputs = asList(fn(...leaves));
  return outputs.map((y, k) =>
    Array.from({ length: y.size }, (_, i) => {
      if (!y.requiresGrad) return inputs.map(() => null);
      const cotangent = zerosLike(y);
      cotangent.data[i] = 1;
      const cotangents = outputs.map((_, other) => (other === k ? cotangent : null));
      const found = pull([y], [cotangents[k]!], wrt, { keep: true, createGraph: false });
      return leaves.map((x) => found[wrt.indexOf(x)] ?? null);
    }),
  );
}

class Check {
  relativeError = 0;
  absoluteError = 0;
  readonly kinks: Kink[] = [];
  readonly messages: string[] = [];
  passed = true;
  private readonly atol: number;
  private readonly rtol: number;

  constructor({ atol, rtol }: { readonly atol: number; readonly rtol: number }) {
    this.atol = atol;
    this.rtol = rtol;
  }

  private isClose = (a: number, b: number): boolean =>
    Object.is(a, b) || Math.abs(a - b) <= this.atol + this.rtol * Math.abs(b);

  /** Compares the slopes of one element of one input. */
  compare(
    place: { readonly input: number; readonly element: readonly number[] },
    slopes: Slopes,
    closer: () => Slopes,
    analytic: (output: number, element: number) => number,
  ): void {
    const where = `input ${place.input}, element [${place.element.join(", ")}]`;
    slopes.central.forEach((line, output) => {
      for (const [i, numeric] of line.entries()) {
        const [left, right] = [slopes.left[output]![i]!, slopes.right[output]![i]!];
        const got = analytic(output, i);
        const isKink = !this.isClose(left, right) && isJump(slopes, closer(), output, i);
        if (isKink) this.noteKink({ ...place, left, right }, where);
        const isBetween = got >= Math.min(left, right) && got <= Math.max(left, right);
        if (!isKink || !(isBetween || this.isClose(got, left) || this.isClose(got, right)))
          this.note(where, output, i, got, numeric);
      }
    });
  }

  private noteKink(kink: Kink, where: string): void {
    const isKnown = (k: Kink) => k.input === kink.input && `${k.element}` === `${kink.element}`;
    if (this.kinks.some(isKnown)) return;
    this.kinks.push(kink);
    this.messages.push(
      `kink at ${where}: slope ${kink.left.toPrecision(6)} to the left, ` +
        `${kink.right.toPrecision(6)} to the right`,
    );
  }

  private note(where: string, output: number, at: number, got: number, numeric: number): void {
    const difference = Math.abs(got - numeric);
    const scale = Math.max(Math.abs(got), Math.abs(numeric));
    if (difference > this.absoluteError) this.absoluteError = difference;
    if (scale > this.atol) this.relativeError = Math.max(this.relativeError, difference / scale);
    if (this.isClose(got, numeric)) return;
    this.passed = false;
    if (this.messages.length < 20)
      this.messages.push(
        `${where}, output ${output} element ${at}: gradient ${got.toPrecision(8)}, ` +
          `difference quotient ${numeric.toPrecision(8)}, relative error ` +
          `${(difference / scale).toExponential(1)}`,
      );
  }
}

function runCheck(
  op: string,
  fn: Checked,
  given: Tensor | readonly Tensor[],
  { eps = 1e-6, atol = 1e-5, rtol = 1e-3, raise = true }: GradCheckOptions,
): GradCheckReport {
  checkPositive(op, "eps", eps);
  const inputs = asList(given).map(toDoubles);
  if (!inputs.some((x) => isFloat(x.dtype)))
    throw new DTypeError(op, "no input is float, so there is no gradient to check");
  const rows = analyticRows(fn, inputs);
  const check = new Check({ atol, rtol });
  inputs.forEach((x, input) => {
    if (!isFloat(x.dtype)) return;
    for (let element = 0; element < x.size; element++) {
      const slopes = (step: number) => slopesAt(fn, inputs, input, element, step);
      let again: Slopes | null = null;
      check.compare(
        { input, element: placeOf(x.shape, element) },
        slopes(eps),
        () => {
          again ??= slopes(eps / closerBy);
          return again;
        },
        (output, i) => rows[output]![i]![input]?.data[element] ?? 0,
      );
    }
  });
  const { passed, relativeError, absoluteError, kinks, messages } = check;
  if (!passed && raise) throw new GradusError(op, messages.join("; "));
  return { passed, relativeError, absoluteError, kinks, messages };
}

/**
 * Checks a function's gradients against central differences in float64, element by element of every input and output. Where the
 * slopes to both sides differ, the function has a kink: it is named, and any gradient between the two slopes passes.
 *
 * @throws GradusError that lists what differs, unless `raise: false`.
 * @example
 * ```ts
 * import { gradCheck, tensor } from "gradus";
 * const report = gradCheck((x) => x.relu(), tensor([-1, 0, 2]));
 * console.log(report.passed, report.messages[0]);
 * // → true kink at input 0, element [1]: slope 0.00000 to the left, 1.00000 to the right
 * ```
 */
export const gradCheck = (
  fn: Checked,
  inputs: Tensor | readonly Tensor[],
  options: GradCheckOptions = {},
): GradCheckReport => runCheck("gradCheck", fn, inputs, options);

/**
 * Checks a function's gradients of gradients: {@link gradCheck} of its gradient along fixed cotangents.
 *
 * @throws GradusError that lists what differs, unless `raise: false`.
 * @example
 * ```ts
 * import { gradGradCheck, tensor } from "gradus";
 * console.log(gradGradCheck((x) => x.sin().mul(x), tensor([0.5, 2])).passed); // → true
 * ```
 */
export function gradGradCheck(
  fn: Checked,
  inputs: Tensor | readonly Tensor[],
  options: GradCheckOptions = {},
): GradCheckReport {
  const gradients: Checked = (...xs) => {
    const leaves = xs.map((x) => (isFloat(x.dtype) && !x.requiresGrad ? leafOf(x) : x));
    const outputs = asList(enableGrad(() => fn(...leaves)));
    const wrt = leaves.filter((x) => isFloat(x.dtype));
    const found = pull(outputs, outputs.map(fixedCotangent), wrt);
    return found.map((g, i) => g ?? zerosLike(wrt[i]!));
  };
  return runCheck("gradGradCheck", gradients, inputs, options);
}

const leafOf = (x: Tensor): Tensor => new Tensor(x.shape, x.dtype, x.source, true);

/** Numbers from 0.5 to 1.5 that differ from element to element. */
function fixedCotangent(y: Tensor): Tensor {
  const data = Float64Array.from({ length: y.size }, (_, i) => 0.5 + ((i * 0.618034) % 1));
  return fromArray(data, y.shape, "float64");
}
