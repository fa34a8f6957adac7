/** Ops that rearrange elements: reshape, transpose, slices in NumPy's notation, joining. Read indexing.ts next. */
import { resultType } from "../core/dtype.js";
import { ShapeError, ValueError } from "../core/errors.js";
import {
  broadcastShapes,
  checkShape,
  formatShape,
  inferShape,
  normalizeDim,
  normalizeDims,
  type Shape,
  sameShape,
  sizeOf,
} from "../core/shape.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, install, type SampleSet, sample, typed } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { promoteNodes } from "./pointwise.js";

const reshapeSpec: OpSpec<{ readonly shape: Shape }> = {
  name: "reshape",
  sharesMemory: true,
  lower: (b, [x], { shape }) => b.reshape(x!, shape),
};

/** The same elements in another shape; one size may be -1 and is inferred. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const full = inferShape("reshape", shape, x.size);
  return applyOne(reshapeSpec, [x], { shape: [...full] });
}

export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  if (x.ndim === 0) return reshape(x, [1]);
  const [from, to] = [start, end].map((d) => normalizeDim("flatten", d, x.ndim)) as [
    number,
    number,
  ];
  if (from > to) throw new ValueError("flatten", `start dim ${start} comes after end dim ${end}`);
  const joined = sizeOf(x.shape.slice(from, to + 1));
  return reshape(x, [...x.shape.slice(0, from), joined, ...x.shape.slice(to + 1)]);
}

export function unsqueeze(x: Tensor, dim: number): Tensor {
  const place = normalizeDim("unsqueeze", dim, x.ndim + 1);
  return reshape(x, [...x.shape.slice(0, place), 1, ...x.shape.slice(place)]);
}

/** Drops dims of size 1: all of them, or those named (others that are named stay as they are). */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  const dims = normalizeDims("squeeze", dim, x.ndim);
  return reshape(
    x,
    x.shape.filter((n, i) => n !== 1 || !dims.includes(i)),
  );
}

const permuteSpec: OpSpec<{ readonly permutation: readonly number[] }> = {
  name: "permute",
  lower: (b, [x], { permutation }) => b.transpose(x!, permutation),
};

export function permute(x: Tensor, dims: readonly number[]): Tensor {
  const permutation = dims.map((d) => normalizeDim("permute", d, x.ndim));
  if (new Set(permutation).size !== x.ndim || permutation.length !== x.ndim)
    throw new ValueError("permute", `${formatShape(dims)} is no order of ${x.ndim} dims`);
  return applyOne(permuteSpec, [x], { permutation });
}

export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const [a, b] = [dim0, dim1].map((d) => normalizeDim("transpose", d, x.ndim)) as [number, number];
  if (x.ndim === 0) return x;
  const order = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return permute(x, order);
}

/** The transpose of a matrix; vectors and scalars stay as they are. */
export function t(x: Tensor): Tensor {
  if (x.ndim > 2)
    throw new ShapeError("t", `needs at most 2 dims, got ${formatShape(x.shape)}; use permute()`);
  return x.ndim === 2 ? transpose(x, 0, 1) : x;
}

const expandSpec: OpSpec<{ readonly shape: Shape }> = {
  name: "expand",
  lower: (b, [x], { shape }) => b.broadcastTo(x!, shape),
};

/** Repeats dims of size 1 up to the given sizes; -1 keeps a size. */
export function expand(x: Tensor, shape: Shape): Tensor {
  const lead = shape.length - x.ndim;
  const full = shape.map((n, i) => (n === -1 && i >= lead ? x.shape[i - lead]! : n));
  checkShape("expand", full);
  if (lead < 0 || !sameShape(broadcastShapes("expand", x.shape, full), full))
    throw new ShapeError(
      "expand",
      `cannot expand ${formatShape(x.shape)} to ${formatShape(shape)}`,
    );
  return applyOne(expandSpec, [x], { shape: full });
}

const flipSpec: OpSpec<{ readonly dims: readonly number[] }> = {
  name: "flip",
  lower: (b, [x], { dims }) => b.make("reverse", [x!], { dims }),
};

