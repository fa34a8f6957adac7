/**
 * Reverse-mode differentiation as a transformation of graphs: one gradient rule a primitive, built of primitives, so that
 * gradients have gradients. A rule takes a node and the cotangent g of its value, and gives the cotangents of
 * its inputs. Rules of other families are in vjp/.
 */
import { isFloat } from "../core/dtype.js";
import type { Builder } from "./builder.js";
import type { Node } from "./graph.js";
import type { PrimitiveName } from "./primitives.js";
import { sumOf } from "./vjp/accumulate.js";
import { attentionRules } from "./vjp/attention.js";
import { contractRules, windowRules } from "./vjp/contract.js";
import { elementaryRules } from "./vjp/elementary.js";
import { linalgRules } from "./vjp/linalg.js";
import { indexRules, scanRules } from "./vjp/order.js";
import { productReduce } from "./vjp/product.js";

/** Cotangents of a node's inputs; null where none flows. */
export type Cotangents = readonly (Node | null)[];
export type Rule<P extends PrimitiveName> = (b: Builder, node: Node<P>, g: Node) => Cotangents;
export type Rules = { readonly [P in PrimitiveName]: Rule<P> | null };

const linearReduce: Rule<"reduceSum"> = (b, { inputs: [x], attributes: { dims } }, g) => [
  b.unreduce(g, x!.shape, dims),
];

/** Ties share the cotangent evenly, as in PyTorch's amax and amin. */
const extremeReduce: Rule<"reduceMax" | "reduceMin"> = (b, node, g) => {
  const x = node.inputs[0]!;
  const { dims } = node.attributes;
  const spread = (y: Node) => b.unreduce(y, x.shape, dims);
  const chosen = b.convert(b.equal(x, spread(node)), x.dtype);
  const ties = b.reduce("reduceSum", chosen, dims);
  return [b.multiply(chosen, spread(b.divide(g, ties)))];
};

/** At a tie both operands get half, as in PyTorch. */
const extreme: Rule<"maximum" | "minimum"> = (b, node, g) => {
  const [x, y] = node.inputs as [Node, Node];
  const half = b.multiply(g, 0.5);
  const tie = b.equal(x, y);
  const share = (side: Node) => b.select(tie, half, b.select(b.equal(node, side), g, 0));
  return [share(x), share(y)];
};

const power: Rule<"power"> = (b, node, g) => {
  const [x, y] = node.inputs as [Node, Node];
  const slope = b.multiply(y, b.pointwise("power", x, b.subtract(y, 1)));
  const dx = b.select(b.equal(y, 0), 0, slope);
  const flat = b.pointwise("and", b.equal(x, 0), b.pointwise("greaterEqual", y, 0));
  const dy = b.select(flat, 0, b.multiply(node, b.pointwise("log", x)));
  return [b.multiply(g, dx), b.multiply(g, dy)];
};

const concatenate: Rule<"concatenate"> = (b, node, g) => {
  const { dim } = node.attributes;
  let from = 0;
  return node.inputs.map((x) => {
    const start = x.shape.map((_, i) => (i === dim ? from : 0));
    from += x.shape[dim]!;
    return b.slice(
      g,
      start,
      x.shape.map((n, i) => start[i]! + n),
    );
  });
};

const pad: Rule<"pad"> = (b, { inputs: [x], attributes: { low, interior } }, g) => {
  const strides = interior.map((n) => n + 1);
  const limit = x!.shape.map((n, i) => low[i]! + Math.max(n - 1, 0) * strides[i]! + Math.min(n, 1));
  return [b.slice(g, low, limit, strides)];
};

const slice: Rule<"slice"> = (b, { inputs: [x], attributes: { start, strides } }, g) => {
  const interior = strides.map((s) => s - 1);
  const high = g.shape.map((n, i) => {
    const used = n === 0 ? 0 : (n - 1) * strides[i]! + 1;
    return x!.shape[i]! - start[i]! - used;
  });
  return [b.make("pad", [g], { low: start, high, interior, value: 0 })];
};

