/** Ops that find the largest and smallest elements and say where they are. Read softmax.ts next. */
import { normalizeDim } from "../core/shape.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  kink,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { gather } from "./indexing.js";
import { squeeze } from "./movement.js";
import { amax, amin, type KeepDim } from "./reduce.js";

function argReduction(name: string, primitive: "argMax" | "argMin") {
  const spec: OpSpec<{ readonly dim: number | null; readonly keepDim: boolean }> = {
    name,
    lower(b, [x], { dim, keepDim }) {
      const flat = dim === null ? b.reshape(x!, [x!.shape.reduce((n, m) => n * m, 1)]) : x!;
      const chosen = b.make(primitive, [flat], { dim: dim ?? 0 });
      if (!keepDim) return chosen;
      const shape = x!.shape.map((n, i) => (dim === null || i === dim ? 1 : n));
      return b.reshape(chosen, shape);
    },
  };
  return (x: Tensor, dim?: number, { keepDim = false }: KeepDim = {}): Tensor => {
    const place = dim === undefined || x.ndim === 0 ? null : normalizeDim(name, dim, x.ndim);
    return applyOne(spec, [x], { dim: place, keepDim });
  };
}

export const argmax = argReduction("argmax", "argMax");
export const argmin = argReduction("argmin", "argMin");

/** An extreme along a dim, and where it is. */
export interface Extreme {
  readonly values: Tensor;
  readonly indices: Tensor;
}

function extreme(
  x: Tensor,
  dim: number | undefined,
  options: KeepDim,
  all: (x: Tensor) => Tensor,
  choose: (x: Tensor, dim: number, options: KeepDim) => Tensor,
): Tensor | Extreme {
  if (dim === undefined) return all(x);
  if (x.ndim === 0) return { values: x, indices: choose(x, dim, {}) };
  const kept = choose(x, dim, { keepDim: true });
  const place = normalizeDim("max", dim, x.ndim);
  const values = gather(x, place, kept);
  if (options.keepDim) return { values, indices: kept };
  return { values: squeeze(values, place), indices: squeeze(kept, place) };
}

const max = (x: Tensor, dim?: number, options: KeepDim = {}) =>
  extreme(x, dim, options, amax, argmax);
const min = (x: Tensor, dim?: number, options: KeepDim = {}) =>
  extreme(x, dim, options, amin, argmin);

install({ argmax, argmin, max, min });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Index of the first largest element, over all or along a dim. */
    argmax(dim?: number, options?: KeepDim): Tensor;
    /** Index of the first smallest element. */
    argmin(dim?: number, options?: KeepDim): Tensor;
    /** The largest element of all. */
    max(): Tensor;
    /** The largest elements along a dim and their indices; the gradient goes to the first. */
    max(dim: number, options?: KeepDim): Extreme;
    /** The smallest element of all. */
    min(): Tensor;
    /** The smallest elements along a dim and their indices. */
    min(dim: number, options?: KeepDim): Extreme;
  }
}

const keepDim = { keepDim: true } as const;

const argSamples: SampleSet = () =>
  (
    [
      ["argmax", argmax],
      ["argmin", argmin],
    ] as const
  ).map(([op, fn]) => ({
    op,
    samples: [
      ...[undefined, 0, 1, -1].map((d) =>
        sample(
          [input([3, 4])],
          (a) => fn(a, d),
          `torch.${op}(a${d === undefined ? "" : `, ${d}`})`,
        ),
      ),
      sample([input([2, 3, 4])], (a) => fn(a, 1, keepDim), `torch.${op}(a, 1, keepdim=True)`),
      sample(
        [input([3, 2, 4])],
        (a) => fn(a.transpose(0, 2), 1),
        `torch.${op}(a.transpose(0, 2), 1)`,
      ),
      sample([input([])], (a) => fn(a), `torch.${op}(a)`),
      sample([typed("int32", [6], 0, 3)], (a) => fn(a.add(0).mul(7)), `torch.${op}(a * 7)`),
      sample([given([2, 3], [1, 1, 0, 0, 0, 1])], (a) => fn(a, 1), `torch.${op}(a, 1)`),
      sample([given([4], [1, Number.NaN, 5, Number.NaN])], (a) => fn(a), `torch.${op}(a)`),
      sample(
        [given([3], [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0])],
        (a) => fn(a),
        `torch.${op}(a)`,
      ),
    ],
    bad: [
      bad(() => fn(zeros([2]), 1), new RegExp(`^${op}: dim 1 is out of range`)),
      bad(
        () => fn(zeros([2, 0]), 1),
        new RegExp(`^${op}: nothing to choose from in \\[2, 0\\] at dim 1`),
      ),
    ],
    noGradient: "indices have no gradient",
  }));

const pairSamples: SampleSet = () =>
  (["max", "min"] as const).map((op) => ({
    op,
    samples: [
      sample([input([2, 3])], (a) => a[op](), `torch.${op}(a)`),
      ...[0, -1].map((d) =>
        sample([input([3, 4])], (a) => Object.values(a[op](d)), `torch.${op}(a, ${d})`),
      ),
      sample(
        [input([2, 3, 4])],
        (a) => Object.values(a.transpose(0, 1)[op](1, keepDim)),
        `torch.${op}(a.transpose(0, 1), 1, keepdim=True)`,
      ),
      sample([input([])], (a) => Object.values(a[op](0)), `torch.${op}(a, 0)`),
      sample([typed("int32", [4])], (a) => a[op](), `torch.${op}(a)`),
      kink(
        [given([2, 3], [1, 1, 0, 0, 0, 1])],
        (a) => Object.values(a[op](1)),
        `torch.${op}(a, 1)`,
      ),
      kink([given([3], [1, Number.NaN, 2])], (a) => Object.values(a[op](0)), `torch.${op}(a, 0)`),
    ],
    bad: [bad(() => zeros([2])[op](1), /dim 1 is out of range/)],
  }));

export const argmaxSamples: SampleSet = () => [...argSamples(), ...pairSamples()];
