/**
 * All ops' samples with the numbers they are tried on. Numbers follow from the name of op, sample and input, so that the
 * fixtures need not hold them. Read runCase.ts next.
 */
import { createHash } from "node:crypto";
import type { DType } from "../../src/core/dtype.js";
import { type Shape, sizeOf } from "../../src/core/shape.js";
import { argmaxSamples } from "../../src/ops/argmax.js";
import { choiceSamples } from "../../src/ops/choice.js";
import { convSamples } from "../../src/ops/conv.js";
import { elementarySamples } from "../../src/ops/elementary.js";
import { indexingSamples } from "../../src/ops/indexing.js";
import { linalgSamples } from "../../src/ops/linalg.js";
import { lossSamples } from "../../src/ops/loss.js";
import { movementSamples } from "../../src/ops/movement.js";
import { partsSamples } from "../../src/ops/parts.js";
import { pointwiseSamples } from "../../src/ops/pointwise.js";
import { randomSamples } from "../../src/ops/random.js";
import { reduceSamples } from "../../src/ops/reduce.js";
import { softmaxSamples } from "../../src/ops/softmax.js";
import type { OpSamples, Sample, SampleInput } from "../../src/tensor/defineOp.js";

export const sampleSets = {
  pointwise: pointwiseSamples,
  elementary: elementarySamples,
  choice: choiceSamples,
  reduce: reduceSamples,
  argmax: argmaxSamples,
  softmax: softmaxSamples,
  movement: movementSamples,
  parts: partsSamples,
  indexing: indexingSamples,
  linalg: linalgSamples,
  conv: convSamples,
  loss: lossSamples,
  random: randomSamples,
} as const;

/** Numbers with their type, before they are a tensor of any backend or a line of a fixture. */
export interface Values {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: readonly number[];
}

export interface Case {
  /** `add #3`. */
  readonly name: string;
  readonly op: OpSamples;
  readonly sample: Sample;
  readonly inputs: readonly Values[];
}

/** Numbers in [0, 1) that depend on a name alone (a linear congruence over its hash). */
export function randomFrom(name: string): () => number {
  let state = createHash("sha256").update(name).digest().readUInt32LE(0);
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32;
  };
}

export function randomValues(
  name: string,
  { shape, dtype = "float32", low = -2, high = 2, values }: SampleInput,
): Values {
  if (values) return { shape, dtype, values };
  const next = randomFrom(name);
  const draw = (): number => {
    if (dtype === "bool") return Number(next() < 0.5);
    if (dtype === "int32" || dtype === "uint8") return low + Math.floor(next() * (high - low + 1));
    return Math.fround(low + next() * (high - low));
  };
  return { shape, dtype, values: Array.from({ length: sizeOf(shape) }, draw) };
}

const casesOf = (op: OpSamples): Case[] =>
  op.samples.map((sample, i) => {
    const name = `${op.op} #${i}`;
    const inputs = sample.inputs.map((x, j) => randomValues(`${name} ${j}`, x));
    return { name, op, sample, inputs };
  });

export const allOps: readonly OpSamples[] = Object.values(sampleSets).flatMap((set) => set());

export const allCases: readonly Case[] = allOps.flatMap(casesOf);

/** The direction in which output `i` of a case is differentiated. */
export const cotangent = (name: string, i: number, shape: Shape): Values =>
  randomValues(`${name} cotangent ${i}`, { shape, low: -1, high: 1 });

/** Changes when the sample does, so that a fixture of another sample is not compared with. */
export const fingerprint = ({ sample, inputs }: Case): string =>
  createHash("sha256")
    .update(`${sample.torch} ${JSON.stringify(inputs.map(spell))}`)
    .digest("hex")
    .slice(0, 12);

/** JSON knows no NaN, infinity or −0. */
export const spell = ({ shape, dtype, values }: Values) => ({
  shape,
  dtype,
  values: values.map((v) => (Number.isFinite(v) && !Object.is(v, -0) ? v : spellSpecial(v))),
});

const spellSpecial = (v: number): string =>
  Number.isNaN(v) ? "nan" : Object.is(v, -0) ? "-0.0" : v > 0 ? "inf" : "-inf";