export const rules: Rules = {
  input: null,
  constant: null,
  iota: null,
  stopGradient: null,
  floor: null,
  sign: null,
  equal: null,
  notEqual: null,
  less: null,
  lessEqual: null,
  greater: null,
  greaterEqual: null,
  and: null,
  or: null,
  xor: null,
  not: null,
  shiftRightLogical: null,
  argMax: null,
  argMin: null,
  isFinite: null,
  ceil: null,
  roundNearestEven: null,
  truncate: null,
  shiftLeft: null,
  negate: (b, _, g) => [b.negate(g)],
  abs: (b, { inputs: [x] }, g) => [b.multiply(g, b.pointwise("sign", x!))],
  ...elementaryRules,
  add: (_, __, g) => [g, g],
  subtract: (b, _, g) => [g, b.negate(g)],
  multiply: (b, { inputs: [x, y] }, g) => [b.multiply(g, y!), b.multiply(g, x!)],
  divide: (b, node, g) => {
    const dx = b.divide(g, node.inputs[1]!);
    return [dx, b.negate(b.multiply(dx, node))];
  },
  power,
  remainder: (b, { inputs: [x, y] }, g) => [
    g,
    b.negate(b.multiply(g, b.pointwise("truncate", b.divide(x!, y!)))),
  ],
  maximum: extreme,
  minimum: extreme,
  select: (b, { inputs: [condition] }, g) => [
    null,
    b.select(condition!, g, 0),
    b.select(condition!, 0, g),
  ],
  convert: (b, { inputs: [x] }, g) => [isFloat(x!.dtype) ? b.convert(g, x!.dtype) : null],
  reshape: (b, { inputs: [x] }, g) => [b.reshape(g, x!.shape)],
  transpose: (b, { attributes: { permutation } }, g) => {
    const inverse = permutation.map((_, i) => permutation.indexOf(i));
    return [b.transpose(g, inverse)];
  },
  broadcastInDim: (b, { inputs: [x], attributes: { dims } }, g) => {
    const summed = g.shape.map((_, i) => i);
    const stretched = (i: number) => {
      const at = dims.indexOf(i);
      return at < 0 || x!.shape[at] !== g.shape[i];
    };
    return [b.reshape(b.reduce("reduceSum", g, summed.filter(stretched)), x!.shape)];
  },
  slice,
  reverse: (b, { attributes }, g) => [b.make("reverse", [g], attributes)],
  pad,
  concatenate,
  reduceSum: linearReduce,
  reduceProduct: productReduce,
  reduceMax: extremeReduce,
  reduceMin: extremeReduce,
  ...indexRules,
  ...attentionRules(vjp),
  ...contractRules,
  ...windowRules,
  ...scanRules,
  ...linalgRules,
};

/** Values whose gradients a function gives instead of rules. */
export interface GradientCall {
  readonly outputs: readonly Node[];
  readonly inputs: readonly Node[];
  pull(cotangents: Cotangents): Cotangents;
}

/** What may differ from the rules on the way of a gradient. */
export interface Detours {
  /** The call that made a value, if its gradient is not by rules. */
  callOf(node: Node): GradientCall | undefined;
  /** Takes the complete cotangent of a value, and gives what goes on. */
  arrived(node: Node, g: Node): Node;
  /** The value that a rule reads in a value's place. */
  twin(node: Node, g: Node): Node;
}

const noDetours: Detours = {
  callOf: () => undefined,
  arrived: (_, g) => g,
  twin: (node) => node,
};

/** What a gradient of `node` flows on to. */
const sourcesOf = (node: Node, { callOf }: Detours): readonly Node[] =>
  callOf(node)?.inputs ?? (rules[node.primitive] ? node.inputs : []);

