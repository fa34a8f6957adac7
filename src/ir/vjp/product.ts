/**
 * Gradient rules of products over many factors. Each goes back through a tree of multiplications that gives the same product, so that
 * no factor is divided by: gradients of every order hold where factors are 0.
 */
import type { Builder } from "../builder.js";
import type { Node } from "../graph.js";
import type { Rule } from "../vjp.js";

const replace = (list: readonly number[], dim: number, value: number): number[] =>
  list.map((n, i) => (i === dim ? value : n));

/** Places `from` to `to` along a dim, with `low` and `high` places of `value` around them. */
function part(
  b: Builder,
  x: Node,
  dim: number,
  [from, to]: readonly [number, number],
  { low = 0, high = 0, value = 0 }: { low?: number; high?: number; value?: number },
): Node {
  const none = x.shape.map(() => 0);
  const taken = b.slice(x, replace(none, dim, from), replace(x.shape, dim, to));
  if (low + high === 0) return taken;
  const around = { low: replace(none, dim, low), high: replace(none, dim, high), interior: none };
  return b.make("pad", [taken], { ...around, value });
}

/** Rounds of yᵢ ← yᵢ · yᵢ₋ₛ with s = 1, 2, 4 …, and back. */
function runningProduct(b: Builder, x: Node, g: Node, dim: number): Node {
  const size = x.shape[dim]!;
  const rounds: { readonly y: Node; readonly shifted: Node; readonly step: number }[] = [];
  let y = x;
  for (let step = 1; step < size; step *= 2) {
    const shifted = part(b, y, dim, [0, size - step], { low: step, value: 1 });
    rounds.push({ y, shifted, step });
    y = b.multiply(y, shifted);
  }
  let back = g;
  for (const round of rounds.reverse()) {
    const { step } = round;
    const earlier = part(b, b.multiply(back, round.y), dim, [step, size], { high: step });
    back = b.add(b.multiply(back, round.shifted), earlier);
  }
  return back;
}

export const cumulativeProduct: Rule<"cumulativeProduct"> = (b, node, g) => {
  const x = node.inputs[0]!;
  const { dim, reverse } = node.attributes;
  const turn = (y: Node) => (reverse ? b.make("reverse", [y], { dims: [dim] }) : y);
  return [turn(runningProduct(b, turn(x), turn(g), dim))];
};

/** The cotangent of lines [outer, n] whose products have the cotangent g [outer, 1]: the two halves multiplied, and back. */
function linesProduct(b: Builder, x: Node, g: Node): Node {
  const levels: { readonly low: Node; readonly high: Node; readonly size: number }[] = [];
  let y = x;
  while (y.shape[1]! > 1) {
    const size = y.shape[1]!;
    const half = Math.ceil(size / 2);
    const low = part(b, y, 1, [0, half], {});
    const high = part(b, y, 1, [half, size], { high: 2 * half - size, value: 1 });
    levels.push({ low, high, size });
    y = b.multiply(low, high);
  }
  let back = g;
  for (const { low, high, size } of levels.reverse()) {
    const halves = [b.multiply(back, high), b.multiply(back, low)];
    const whole = b.make("concatenate", halves, { dim: 1 });
    back = part(b, whole, 1, [0, size], {});
  }
  return back;
}

export const productReduce: Rule<"reduceProduct"> = (b, { inputs, attributes: { dims } }, g) => {
  const x = inputs[0]!;
  if (x.shape.includes(0)) return [b.constant(0, x.dtype, x.shape)];
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...dims];
  const turned = b.transpose(x, order);
  const outer = kept.reduce((n, d) => n * x.shape[d]!, 1);
  const count = dims.reduce((n, d) => n * x.shape[d]!, 1);
  const back = linesProduct(b, b.reshape(turned, [outer, count]), b.reshape(g, [outer, 1]));
  return [
    b.transpose(
      b.reshape(back, turned.shape),
      x.shape.map((_, d) => order.indexOf(d)),
    ),
  ];
};
