/** What attention is tried on. */
import { zeros } from "../tensor/create.js";
import { bad, given, input, type SampleSet, sample, typed, unlike } from "../tensor/defineOp.js";
import { Generator } from "../tensor/random.js";
import { scaledDotProductAttention } from "./attention.js";

const three = [input([2, 3, 4]), input([2, 5, 4]), input([2, 5, 2])];
const scores = "(a @ b.transpose(-1, -2) / a.shape[-1] ** 0.5";

const heads = [input([2, 2, 3, 4]), input([2, 2, 5, 4]), input([2, 2, 5, 3])];
const maskShapes = [[5], [3, 1], [2, 1, 5], [2, 1, 1, 5], [2, 2, 3, 5]];

/** A mask that lets every place see the first of the last dim, and two of three others. */
const seen = (shape: readonly number[]) => {
  const [last, count] = [shape.at(-1)!, shape.reduce((a, n) => a * n, 1)];
  const values = Array.from({ length: count }, (_, i) => Number(i % last === 0 || i % 3 > 0));
  return given(shape, values, "bool");
};

export const attentionSamples: SampleSet = () => [
  {
    op: "scaledDotProductAttention",
    samples: [
      sample(three, (a, b, c) => scaledDotProductAttention(a, b, c), `${scores}).softmax(-1) @ c`),
      sample(
        three,
        (a, b, c) => scaledDotProductAttention(a, b, c, null, { scale: 2 }),
        "(a @ b.transpose(-1, -2) * 2).softmax(-1) @ c",
      ),
      sample(
        three,
        (a, b, c) => scaledDotProductAttention(a, b, c, null, { isCausal: true }),
        `${scores}).masked_fill(torch.ones(3, 5).triu(1) > 0, float("-inf")).softmax(-1) @ c`,
      ),
      sample(
        [...three, input([3, 5])],
        (a, b, c, d) => scaledDotProductAttention(a, b, c, d),
        `${scores} + d).softmax(-1) @ c`,
      ),
      sample(
        [...three, given([3, 5], [1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], "bool")],
        (a, b, c, d) => scaledDotProductAttention(a, b, c, d),
        `${scores}).masked_fill(~d, float("-inf")).softmax(-1) @ c`,
      ),
      sample(
        [input([2, 1, 3, 4]), input([3, 5, 4]), input([5, 2])],
        (a, b, c) => scaledDotProductAttention(a, b, c),
        `${scores}).softmax(-1) @ c`,
      ),
      sample(
        [input([3, 4]), input([3, 4]), input([3, 4])],
        (a, b, c) => scaledDotProductAttention(a.t(), b.t(), c.t()),
        "(a.t() @ b / 3 ** 0.5).softmax(-1) @ c.t()",
      ),
      sample(
        [input([2, 2, 4, 3]), input([2, 2, 4, 3]), input([2, 2, 4, 3])],
        (a, b, c) => scaledDotProductAttention(a, b, c, null, { isCausal: true }),
        `${scores}).masked_fill(torch.ones(4, 4).triu(1) > 0, float("-inf")).softmax(-1) @ c`,
      ),
      sample(
        [input([2, 6, 4]), input([2, 4, 4]), input([2, 4, 3])],
        (a, b, c) => scaledDotProductAttention(a, b, c, null, { isCausal: true }),
        `${scores}).masked_fill(torch.ones(6, 4).triu(1) > 0, float("-inf")).softmax(-1) @ c`,
      ),
      ...maskShapes.flatMap((shape) => [
        sample(
          [...heads, seen(shape)],
          (a, b, c, d) => scaledDotProductAttention(a, b, c, d.to(a.dtype).mul(-3)),
          `${scores} - 3 * d.to(a.dtype)).softmax(-1) @ c`,
        ),
        sample(
          [...heads, input(shape)],
          (a, b, c, d) => scaledDotProductAttention(a, b, c, d, { isCausal: true }),
          `${scores} + d).masked_fill(torch.ones(3, 5).triu(1) > 0, float("-inf")).softmax(-1) @ c`,
        ),
        sample(
          [...heads, seen(shape)],
          (a, b, c, d) => scaledDotProductAttention(a, b, c, d),
          `${scores}).masked_fill(~d, float("-inf")).softmax(-1) @ c`,
        ),
      ]),
      sample(
        [input([2, 4, 3, 4]), input([2, 2, 5, 4]), input([2, 2, 5, 3])],
        (a, b, c) => scaledDotProductAttention(a, b, c, null, { enableGqa: true }),
        "(a @ b.repeat_interleave(2, 1).transpose(-1, -2) / 2).softmax(-1) @ c.repeat_interleave(2, 1)",
      ),
      sample(
        [input([4, 3, 4]), input([1, 5, 4]), input([1, 5, 3]), seen([4, 3, 5])],
        (a, b, c, d) => scaledDotProductAttention(a, b, c, d, { enableGqa: true }),
        "(a @ b.transpose(-1, -2) / 2).masked_fill(~d, float('-inf')).softmax(-1) @ c",
      ),
      sample(
        [input([2, 3, 12])],
        (a) => {
          const part = (i: number) =>
            a
              .narrow(-1, 4 * i, 4)
              .reshape([2, 3, 2, 2])
              .transpose(1, 2);
          return scaledDotProductAttention(part(0), part(1), part(2))
            .transpose(1, 2)
            .reshape([2, 3, 4]);
        },
        "(lambda q, k, v: ((q @ k.transpose(-1, -2) / 2 ** 0.5).softmax(-1) @ v).transpose(1, 2).reshape(2, 3, 4))" +
          "(*(z.view(2, 3, 2, 2).transpose(1, 2) for z in a.split(4, 2)))",
      ),
      unlike(
        [...three, typed("bool", [3, 5], 0, 0)],
        (a, b, c, d) => scaledDotProductAttention(a, b, c, d.to("float32").mul(0).to("bool")),
        "rows that see nothing give zeros, as in PyTorch since 2.5; before it NaN",
      ),
      unlike(
        [input([2, 1, 3, 4]), input([3, 5, 4]), input([5, 2])],
        (a, b, c) =>
          scaledDotProductAttention(a, b, c, null, {
            ...{ dropoutP: 0.3, isCausal: true, generator: new Generator(5) },
          }),
        "its random bits are its own",
      ),
      unlike(
        three,
        (a, b, c) =>
          scaledDotProductAttention(a, b, c, null, { dropoutP: 1, generator: new Generator(3) }),
        "its random bits are its own",
      ),
      unlike(
        three,
        (a, b, c) =>
          scaledDotProductAttention(a, b, c, null, { dropoutP: 0.5, generator: new Generator(3) }),
        "its random bits are its own",
      ),
    ],
    bad: [
      bad(
        () => scaledDotProductAttention(zeros([2, 3]), zeros([2, 4]), zeros([2, 3])),
        /^scaledDotProductAttention: expected query \[\*, L, E\]/,
      ),
      bad(
        () => scaledDotProductAttention(zeros([2, 3]), zeros([2, 3]), zeros([2, 3]), zeros([3, 3])),
        /the mask \[3, 3\] does not fit scores \[2, 2\]/,
      ),
      bad(
        () =>
          scaledDotProductAttention(zeros([2, 3]), zeros([2, 3]), zeros([2, 3]), null, {
            dropoutP: 2,
          }),
        /dropoutP must be from 0 to 1, got 2/,
      ),
      bad(
        () =>
          scaledDotProductAttention(zeros([4, 2, 3]), zeros([3, 2, 3]), zeros([3, 2, 3]), null, {
            enableGqa: true,
          }),
        /enableGqa needs as many heads of keys as of values, dividing the query's 4, got 3 and 3/,
      ),
    ],
  },
];