export const flip = (x: Tensor, dims: number | readonly number[]): Tensor =>
  applyOne(flipSpec, [x], { dims: normalizeDims("flip", dims, x.ndim) });

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
  const place = normalizeDim("narrow", dim, x.ndim);
  const n = x.shape[place] ?? 0;
  const from = start < 0 ? start + n : start;
  if (!(Number.isInteger(from) && from >= 0 && length >= 0 && from + length <= n))
    throw new ValueError("narrow", `${start} to ${start + length} is outside of size ${n}`);
  return sliceDim(x, place, from, from + length);
}

/** The part at one index of a dim, which goes away. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const place = normalizeDim("select", dim, x.ndim);
  const n = x.shape[place] ?? 0;
  const at = index < 0 ? index + n : index;
  if (!Number.isInteger(at) || at < 0 || at >= n)
    throw new ValueError("select", `index ${index} is out of range for size ${n} at dim ${dim}`);
  return squeeze(sliceDim(x, place, at, at + 1), place);
}

/** One entry of {@link at}: an index, a slice "from:to:step", "..." for the dims between, null for a new dim. */
export type AtIndex = number | string | null;

function parseSlice(text: string, n: number): [from: number, to: number, step: number] {
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
 * A part of a tensor in NumPy's notation: `x.at(0, ":", "1:3")`, `x.at("...", -1)`, `x.at(null, "::2")`.
 */
export function at(x: Tensor, ...indices: readonly AtIndex[]): Tensor {
  const used = indices.filter((i) => i !== null && i !== "...").length;
  if (used > x.ndim || indices.filter((i) => i === "...").length > 1)
    throw new ValueError("at", `${indices.length} indices do not fit ${formatShape(x.shape)}`);
  let result = x;
  let dim = 0;
  for (const index of indices) {
    if (index === "...") dim += x.ndim - used;
    else if (index === null) result = unsqueeze(result, dim++);
    else if (typeof index === "number") result = select(result, dim, index);
    else {
      const [from, to, step] = parseSlice(index, result.shape[dim]!);
      result = sliceDim(result, dim++, from, to, step);
    }
  }
  return result;
}

const catSpec: OpSpec<{ readonly dim: number }> = {
  name: "cat",
  lower: (b, nodes, { dim }) =>
    b.make("concatenate", promoteNodes(b, nodes, resultType(nodes)), { dim }),
};

/** Joins tensors along a dim that they have; the other sizes must be equal. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
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
  return cat(
    tensors.map((x) => unsqueeze(x, dim)),
    dim,
  );
}

install({ reshape, view: reshape, flatten, unsqueeze, squeeze, permute, transpose, t, expand });
install({ flip, narrow, select, at });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The same elements in another shape; one size may be -1. */
    reshape(shape: Shape): Tensor;
    /** As reshape. */
    view(shape: Shape): Tensor;
    /** Joins the dims from `start` to `end` into one. */
    flatten(start?: number, end?: number): Tensor;
    /** Adds a dim of size 1. */
    unsqueeze(dim: number): Tensor;
    /** Drops dims of size 1, all or those named. */
    squeeze(dim?: number | readonly number[]): Tensor;
    /** Puts the dims in another order. */
    permute(dims: readonly number[]): Tensor;
    /** Swaps two dims. */
    transpose(dim0: number, dim1: number): Tensor;
    /** Transposes a matrix. */
    t(): Tensor;
    /** Repeats dims of size 1; -1 keeps a size. */
    expand(shape: Shape): Tensor;
    /** Reverses the order along dims. */
    flip(dims: number | readonly number[]): Tensor;
    /** `length` places along a dim, from `start`. */
    narrow(dim: number, start: number, length: number): Tensor;
    /** The part at one index of a dim. */
    select(dim: number, index: number): Tensor;
    /** A part in NumPy's notation: indices, "from:to:step", "...", null for a new dim. */
    at(...indices: AtIndex[]): Tensor;
  }
}

