/** Ops that take parts of tensors, in NumPy's notation too, and that join them. Read indexing.ts next. */
import { resultType } from "../core/dtype.js";
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, normalizeDim, sameShape } from "../core/shape.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, install, type SampleSet, sample, typed } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { atIndices, type DimIndices, maskIndices } from "./advanced.js";
import { squeeze, unsqueeze } from "./movement.js";
import { promoteNodes } from "./pointwise.js";

type Range = {
  readonly start: readonly number[];
  readonly limit: readonly number[];
  readonly strides: readonly number[];
};

const sliceSpec: OpSpec<Range> = {
  name: "slice",
  lower: (b, [x], { start, limit, strides }) => b.slice(x!, start, limit, strides),
};

function sliceDim(x: Tensor, dim: number, from: number, to: number, step = 1): Tensor {
  const replace = (list: readonly number[], value: number) =>
    list.map((n, i) => (i === dim ? value : n));
  return applyOne(sliceSpec, [x], {
    start: replace(
      x.shape.map(() => 0),
      from,
    ),
    limit: replace(x.shape, to),
    strides: replace(
      x.shape.map(() => 1),
      step,
    ),
  });
}

/** `length` places along a dim, from `start`. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  checkTensors("narrow", [x]);
  const place = normalizeDim("narrow", dim, x.ndim);
  const n = x.shape[place] ?? 0;
  const from = start < 0 ? start + n : start;
  const isWhole = Number.isInteger(from) && Number.isInteger(length);
  if (!(isWhole && from >= 0 && length >= 0 && from + length <= n))
    throw new ValueError("narrow", `${start} to ${start + length} is outside of size ${n}`);
  return sliceDim(x, place, from, from + length);
}

/** The part at one index of a dim, which goes away. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  checkTensors("select", [x]);
  const place = normalizeDim("select", dim, x.ndim);
  const n = x.shape[place] ?? 0;
  const at = index < 0 ? index + n : index;
  if (!Number.isInteger(at) || at < 0 || at >= n)
    throw new ValueError("select", `index ${index} is out of range for size ${n} at dim ${dim}`);
  return squeeze(sliceDim(x, place, at, at + 1), place);
}

/**
 * One entry of {@link at}: an index, a slice "from:to:step", "..." for the dims between, null for a new dim, a tensor of
 * indices, or a bool mask.
 */
export type AtIndex = number | string | null | Tensor;

/** How many dims an entry is about. */
function dimsOf(index: AtIndex): number {
  if (index === null || index === "...") return 0;
  return typeof index === "object" && index.dtype === "bool" ? index.ndim : 1;
}

function parseSlice(text: string, n: number): [from: number, to: number, step: number] {
  if (typeof text !== "string")
    throw new ValueError(
      "at",
      `expected a number, a slice such as "1:3", "..." or a tensor, got ${text}`,
    );
  const parts = text.split(":").map((part) => part.trim());
  const valid = parts.length >= 2 && parts.length <= 3 && parts.every((p) => /^(-?\d+)?$/.test(p));
  if (!valid) throw new ValueError("at", `"${text}" is no slice, expected "from:to:step" or "..."`);
  const [from, to, step] = parts.map((p) => (p === "" ? undefined : Number(p)));
  const by = step ?? 1;
  if (by < 1)
    throw new ValueError("at", `the step in "${text}" must be ≥ 1; use flip() to reverse`);
  const clip = (value: number) => Math.min(n, Math.max(0, value < 0 ? value + n : value));
  const start = clip(from ?? 0);
  return [start, Math.max(start, clip(to ?? n)), by];
}

/**
 * A part of a tensor in NumPy's notation: `x.at(0, ":", "1:3")`, `x.at("...", -1)`, `x.at(null, "::2")`. Indices and ends of
 * slices below 0 count from the end. Tensors of indices (int32 or uint8) broadcast together and are looked up at once;
 * their dims stand where the indexed ones were, or in front if those were apart. A bool mask stands for the indices of
 * its true elements, which compile() cannot know.
 *
 * @throws ValueError if an index is out of range or there are too many; ShapeError if a mask does not fit.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * console.log(x.at("1:", 0).toArray()); // → [ 3, 5 ]
 * console.log(x.at(tensor([2, 0], { dtype: "int32" })).toArray()); // → [ [ 5, 6 ], [ 1, 2 ] ]
 * console.log(x.at(x.gt(2)).toArray()); // → [ 3, 4, 5, 6 ]
 * ```
 */
