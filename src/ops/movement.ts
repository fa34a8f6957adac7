/** Ops that rearrange elements: reshape, transpose, expand, flip. Read parts.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import {
  broadcastShapes,
  checkList,
  checkShape,
  formatShape,
  inferShape,
  normalizeDim,
  normalizeDims,
  type Shape,
  sameShape,
  sizeOf,
} from "../core/shape.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, install, type SampleSet, sample, typed } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";

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
  checkTensors("flatten", [x]);
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
  checkTensors("unsqueeze", [x]);
  const place = normalizeDim("unsqueeze", dim, x.ndim + 1);
  return reshape(x, [...x.shape.slice(0, place), 1, ...x.shape.slice(place)]);
}

/** Drops dims of size 1: all of them, or those named (others that are named stay as they are). */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  checkTensors("squeeze", [x]);
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
  checkTensors("permute", [x]);
  checkList("permute", "dims", dims);
  const permutation = dims.map((d) => normalizeDim("permute", d, x.ndim));
  if (new Set(permutation).size !== x.ndim || permutation.length !== x.ndim)
    throw new ValueError("permute", `${formatShape(dims)} is no order of ${x.ndim} dims`);
  return applyOne(permuteSpec, [x], { permutation });
}

export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  checkTensors("transpose", [x]);
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
  checkTensors("expand", [x]);
  checkList("expand", "shape", shape);
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

install({
  reshape,
  view: reshape,
  flatten,
  unsqueeze,
  squeeze,
  permute,
  transpose,
  t,
  expand,
  flip,
});

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

export const movementSamples: SampleSet = () => [...shapeSamples(), ...orderSamples()];
