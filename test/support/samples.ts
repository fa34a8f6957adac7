/**
 * All ops' samples with the numbers they are tried on. Numbers follow from the name of op, sample and input, so that the
 * fixtures need not hold them. Read runCase.ts next.
 */
import type { DType } from "../../src/core/dtype.js";
import { type Shape, sizeOf } from "../../src/core/shape.js";
import type { OpSamples, Sample, SampleInput, SampleSet } from "../../src/tensor/defineOp.js";
import { opFiles } from "./opFiles.js";
import { sha256 } from "./sha256.js";

/** Every function without parameters that a file of ops exports as `…Samples`, by family. */
function findSampleSets(): Record<string, SampleSet> {
  const sets = Object.values(opFiles).flatMap((module) => Object.entries(module));
  const isSet = ([name, value]: [string, unknown]) =>
    name.endsWith("Samples") && typeof value === "function" && value.length === 0;
  return Object.fromEntries(sets.filter(isSet));
}

export const sampleSets = findSampleSets();

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
  const digits = sha256(name).slice(0, 8);
  // The bytes from last to first.
  let state = Number.parseInt(digits.match(/../g)!.reverse().join(""), 16);
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
  sha256(`${sample.torch} ${JSON.stringify(inputs.map(spell))}`).slice(0, 12);

/** JSON knows no NaN, infinity or −0. */
export const spell = ({ shape, dtype, values }: Values) => ({
  shape,
  dtype,
  values: values.map((v) => (Number.isFinite(v) && !Object.is(v, -0) ? v : spellSpecial(v))),
});

const spellSpecial = (v: number): string =>
  Number.isNaN(v) ? "nan" : Object.is(v, -0) ? "-0.0" : v > 0 ? "inf" : "-inf";