export function at(x: Tensor, ...indices: readonly AtIndex[]): Tensor {
  checkTensors("at", [x]);
  const used = indices.reduce((sum: number, index) => sum + dimsOf(index), 0);
  if (used > x.ndim || indices.filter((i) => i === "...").length > 1)
    throw new ValueError("at", `${indices.length} indices do not fit ${formatShape(x.shape)}`);
  let result = x;
  let dim = 0;
  const lists: DimIndices[] = [];
  for (const index of indices) {
    if (index === "...") dim += x.ndim - used;
    else if (index === null) result = unsqueeze(result, dim++);
    else if (typeof index === "number") result = select(result, dim, index);
    else if (typeof index === "object") {
      if (index.dtype === "bool") lists.push(...maskIndices(result, dim, index));
      else lists.push({ dim, indices: index });
      dim += dimsOf(index);
    } else {
      const [from, to, step] = parseSlice(index, result.shape[dim]!);
      result = sliceDim(result, dim++, from, to, step);
    }
  }
  return lists.length > 0 ? atIndices(result, lists) : result;
}

const catSpec: OpSpec<{ readonly dim: number }> = {
  name: "cat",
  lower: (b, nodes, { dim }) =>
    b.make("concatenate", promoteNodes(b, nodes, resultType(nodes)), { dim }),
};

/** Joins tensors along a dim that they have; the other sizes must be equal. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  checkTensors("cat", tensors);
  const [first] = tensors;
  if (!first) throw new ValueError("cat", "needs at least one tensor, got none");
  const place = normalizeDim("cat", dim, first.ndim);
  for (const x of tensors) {
    const fits =
      x.ndim === first.ndim && x.shape.every((n, i) => i === place || n === first.shape[i]);
    if (!fits || x.ndim === 0)
      throw new ShapeError(
        "cat",
        `${formatShape(first.shape)} and ${formatShape(x.shape)} do not join at dim ${dim}`,
      );
  }
  return tensors.length === 1 ? first : applyOne(catSpec, tensors, { dim: place });
}

/** Joins tensors of one shape along a new dim. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  checkTensors("stack", tensors);
  const [first] = tensors;
  if (!first) throw new ValueError("stack", "needs at least one tensor, got none");
  const other = tensors.find((x) => !sameShape(x.shape, first.shape));
  if (other)
    throw new ShapeError(
      "stack",
      `shapes differ: ${formatShape(first.shape)} and ${formatShape(other.shape)}`,
    );
  const place = normalizeDim("stack", dim, first.ndim + 1);
  return cat(
    tensors.map((x) => unsqueeze(x, place)),
    place,
  );
}

install({ narrow, select, at });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** `length` places along a dim, from `start`. */
    narrow(dim: number, start: number, length: number): Tensor;
    /** The part at one index of a dim. */
    select(dim: number, index: number): Tensor;
    /** A part in NumPy's notation: indices, "from:to:step", "...", null for a new dim, tensors of indices or a mask. */
    at(...indices: AtIndex[]): Tensor;
  }
}

