/** What PyTorch says about the samples; written by scripts/fixtures/makeFixtures.py. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type DType, isFloat } from "../../src/core/dtype.js";
import { sameShape } from "../../src/core/shape.js";
import { differ, exact, hasNaN, printedBounds } from "./compare.js";
import type { Result } from "./runCase.js";
import { type Case, fingerprint, type Values } from "./samples.js";

type Spelled = readonly (number | string)[];

interface Fixture {
  readonly fingerprint: string;
  readonly outputs: readonly { dtype: DType; shape: readonly number[]; values: Spelled }[];
  readonly gradients: readonly (Spelled | null)[];
}

export function readFixture<T>(name: string): T {
  const file = new URL(`../fixtures/${name}`, import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as T;
}

export const torchFixtures = new Map(
  Object.entries(readFixture<{ cases: Record<string, Fixture> }>("ops.json.gz").cases),
);

const parse = (values: Spelled): number[] =>
  values.map((v) =>
    v === "inf" ? Number.POSITIVE_INFINITY : v === "-inf" ? Number.NEGATIVE_INFINITY : Number(v),
  );

const containsNaN = ({ values }: Values): boolean => values.some(Number.isNaN);

/**
 * Compares a float64 run with PyTorch: all numbers and gradients (but at NaN, where no gradient means anything), and, with the run as declared, dtypes and shapes. Gives what
 * differs.
 */
export function differFromTorch(one: Case, declared: Result, precise: Result): string[] {
  const fixture = torchFixtures.get(one.name);
  if (!fixture || fixture.fingerprint !== fingerprint(one))
    return [`${one.name}: no fixture of this sample; run scripts/fixtures/makeFixtures.py`];
  const found: string[] = [];
  const note = (what: string, difference: string | null) => {
    if (difference)
      found.push(`${one.name} ${what} against PyTorch ${one.sample.torch}: ${difference}`);
  };
  if (fixture.outputs.length !== declared.outputs.length)
    return [`${one.name}: ${declared.outputs.length} outputs, PyTorch ${fixture.outputs.length}`];
  fixture.outputs.forEach(({ dtype, shape, values }, i) => {
    const output = declared.outputs[i]!;
    if (dtype !== output.dtype) note("dtype", `${output.dtype}, expected ${dtype}`);
    if (!sameShape(shape, output.shape)) note("shape", `[${output.shape}], expected [${shape}]`);
    const bounds = isFloat(dtype) ? printedBounds : exact;
    note(`output ${i}`, differ(precise.outputs[i]!.data, parse(values), bounds));
  });
  const isGradientDefined = !precise.outputs.some(hasNaN) && !one.inputs.some(containsNaN);
  if (one.op.noGradient !== undefined || !isGradientDefined) return found;
  fixture.gradients.forEach((values, i) => {
    const gradient = precise.gradients[i]?.data;
    if (!values && !gradient) return;
    const zeros = new Float64Array(one.inputs[i]!.values.length);
    note(`gradient ${i}`, differ(gradient ?? zeros, values ? parse(values) : zeros, printedBounds));
  });
  return found;
}