const shapeSamples: SampleSet = () => [
  {
    op: "reshape",
    samples: [
      sample([input([2, 3])], (a) => a.reshape([3, 2]), "a.reshape(3, 2)"),
      sample([input([2, 6])], (a) => a.reshape([-1, 2, 2]), "a.reshape(-1, 2, 2)"),
      sample([input([3, 4])], (a) => a.t().reshape([2, 6]), "a.t().reshape(2, 6)"),
      sample(
        [input([2, 3, 4])],
        (a) => a.transpose(0, 1).reshape([6, 4]),
        "a.transpose(0, 1).reshape(6, 4)",
      ),
      sample(
        [input([2, 3, 4])],
        (a) => a.permute([0, 2, 1]).reshape([2, 12]),
        "a.permute(0, 2, 1).reshape(2, 12)",
      ),
      sample([input([6, 4])], (a) => a.at("::2").reshape([3, 2, 2]), "a[::2].reshape(3, 2, 2)"),
      sample([input([1])], (a) => a.reshape([]), "a.reshape(())"),
      sample([input([])], (a) => a.reshape([1, 1]), "a.reshape(1, 1)"),
      sample([input([0, 3])], (a) => a.reshape([3, 0]), "a.reshape(3, 0)"),
      sample([typed("int32", [4])], (a) => a.reshape([2, -1]), "a.reshape(2, -1)"),
    ],
    bad: [
      bad(() => zeros([2, 3]).reshape([4]), /^reshape: \[4\] has 4 elements, the tensor has 6/),
      bad(
        () => zeros([2, 3]).reshape([-1, 4]),
        /^reshape: cannot infer -1 in \[-1, 4\] for 6 elements/,
      ),
      bad(() => zeros([2, 3]).reshape([-1, -1]), /^reshape: cannot infer -1/),
      bad(() => zeros([2]).reshape([1.5]), /^reshape: sizes must be whole numbers/),
    ],
  },
  {
    op: "view",
    samples: [sample([input([2, 3])], (a) => a.view([6]).mul(2), "a.view(6) * 2")],
    bad: [bad(() => zeros([2]).view([3]), /\[3\] has 3 elements, the tensor has 2/)],
  },
  {
    op: "flatten",
    samples: [
      sample([input([2, 3, 4])], (a) => a.flatten(), "a.flatten()"),
      sample([input([2, 3, 4])], (a) => a.flatten(1), "a.flatten(1)"),
      sample([input([2, 3, 4])], (a) => a.flatten(0, -2), "a.flatten(0, -2)"),
      sample(
        [input([2, 3, 4])],
        (a) => a.permute([2, 0, 1]).flatten(1),
        "a.permute(2, 0, 1).flatten(1)",
      ),
      sample([input([])], (a) => a.flatten(), "a.flatten()"),
      sample([input([0, 2])], (a) => a.flatten(), "a.flatten()"),
    ],
    bad: [
      bad(() => zeros([2, 3]).flatten(1, 0), /^flatten: start dim 1 comes after end dim 0/),
      bad(() => zeros([2, 3]).flatten(2), /^flatten: dim 2 is out of range/),
    ],
  },
  {
    op: "unsqueeze",
    samples: [
      ...[0, 1, 2, -1, -3].map((d) =>
        sample([input([2, 3])], (a) => a.unsqueeze(d), `a.unsqueeze(${d})`),
      ),
      sample([input([])], (a) => a.unsqueeze(0), "a.unsqueeze(0)"),
      sample([input([2, 3])], (a) => a.t().unsqueeze(1).mul(2), "a.t().unsqueeze(1) * 2"),
    ],
    bad: [
      bad(() => zeros([2]).unsqueeze(2), /^unsqueeze: dim 2 is out of range: expected -2 to 1/),
    ],
  },
  {
    op: "squeeze",
    samples: [
      sample([input([1, 3, 1])], (a) => a.squeeze(), "a.squeeze()"),
      sample([input([1, 3, 1])], (a) => a.squeeze(0), "a.squeeze(0)"),
      sample([input([1, 3, 1])], (a) => a.squeeze(-1), "a.squeeze(-1)"),
      sample([input([1, 3, 1])], (a) => a.squeeze([0, 1]), "a.squeeze(0)"),
      sample([input([])], (a) => a.squeeze(), "a.squeeze()"),
    ],
    bad: [bad(() => zeros([1]).squeeze(1), /^squeeze: dim 1 is out of range/)],
  },
];