const partSamples: SampleSet = () => [
  {
    op: "narrow",
    samples: [
      sample([input([4, 3])], (a) => a.narrow(0, 1, 2), "a.narrow(0, 1, 2)"),
      sample([input([4, 3])], (a) => a.narrow(-1, -2, 2), "a.narrow(-1, -2, 2)"),
      sample([input([3, 4])], (a) => a.t().narrow(0, 2, 0), "a.t().narrow(0, 2, 0)"),
    ],
    bad: [
      bad(() => zeros([3]).narrow(0, 2, 2), /^narrow: 2 to 4 is outside of size 3/),
      bad(() => zeros([3]).narrow(0, 0, 1.5), /^narrow: /),
    ],
  },
  {
    op: "select",
    samples: [
      sample([input([4, 3])], (a) => a.select(0, 1), "a.select(0, 1)"),
      sample([input([4, 3])], (a) => a.select(-1, -1), "a.select(-1, -1)"),
      sample([input([3])], (a) => a.select(0, 0), "a.select(0, 0)"),
    ],
    bad: [
      bad(() => zeros([3]).select(0, 3), /^select: index 3 is out of range for size 3 at dim 0/),
    ],
  },
  {
    op: "at",
    samples: [
      sample([input([4, 3, 2])], (a) => a.at(0, ":", "1:"), "a[0, :, 1:]"),
      sample([input([4, 3, 2])], (a) => a.at("...", -1), "a[..., -1]"),
      sample([input([4, 3])], (a) => a.at(null, "::2", null, 1), "a[None, ::2, None, 1]"),
      sample([input([7])], (a) => a.at("-5:-1:3"), "a[-5:-1:3]"),
      sample([input([7])], (a) => a.at("5:2"), "a[5:2]"),
      sample([input([7])], (a) => a.at("-100:100"), "a[-100:100]"),
      sample([input([3, 5])], (a) => a.t().at("1:4:2", "1:"), "a.t()[1:4:2, 1:]"),
      sample([input([])], (a) => a.at("..."), "a[...]"),
      sample([input([0, 2])], (a) => a.at(":", 0), "a[:, 0]"),
    ],
    bad: [
      bad(() => zeros([2]).at(0, 0), /^at: 2 indices do not fit \[2\]/),
      bad(() => zeros([2]).at("a:b"), /^at: "a:b" is no slice/),
      bad(() => zeros([2]).at("::-1"), /^at: the step in "::-1" must be ≥ 1; use flip/),
      bad(() => zeros([2]).at(2), /index 2 is out of range for size 2/),
    ],
  },
];

const joinSamples: SampleSet = () => [
  {
    op: "cat",
    samples: [
      sample([input([2, 3]), input([1, 3])], (a, b) => cat([a, b]), "torch.cat([a, b])"),
      sample(
        [input([2, 3]), input([3, 2])],
        (a, b) => cat([a, b.t()], -1),
        "torch.cat([a, b.t()], -1)",
      ),
      sample(
        [input([2]), input([0]), input([3])],
        (a, b, c) => cat([a, b, c]),
        "torch.cat([a, b, c])",
      ),
      sample([input([2, 1])], (a) => cat([a, a, a.mul(2)], 1), "torch.cat([a, a, a * 2], 1)"),
      sample([typed("int32", [2]), input([2])], (a, b) => cat([a, b]), "torch.cat([a, b])"),
      sample([typed("bool", [2]), typed("uint8", [1])], (a, b) => cat([a, b]), "torch.cat([a, b])"),
      sample([input([2])], (a) => cat([a]), "torch.cat([a])"),
    ],
    bad: [
      bad(
        () => cat([zeros([2, 3]), zeros([2, 2])]),
        /^cat: \[2, 3\] and \[2, 2\] do not join at dim 0/,
      ),
      bad(() => cat([]), /^cat: needs at least one tensor/),
      bad(() => cat([zeros([2])], 1), /^cat: dim 1 is out of range/),
    ],
  },
  {
    op: "stack",
    samples: [
      ...[0, 1, -1].map((d) =>
        sample(
          [input([2, 3]), input([2, 3])],
          (a, b) => stack([a, b], d),
          `torch.stack([a, b], ${d})`,
        ),
      ),
      sample([input([]), input([])], (a, b) => stack([a, b, a]), "torch.stack([a, b, a])"),
    ],
    bad: [
      bad(() => stack([zeros([2]), zeros([3])]), /^stack: .*\[2\].*\[3\]/),
      bad(() => stack([]), /^stack: needs at least one tensor/),
      bad(() => stack([zeros([2])], 2), /^stack: dim 2 is out of range: expected -2 to 1/),
    ],
  },
];

export const partsSamples: SampleSet = () => [...partSamples(), ...joinSamples()];
