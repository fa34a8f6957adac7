/**
 * How the fuzz calls each op: its parameters' names, from the function's own text, say what to try for each; a sample's call is
 * tried on tensors that it was not made for. Read run.ts next.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import * as gradus from "../../src/index.js";
import { GradusError, Tensor } from "../../src/index.js";
import { opFiles } from "../support/opFiles.js";
import { allOps } from "../support/samples.js";
import { Described, needed, notTensors, realize, settings, tensors } from "./values.js";

type Fn = (...args: unknown[]) => unknown;

export interface Target {
  readonly op: string;
  readonly args: fc.Arbitrary<unknown[]>;
  readonly call: (args: readonly unknown[]) => unknown;
}

const tensorNames =
  /^(x|y|z|a|b|c|v|g|u|p|q|k|w|h|d|t|m|n\d|x\d|weight|bias|mean|std|input.*|other|target|targets|indices|index|source|values|mask|condition|grid|theta|query|key|value|anchor|positive|negative|log.*|labels|boundaries|sorted|variance|state.*|hidden|mat.*|vec.*|tensors?|given|seq.*|running.*|lengths?)$/;

interface Parameter {
  readonly name: string;
  /** The keys, where an object is taken apart. */
  readonly keys: readonly string[] | null;
  readonly isNeeded: boolean;
}

/** The parameters of a function as its text spells them. */
function parametersOf(fn: Fn): Parameter[] {
  const text = fn.toString().replace(/\/\*.*?\*\//gs, "");
  const start = text.indexOf("(");
  const parts: string[] = [];
  let [depth, from] = [0, start + 1];
  for (let i = start; i < text.length; i++) {
    if ("([{".includes(text[i]!)) depth++;
    if (")]}".includes(text[i]!)) depth--;
    if ((depth === 1 && text[i] === ",") || depth === 0) {
      parts.push(text.slice(from, i).trim());
      from = i + 1;
    }
    if (depth === 0) break;
  }
  return parts.filter(Boolean).map((part, i) => {
    const isNeeded = i < fn.length;
    if (!part.startsWith("{")) return { name: part.split("=")[0]!.trim(), keys: null, isNeeded };
    const inside = part.slice(1, part.indexOf("}")).split(",");
    const keys = inside
      .map((key) => key.split(/[=:]/)[0]!.trim())
      .filter((key) => /^\w+$/.test(key));
    return { name: "options", keys, isNeeded };
  });
}

/** Every option that the interfaces of an op's file name. */
function optionNames(name: string): string[] {
  const found = Object.entries(opFiles).find(([, module]) => name in module);
  if (!found) return ["dim", "keepDim"];
  const text = readFileSync(new URL(`../../src/ops/${found[0]}`, import.meta.url), "utf8");
  return [...new Set(Array.from(text.matchAll(/readonly (\w+)\?:/g), ([, key]) => key!))];
}

/** Any of the options, but a generator, which has a class of its own. */
function dictionaryOf(all: readonly string[]): fc.Arbitrary<unknown> {
  const keys = all.filter((key) => key !== "generator");
  return keys.length === 0
    ? fc.constant({})
    : fc.dictionary(fc.constantFrom(...keys), settings, { maxKeys: 3 });
}

function argumentFor(
  op: string,
  { name, keys, isNeeded }: Parameter,
  i: number,
): fc.Arbitrary<unknown> {
  const options = keys ?? (name === "options" ? optionNames(op) : null);
  // What the types demand is there, if of another kind.
  const anything = isNeeded ? needed : settings;
  if (options) return isNeeded ? dictionaryOf(options) : optional(dictionaryOf(options));
  const isTensor = i === 0 || tensorNames.test(name);
  if (!isTensor)
    return fc.oneof({ weight: 9, arbitrary: anything }, { weight: 1, arbitrary: tensors });
  return fc.oneof({ weight: 12, arbitrary: tensors }, { weight: 2, arbitrary: notTensors });
}

const optional = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: fc.constant(undefined) });

const rooms: readonly Readonly<Record<string, unknown>>[] = [
  gradus as unknown as Record<string, unknown>,
  gradus.nn.functional as unknown as Record<string, unknown>,
];

/** The public function of an op's name, or its method as a function. */
function functionOf(op: string): { readonly fn: Fn; readonly known: boolean } {
  const name = op.split(" ")[0]!;
  const isMethod = op.includes(" along a dim");
  const fn = isMethod
    ? undefined
    : rooms.map((room) => room[name]).find((f) => typeof f === "function");
  if (fn) return { fn: fn as Fn, known: true };
  const method = (Tensor.prototype as unknown as Record<string, Fn>)[
    name === "variance" ? "var" : name
  ];
  if (!method) throw new Error(`no public function ${op}`);
  return { fn: (x, ...rest) => method.call(x, ...rest), known: false };
}

function free(op: string): Target {
  const { fn, known } = functionOf(op);
  const names = known ? parametersOf(fn) : [];
  const least = Math.max(1, names.filter(({ isNeeded }) => isNeeded).length);
  const args: fc.Arbitrary<unknown[]> = known
    ? fc.tuple(...names.map((parameter, i) => argumentFor(op, parameter, i))).chain((list) => {
        const max = list.length;
        return fc.integer({ min: Math.min(least, max), max }).map((n) => list.slice(0, n));
      })
    : fc
        .tuple(tensors, fc.array(needed, { minLength: 1, maxLength: 4 }))
        .map(([x, rest]) => [x, ...rest]);
  return { op, args, call: (list) => fn(...list.map(realize)) };
}

/** Tensors that a sample's call was not made for, one or all of them. */
function sampled(op: (typeof allOps)[number]): Target {
  const args = fc.constantFrom(...op.samples).chain((sample) =>
    fc
      .tuple(
        ...sample.inputs.map(({ shape, dtype }) =>
          fc.oneof(
            fc.constant(new Described(shape, dtype ?? "float32", "small")),
            fc
              .constantFrom<"odd" | "large">("odd", "large")
              .map((fill) => new Described(shape, dtype ?? "float32", fill)),
            tensors,
          ),
        ),
      )
      .map((inputs): unknown[] => [op.samples.indexOf(sample), ...inputs]),
  );
  const call = ([i, ...inputs]: readonly unknown[]) =>
    op.samples[i as number]!.call(...(inputs.map(realize) as Tensor[]));
  return { op: `${op.op} sample`, args, call };
}

export const targets: readonly Target[] = allOps.flatMap((op) => [free(op.op), sampled(op)]);

function checkTensors(value: unknown): void {
  if (value instanceof Tensor) {
    const { data } = value;
    if (data.length !== value.size) throw new Error(`${data.length} values for [${value.shape}]`);
    if (!value.shape.every((n) => Number.isSafeInteger(n) && n >= 0))
      throw new Error(`shape [${value.shape}]`);
  } else if (Array.isArray(value)) value.forEach(checkTensors);
  else if (value !== null && typeof value === "object") Object.values(value).forEach(checkTensors);
}

/** Calls it; what is wrong with how it went, or null: it must work, or throw an error that names the op. */
export function tryCall({ call }: Target, args: readonly unknown[]): string | null {
  try {
    checkTensors(call(args));
    return null;
  } catch (error) {
    if (!(error instanceof GradusError)) return `${(error as Error).stack}`;
    if (!error.op || !error.message.startsWith(`${error.op}: `))
      return `names no op: ${error.message}`;
    return null;
  }
}