/** The nodes through which `outputs` depend on `wrt`, in rising order. */
function activeNodes(
  outputs: readonly Node[],
  wrt: ReadonlySet<Node>,
  detours: Detours,
): ReadonlySet<Node> {
  const seen = new Set<Node>();
  const stack = outputs.filter(({ dtype }) => isFloat(dtype));
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const x of sourcesOf(node, detours)) if (isFloat(x.dtype) && !seen.has(x)) stack.push(x);
  }
  const active = new Set<Node>();
  for (const node of [...seen].sort((a, b) => a.id - b.id))
    if (wrt.has(node) || sourcesOf(node, detours).some((x) => active.has(x))) active.add(node);
  return active;
}

/** One walk against the flow of values, from outputs to what they were computed from. */
class Walk {
  /** Complete cotangents of the values visited so far. */
  readonly sums = new Map<Node, Node>();
  private readonly contributions = new Map<Node, Node[]>();
  private readonly b: Builder;
  private readonly active: ReadonlySet<Node>;
  private readonly detours: Detours;
  private readonly arrivals = new Map<GradientCall, (Node | null)[]>();

  constructor(b: Builder, active: ReadonlySet<Node>, detours: Detours) {
    this.b = b;
    this.active = active;
    this.detours = detours;
  }

  add(node: Node, g: Node): void {
    if (!this.active.has(node)) return;
    const list = this.contributions.get(node);
    if (list) list.push(g);
    else this.contributions.set(node, [g]);
  }

  private total(node: Node): Node | undefined {
    const list = this.contributions.get(node);
    if (!list) return undefined;
    this.b.origin = list[0]!.origin;
    return sumOf(this.b, list);
  }

  visit(node: Node): void {
    const { b, detours, sums } = this;
    let g = this.total(node);
    b.origin = `${node.origin || node.primitive}.backward`;
    if (g) {
      g = detours.arrived(node, g);
      sums.set(node, g);
    }
    const call = detours.callOf(node);
    if (call) this.arrive(call, node, g ?? null);
    else if (g && sourcesOf(node, detours).some((x) => this.active.has(x))) this.pull(node, g);
  }

  private pull(node: Node, g: Node): void {
    const rule = rules[node.primitive] as Rule<PrimitiveName>;
    rule(this.b, this.detours.twin(node, g), g).forEach((gradient, i) => {
      if (gradient) this.add(node.inputs[i]!, gradient);
    });
  }

  /** A call's gradients are asked for at its first output, behind which no reader of any output is left. */
  private arrive(call: GradientCall, node: Node, g: Node | null): void {
    const cotangents = this.arrivals.get(call) ?? call.outputs.map(() => null);
    this.arrivals.set(call, cotangents);
    cotangents[call.outputs.indexOf(node)] = g;
    const first = call.outputs.find((output) => this.active.has(output));
    const flows = call.inputs.some((x) => this.active.has(x));
    if (node !== first || !flows || cotangents.every((c) => c === null)) return;
    call.pull(cotangents).forEach((gradient, i) => {
      if (gradient) this.add(call.inputs[i]!, gradient);
    });
  }
}

/**
 * Vector-Jacobian product: adds to the graph the cotangents of `wrt`, given those of `outputs`
 * (null: none). One of `wrt` may depend on another.
 */
export function vjp(
  b: Builder,
  outputs: readonly Node[],
  cotangents: Cotangents,
  wrt: readonly Node[],
  detours: Detours = noDetours,
): Cotangents {
  const active = activeNodes(outputs, new Set(wrt), detours);
  const walk = new Walk(b, active, detours);
  const { origin } = b;
  outputs.forEach((node, i) => {
    const g = cotangents[i];
    if (g) walk.add(node, g);
  });
  for (const node of [...active].reverse()) walk.visit(node);
  b.origin = origin;
  return wrt.map((node) => walk.sums.get(node) ?? null);
}