const orderSamples: SampleSet = () => [
  {
    op: "permute",
    samples: [
      sample([input([2, 3, 4])], (a) => a.permute([2, 0, 1]), "a.permute(2, 0, 1)"),
      sample([input([2, 3, 4])], (a) => a.permute([-1, 1, 0]), "a.permute(-1, 1, 0)"),
      sample(
        [input([2, 3, 4, 2])],
        (a) => a.permute([0, 2, 3, 1]).mul(2),
        "a.permute(0, 2, 3, 1) * 2",
      ),
      sample([input([])], (a) => a.permute([]), "a.permute(())"),
      sample([typed("uint8", [2, 3])], (a) => a.permute([1, 0]), "a.permute(1, 0)"),
    ],
    bad: [
      bad(() => zeros([2, 3]).permute([0, 0]), /^permute: \[0, 0\] is no order of 2 dims/),
      bad(() => zeros([2, 3]).permute([0]), /^permute: \[0\] is no order of 2 dims/),
    ],
  },
  {
    op: "transpose",
    samples: [
      sample([input([2, 3])], (a) => a.transpose(0, 1), "a.transpose(0, 1)"),
      sample([input([2, 3, 4])], (a) => a.transpose(-1, 0), "a.transpose(-1, 0)"),
      sample([input([2, 3])], (a) => a.transpose(1, 1), "a.transpose(1, 1)"),
      sample([input([])], (a) => a.transpose(0, -1), "a.transpose(0, -1)"),
    ],
    bad: [bad(() => zeros([2]).transpose(0, 1), /^transpose: dim 1 is out of range/)],
  },
  {
    op: "t",
    samples: [...[[2, 3], [3], []].map((shape) => sample([input(shape)], (a) => a.t(), "a.t()"))],
    bad: [bad(() => zeros([1, 2, 3]).t(), /^t: needs at most 2 dims, got \[1, 2, 3\]/)],
  },
  {
    op: "flip",
    samples: [
      sample([input([2, 3])], (a) => a.flip(0), "a.flip(0)"),
      sample([input([2, 3])], (a) => a.flip([0, -1]), "a.flip(0, -1)"),
      sample([input([3, 2])], (a) => a.t().flip(1).mul(2), "a.t().flip(1) * 2"),
      sample([input([0, 3])], (a) => a.flip([0, 1]), "a.flip(0, 1)"),
    ],
    bad: [bad(() => zeros([2]).flip([0, 0]), /^flip: dim \[0, 0\] names a dimension twice/)],
  },
  {
    op: "expand",
    samples: [
      sample([input([3, 1])], (a) => a.expand([3, 4]), "a.expand(3, 4)"),
      sample([input([3])], (a) => a.expand([2, -1]), "a.expand(2, -1)"),
      sample([input([])], (a) => a.expand([2, 2]), "a.expand(2, 2)"),
      sample([input([1, 2])], (a) => a.expand([0, 2]), "a.expand(0, 2)"),
      sample([input([2, 1])], (a) => a.t().expand([3, 2]).mul(2), "a.t().expand(3, 2) * 2"),
    ],
    bad: [
      bad(() => zeros([2]).expand([3]), /^expand: .*\[2\].*\[3\]/),
      bad(() => zeros([2, 1]).expand([2]), /^expand: cannot expand \[2, 1\] to \[2\]/),
      bad(() => zeros([2]).expand([-1, 2]), /^expand: sizes must be whole numbers/),
    ],
  },
];

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
    ],
  },
];

export const movementSamples: SampleSet = () => [
  ...shapeSamples(),
  ...orderSamples(),
  ...partSamples(),
  ...joinSamples(),
];
