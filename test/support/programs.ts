/** Random programs over the families of ops, described by plain numbers so that a failing one can be shrunk and shown. */
import fc from "fast-check";
import { cat, type Tensor, tensor } from "../../src/index.js";

/** One step: which op, on which earlier values, with which choices. */
export interface Step {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly choice: number;
}

export interface Program {
  readonly shapes: readonly (readonly number[])[];
  readonly steps: readonly Step[];
}

export const programs: fc.Arbitrary<Program> = fc.record({
  shapes: fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  }),
  steps: fc.array(
    fc.record({ op: fc.nat(1000), a: fc.nat(1000), b: fc.nat(1000), choice: fc.nat(1000) }),
    { minLength: 5, maxLength: 30 },
  ),
});

type Op = (a: Tensor, b: Tensor, choice: number) => Tensor;

const largest = 160;

const dimOf = (x: Tensor, choice: number): number =>
  x.ndim === 0 ? 0 : (choice % (2 * x.ndim)) - x.ndim;

const broadcasts = (a: Tensor, b: Tensor): boolean =>
  a.shape.every((n, i) => {
    const m = b.shape[b.ndim - a.ndim + i];
    return m === undefined || n === 1 || m === 1 || n === m;
  });

/** b where it broadcasts with a, else a number made of it. */
const partner = (a: Tensor, b: Tensor): Tensor => (broadcasts(a, b) ? b : b.mean());

const pointwise: Op[] = [
  (a) => a.tanh(),
  (a) => a.sin(),
  (a) => a.cos().mul(0.9),
  (a) => a.sigmoid(),
  (a) => a.relu(),
  (a) => a.abs(),
  (a) => a.neg(),
  (a) => a.tanh().exp().mul(0.5),
  (a) => a.square().add(0.5).sqrt(),
  (a) => a.square().add(1).log(),
  (a) => a.square().add(1).rsqrt(),
  (a) => a.clamp(-0.7, 0.8),
  (a) => a.square().add(0.5).pow(0.7).tanh(),
];

const binary: Op[] = [
  (a, b) => a.add(partner(a, b)).mul(0.7),
  (a, b) => a.sub(partner(a, b)),
  (a, b) => a.mul(partner(a, b)).tanh(),
  (a, b) => a.div(partner(a, b).square().add(1)),
  (a, b) => a.maximum(partner(a, b)),
  (a, b) => a.minimum(partner(a, b)),
  (a, b) => a.where(a.gt(0.1), partner(a, b)),
];

const fold: Op[] = [
  (a, _, n) => a.sum(dimOf(a, n)).sin(),
  (a, _, n) => a.sum(dimOf(a, n), { keepDim: true }).mul(0.3),
  (a, _, n) => a.mean(dimOf(a, n), { keepDim: n % 2 === 0 }),
  (a, _, n) => a.amax(dimOf(a, n), { keepDim: n % 3 === 0 }),
  (a, _, n) => a.amin(dimOf(a, n)),
  (a, _, n) => a.softmax(dimOf(a, n)),
  (a, _, n) => a.logSoftmax(dimOf(a, n)).mul(0.2),
  (a, _, n) => a.var(dimOf(a, n), { correction: 0, keepDim: true }).tanh(),
  (a) => a.mean(),
];

const movement: Op[] = [
  (a, _, n) => a.transpose(dimOf(a, n), dimOf(a, n >> 3)),
  (a) => a.reshape([-1]),
  (a) => a.permute(a.shape.map((_, i) => a.ndim - 1 - i)).reshape([-1]),
  (a, _, n) => a.unsqueeze(n % (a.ndim + 1)),
  (a) => a.squeeze(),
  (a, _, n) => a.flip(a.ndim === 0 ? [] : dimOf(a, n)),
  (a) => (a.ndim === 0 ? a : a.at("::2")),
  (a) => (a.ndim === 0 ? a : a.at("...", "-2:")),
  (a, _, n) => (a.ndim === 0 ? a : a.select(dimOf(a, n), -1)),
  (a) => a.unsqueeze(0).expand([2, ...a.shape]),
  (a, _, n) => (a.ndim === 0 ? a : cat([a, a.flip(0).mul(0.5)], dimOf(a, n))),
  (a, b) => cat([a.reshape([-1]), b.reshape([-1])]),
];

const contract: Op[] = [
  (a) => (a.ndim === 0 ? a : a.matmul(a.ndim === 1 ? a : a.transpose(-1, -2)).tanh()),
  (a, b) =>
    a.ndim > 1 && b.ndim === 2 && a.shape.at(-1) === b.shape[0] ? a.matmul(b).tanh() : a.mul(0.9),
  (a, b) =>
    a
      .reshape([-1, 1])
      .matmul(b.reshape([1, -1]))
      .tanh(),
  (a, _, n) => a.reshape([-1]).gather(0, tensor(Int32Array.of(n % a.size, 0, (n >> 2) % a.size))),
];

const families = [pointwise, binary, fold, movement, contract];

const shrink = (x: Tensor): Tensor => (x.size > largest ? x.mean(0) : x);

/** Runs a program; gives a scalar that depends on its last values. */
export function runProgram({ steps }: Program, inputs: readonly Tensor[]): Tensor {
  const pool = [...inputs];
  for (const { op, a, b, choice } of steps) {
    const family = families[op % families.length]!;
    const chosen = family[Math.floor(op / families.length) % family.length]!;
    // Late values are taken more often, so that programs are deep.
    const pick = (n: number) =>
      pool[pool.length - 1 - (n % Math.min(pool.length, n % 3 === 0 ? pool.length : 3))]!;
    pool.push(shrink(chosen(pick(a), pick(b), choice)));
  }
  return pool.slice(-3).reduce((sum, x) => sum.add(x.mean()), inputs[0]!.mean());
}
