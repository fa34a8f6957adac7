/**
 * Random tensors from a counter-based generator (core/random.ts): the state is a small tensor, so that
 * compiled functions read and advance it like any other, and draws are the same bits on every backend.
 */
import type { DType } from "../core/dtype.js";
import { DTypeError, ValueError } from "../core/errors.js";
import { randomBits } from "../core/random.js";
import { checkShape, type Shape, sizeOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, describe, fromArray, type OpSpec } from "./apply.js";
import { activeTrace, noGrad } from "./context.js";
import { type TensorOptions, tensor, zeros } from "./create.js";
import type { Tensor } from "./tensor.js";

/** Key (two words), then the number of the next call (two words). */
const stateWords = 4;

/**
 * A source of random numbers. Each draw uses one call number, so what is drawn depends only on the seed and on
 * how many draws came before.
 *
 * @example
 * ```ts
 * import { Generator, rand } from "gradus";
 * const a = rand([2], { generator: new Generator(7) });
 * const b = rand([2], { generator: new Generator(7) });
 * console.log(a.data[0] === b.data[0]); // → true
 * ```
 */
export class Generator {
  /** Key and call number, int32 [4]. @internal */
  readonly state: Tensor = zeros([stateWords], { dtype: "int32" });

  constructor(seed = 0) {
    this.manualSeed(seed);
  }

  /** Starts over from a seed, a whole number from 0 to 2⁵³ − 1. */
  manualSeed(seed: number): this {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new ValueError(
        "manualSeed",
        `seed must be a whole number from 0 to 2^53 - 1, got ${seed}`,
      );
    this.setState([seed | 0, Math.floor(seed / 2 ** 32) | 0, 0, 0]);
    return this;
  }

  /** Key and call number, to be kept and given to {@link setState} later. */
  getState(): number[] {
    return [...this.state.storageFor("getState").data];
  }

  setState(words: readonly number[]): void {
    if (words.length !== stateWords || !words.every((w) => Number.isInteger(w) && w === (w | 0)))
      throw new ValueError("setState", `expected ${stateWords} int32 words, got [${words}]`);
    const storage = this.state.storageFor("setState");
    storage.beforeWrite();
    storage.data.set(words);
    storage.version++;
  }

  /** The state for one draw, and advances: in a trace as part of the program, else here. @internal */
  take(): Tensor {
    const trace = activeTrace();
    if (!trace) {
      const words = this.getState();
      const low = (words[2]! + 1) | 0;
      this.setState([words[0]!, words[1]!, low, low === 0 ? (words[3]! + 1) | 0 : words[3]!]);
      return tensor(Int32Array.from(words));
    }
    const now = trace.wrap(trace.nodeOf(this.state), false);
    trace.assign(
      this.state,
      noGrad(() => applyOne(advanceSpec, [now], {})),
    );
    return now;
  }

  /** Draws whole numbers from 0 to 2³² − 1 here, outside of any program. @internal */
  bits(count: number): Uint32Array {
    const out = new Int32Array(count);
    randomBits(this.take().data, out);
    return new Uint32Array(out.buffer);
  }
}

/** Adds one to the call number, a 64-bit number in words 2 (low) and 3. */
const advanceSpec: OpSpec = {
  name: "generator",
  lower(b, [state]) {
    const place = b.iota(0, [stateWords]);
    const low = b.slice(state!, [2], [3]);
    const carries = b.broadcastTo(b.equal(low, -1), [stateWords]);
    const second = b.pointwise("and", b.equal(place, 3), carries);
    const step = b.pointwise("or", b.equal(place, 2), second);
    return b.add(state!, b.convert(step, "int32"));
  },
};

export const defaultGenerator = new Generator(0);

/**
 * The generator of an option, or the default one if it was left out.
 *
 * @throws ValueError if it is anything but a {@link Generator}. @internal
 */
export function generatorOf(op: string, generator: Generator | null | undefined): Generator {
  if (generator === undefined || generator === null) return defaultGenerator;
  if (generator instanceof Generator) return generator;
  const given: unknown = generator;
  const isSeed = typeof given === "number" && Number.isSafeInteger(given) && given >= 0;
  throw new ValueError(
    op,
    `generator must be a Generator, got ${describe(given)}; ` +
      `${isSeed ? `new Generator(${given})` : "make one with new Generator(seed)"}`,
  );
}

/** Seeds the default generator, which everything random draws from unless it is given another. */
export const manualSeed = (seed: number): Generator => defaultGenerator.manualSeed(seed);

export interface RandomOptions extends TensorOptions {
  readonly generator?: Generator;
}

/** Uniform numbers in [0, 1) from random bits: the top 24 (53 for float64) bits, scaled. */
export function uniformNodes(b: Builder, state: Node, shape: Shape, dtype: DType): Node {
  if (dtype === "float32") {
    const bits = b.make("randomBits", [state], { shape });
    const top = b.pointwise("shiftRightLogical", bits, 8);
    return b.multiply(b.convert(top, "float32"), 2 ** -24);
  }
  const bits = b.make("randomBits", [state], { shape: [2, ...shape] });
  const half = (i: number, shift: number) => {
    const start = [i, ...shape.map(() => 0)];
    const words = b.reshape(b.slice(bits, start, [i + 1, ...shape]), shape);
    return b.convert(b.pointwise("shiftRightLogical", words, shift), "float64");
  };
  return b.multiply(b.add(b.multiply(half(0, 5), 2 ** 26), half(1, 6)), 2 ** -53);
}

type Draw = { readonly shape: Shape; readonly dtype: DType };

const uniformSpec: OpSpec<Draw> = {
  name: "rand",
  lower: (b, [state], { shape, dtype }) => uniformNodes(b, state!, shape, dtype),
};

/** Box and Muller's transform of two uniform numbers, in float64 so that rounding is the same everywhere. */
export function normalNodes(b: Builder, state: Node, shape: Shape): Node {
  const pair = uniformNodes(b, state, [2, ...shape], "float64");
  const half = (i: number) => {
    const start = [i, ...shape.map(() => 0)];
    return b.reshape(b.slice(pair, start, [i + 1, ...shape]), shape);
  };
  const radius = b.pointwise("sqrt", b.multiply(b.pointwise("log", b.subtract(1, half(0))), -2));
  const angle = b.pointwise("cosine", b.multiply(half(1), 2 * Math.PI));
  return b.multiply(radius, angle);
}

const normalSpec: OpSpec<Draw> = {
  name: "randn",
  lower: (b, [state], { shape, dtype }) => b.convert(normalNodes(b, state!, shape), dtype),
};

function draw(spec: OpSpec<Draw>, shape: Shape, options: RandomOptions): Tensor {
  const dtype = options.dtype ?? "float32";
  if (dtype !== "float32" && dtype !== "float64")
    throw new DTypeError(spec.name, `needs a float dtype, got ${dtype}`);
  checkShape(spec.name, shape);
  const state = generatorOf(spec.name, options.generator).take();
  const result = applyOne(spec, [state], { shape: [...shape], dtype });
  result.requiresGrad = options.requiresGrad ?? false;
  return result;
}

/**
 * Uniform random numbers in [0, 1).
 *
 * @example
 * ```ts
 * import { manualSeed, rand } from "gradus";
 * manualSeed(1);
 * console.log(rand([2, 3]).shape); // → [ 2, 3 ]
 * ```
 */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  draw(uniformSpec, shape, options);

/** Random numbers of the normal distribution with mean 0 and standard deviation 1. */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  draw(normalSpec, shape, options);

const like = (x: Tensor, options: RandomOptions): RandomOptions => ({ dtype: x.dtype, ...options });

/**
 * {@link rand} in the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { randLike, tensor } from "gradus";
 * console.log(randLike(tensor([1, 2])).shape); // → [ 2 ]
 * ```
 */
export const randLike = (x: Tensor, options: RandomOptions = {}): Tensor =>
  rand(x.shape, like(x, options));

/**
 * {@link randn} in the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { randnLike, tensor } from "gradus";
 * console.log(randnLike(tensor([1, 2])).shape); // → [ 2 ]
 * ```
 */
export const randnLike = (x: Tensor, options: RandomOptions = {}): Tensor =>
  randn(x.shape, like(x, options));

/** A random order of 0 … n − 1 (Fisher and Yates's shuffle), int32. */
export function randperm(n: number, options: { readonly generator?: Generator } = {}): Tensor {
  const order = Int32Array.from({ length: sizeOf(checkShape("randperm", [n])) }, (_, i) => i);
  const bits = generatorOf("randperm", options.generator).bits(n);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((bits[i]! / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return fromArray(order, [n], "int32");
}
