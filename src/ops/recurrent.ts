/**
 * Recurrent nets, unrolled over time: the inputs' part of all steps is one product, the states' part one a step. Read
 * recurrentSamples.ts next.
 */
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, byName, checkTensors, type OpSpec } from "../tensor/apply.js";
import { tensor, zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { squeeze, transpose, unsqueeze } from "./movement.js";
import { needFloatTensor } from "./norm.js";
import { cat, select, stack } from "./parts.js";
import { dropout } from "./random.js";

type Kind = "rnnTanh" | "rnnRelu" | "lstm" | "gru";

const gatesOf: Readonly<Record<Kind, number>> = { rnnTanh: 1, rnnRelu: 1, lstm: 4, gru: 3 };

/** The parts of gates [B, k · H] that belong together. */
function split(b: Builder, gates: Node, count: number): Node[] {
  const [batch, width] = gates.shape as [number, number];
  const size = width / count;
  return Array.from({ length: count }, (_, i) =>
    b.slice(gates, [0, i * size], [batch, (i + 1) * size]),
  );
}

/** x·Wᵀ + bias. */
function linearNodes(b: Builder, x: Node, weight: Node, bias: Node | undefined): Node {
  const product = b.make("dotGeneral", [x, weight], {
    lhsBatch: [],
    rhsBatch: [],
    lhsContract: [x.shape.length - 1],
    rhsContract: [1],
  });
  return bias ? b.add(product, bias) : product;
}

const sigmoid = (b: Builder, x: Node): Node => b.pointwise("logistic", x);
const tanh = (b: Builder, x: Node): Node => b.pointwise("tanh", x);

/** The next states from the gates of input and state. */
function stepNodes(
  b: Builder,
  kind: Kind,
  fromInput: Node,
  fromState: Node,
  states: readonly Node[],
): Node[] {
  if (kind === "gru") {
    const [xr, xz, xn] = split(b, fromInput, 3) as [Node, Node, Node];
    const [hr, hz, hn] = split(b, fromState, 3) as [Node, Node, Node];
    const reset = sigmoid(b, b.add(xr, hr));
    const update = sigmoid(b, b.add(xz, hz));
    const fresh = tanh(b, b.add(xn, b.multiply(reset, hn)));
    return [b.add(fresh, b.multiply(update, b.subtract(states[0]!, fresh)))];
  }
  const gates = b.add(fromInput, fromState);
  if (kind === "lstm") {
    const [into, forget, cell, out] = split(b, gates, 4) as [Node, Node, Node, Node];
    const kept = b.multiply(sigmoid(b, forget), states[1]!);
    const next = b.add(kept, b.multiply(sigmoid(b, into), tanh(b, cell)));
    return [b.multiply(sigmoid(b, out), tanh(b, next)), next];
  }
  if (kind === "rnnTanh") return [tanh(b, gates)];
  return [b.select(b.pointwise("lessEqual", gates, 0), 0, gates)];
}

interface Weights {
  readonly input: Node;
  readonly state: Node;
  readonly inputBias: Node | undefined;
  readonly stateBias: Node | undefined;
  /** LSTM's projection of its output. */
  readonly projection: Node | undefined;
}

/** The order is PyTorch's: weight_ih, weight_hh, bias_ih, bias_hh, weight_hr. */
function readWeights(nodes: readonly Node[]): Weights {
  const hasBias = nodes.length >= 4;
  return {
    input: nodes[0]!,
    state: nodes[1]!,
    inputBias: hasBias ? nodes[2] : undefined,
    stateBias: hasBias ? nodes[3] : undefined,
    projection: nodes.length % 2 === 1 ? nodes.at(-1) : undefined,
  };
}

type LayerAttributes = {
  readonly kind: Kind;
  readonly stateCount: number;
  readonly weightCount: number;
  readonly reverse: boolean;
};

/** One layer in one direction. inputs: x [T, B, I], states [B, H], weights, lengths int32 [B] → y [T, B, H], states. */
const layerSpec = byName(
  (name): OpSpec<LayerAttributes> => ({
    name,
    lower(b, [x, ...rest], { kind, stateCount, weightCount, reverse }) {
      let states = rest.slice(0, stateCount);
      const weights = readWeights(rest.slice(stateCount, stateCount + weightCount));
      const lengths = rest[stateCount + weightCount];
      const [steps, batch] = x!.shape as [number, number];
      const all = linearNodes(b, x!, weights.input, weights.inputBias);
      const outputs = new Array<Node>(steps);
      for (let i = 0; i < steps; i++) {
        const t = reverse ? steps - 1 - i : i;
        const width = all.shape[2]!;
        const now = b.reshape(b.slice(all, [t, 0, 0], [t + 1, batch, width]), [batch, width]);
        const before = linearNodes(b, states[0]!, weights.state, weights.stateBias);
        const next = stepNodes(b, kind, now, before, states);
        if (weights.projection) next[0] = linearNodes(b, next[0]!, weights.projection, undefined);
        const isThere = lengths && b.reshape(b.pointwise("greater", lengths, t), [batch, 1]);
        const shown = isThere ? b.select(isThere, next[0]!, 0) : next[0]!;
        outputs[t] = b.reshape(shown, [1, ...shown.shape]);
        states = isThere ? next.map((state, k) => b.select(isThere, state, states[k]!)) : next;
      }
      return [b.make("concatenate", outputs, { dim: 0 }), ...states];
    },
  }),
);

export interface RecurrentOptions {
  /** Layers on top of each other; default 1. */
  readonly numLayers?: number;
  /** Also from the last step to the first, with weights of its own. */
  readonly bidirectional?: boolean;
  /** Probability of dropping what goes from one layer to the next, while training; default 0. */
  readonly dropout?: number;
  readonly training?: boolean;
  /** x and output are [B, T, …] instead of [T, B, …]. */
  readonly batchFirst?: boolean;
  /**
   * How many steps each sequence of the batch has, as PyTorch's packed sequences: states stay after them, outputs are zeros.
   */
  readonly lengths?: Tensor | readonly number[];
}

interface Run {
  readonly op: string;
  readonly kind: Kind;
  readonly states: readonly Tensor[] | null;
  readonly weights: readonly Tensor[];
}

/** Weights a layer and direction. */
function weightsEach({ op, kind, weights }: Run, slots: number): number {
  const each = weights.length / slots;
  const allowed = kind === "lstm" ? [2, 3, 4, 5] : [2, 4];
  if (!allowed.includes(each))
    throw new ValueError(
      op,
      `${weights.length} weights do not make ${slots} layer(s) and direction(s) of ` +
        `${allowed.join(", ")} each`,
    );
  return each;
}

function checkWeights({ op, kind }: Run, width: number, weights: readonly Tensor[]): number[] {
  checkTensors(op, weights);
  const hasProjection = weights.length % 2 === 1;
  const hidden = weights[0]!.shape[0]! / gatesOf[kind];
  const out = hasProjection ? weights.at(-1)!.shape[0]! : hidden;
  const gates = gatesOf[kind] * hidden;
  const expected = [
    [gates, width],
    [gates, out],
    ...(weights.length >= 4 ? [[gates], [gates]] : []),
  ];
  if (hasProjection) expected.push([out, hidden]);
  weights.forEach((weight, i) => {
    if (!sameShape(weight.shape, expected[i]!))
      throw new ShapeError(
        op,
        `weight ${i} of a layer is ${formatShape(weight.shape)}, expected ${formatShape(expected[i]!)}`,
      );
  });
  return [out, hidden];
}

function lengthsOf(
  op: string,
  lengths: RecurrentOptions["lengths"],
  [steps, batch]: readonly number[],
) {
  if (lengths === undefined) return [];
  const isTensor = !Array.isArray(lengths);
  const list = isTensor
    ? (lengths as Tensor)
    : tensor([...(lengths as readonly number[])], { dtype: "int32" });
  if (list.dtype !== "int32") throw new DTypeError(op, `lengths must be int32, got ${list.dtype}`);
  const inRange = isTensor || (lengths as readonly number[]).every((n) => n >= 1 && n <= steps!);
  if (list.ndim !== 1 || list.shape[0] !== batch || !inRange)
    throw new ValueError(op, `lengths must be ${batch} whole numbers from 1 to ${steps}`);
  return [list];
}

/** All layers on [T, B, I]: gives [T, B, D·H] and the last states [layers · D, B, H]. */
function runLayers(run: Run, x: Tensor, options: RecurrentOptions): Tensor[] {
  const { op, kind, weights } = run;
  const { numLayers = 1, bidirectional = false, dropout: p = 0, training = false } = options;
  const directions = bidirectional ? 2 : 1;
  const each = weightsEach(run, numLayers * directions);
  const [steps, batch] = x.shape as [number, number];
  const lengths = lengthsOf(op, options.lengths, [steps, batch]);
  const last: Tensor[][] = [];
  let value = x;
  for (let layer = 0; layer < numLayers; layer++) {
    if (layer > 0) value = dropout(value, p, { training });
    const outputs = Array.from({ length: directions }, (_, direction) => {
      const slot = layer * directions + direction;
      const own = weights.slice(slot * each, (slot + 1) * each);
      const sizes = checkWeights(run, value.shape[2]!, own).slice(0, kind === "lstm" ? 2 : 1);
      const states = sizes.map((n, i) =>
        firstState(run, i, slot, [numLayers * directions, batch, n], x),
      );
      const [y, ...ends] = apply(layerSpec(op), [value, ...states, ...own, ...lengths], {
        kind,
        stateCount: states.length,
        weightCount: each,
        reverse: direction === 1,
      });
      last.push(ends);
      return y!;
    });
    value = cat(outputs, 2);
  }
  return [value, ...last[0]!.map((_, i) => stack(last.map((ends) => ends[i]!)))];
}

function firstState(
  { op, states }: Run,
  i: number,
  slot: number,
  shape: number[],
  like: Tensor,
): Tensor {
  const given = states?.[i];
  if (!given) return zeros(shape.slice(1), { dtype: like.dtype });
  if (!sameShape(given.shape, shape))
    throw new ShapeError(
      op,
      `state ${i} is ${formatShape(given.shape)}, expected ${formatShape(shape)}`,
    );
  return select(given, 0, slot);
}

function recur(run: Run, x: Tensor, options: RecurrentOptions): Tensor[] {
  needFloatTensor(run.op, x);
  if (run.states !== null) checkTensors(run.op, run.states);
  if (x.ndim === 2) {
    const states = run.states?.map((state) => unsqueeze(state, 1)) ?? null;
    const results = recur({ ...run, states }, unsqueeze(x, 1), { ...options, batchFirst: false });
    return results.map((y) => squeeze(y, 1));
  }
  if (x.ndim !== 3 || x.shape[options.batchFirst ? 1 : 0] === 0)
    throw new ShapeError(
      run.op,
      `expected ${options.batchFirst ? "[B, T, I]" : "[T, B, I]"} or [T, I] with T ≥ 1, got ${formatShape(x.shape)}`,
    );
  if (!options.batchFirst) return runLayers(run, x, options);
  const [y, ...states] = runLayers(run, transpose(x, 0, 1), options);
  return [transpose(y!, 0, 1), ...states];
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber, 1997) over sequences: gates i, f, g, o = σ, σ, tanh, σ of
 * W_ih·xₜ + W_hh·h; c = f·c + i·g; h = o·tanh(c), or its projection W_hr·h.
 *
 * x: [T, B, I] or [T, I]; hx: h0 [layers · D, B, H] and c0, zeros if null; weights: for each layer and direction weight_ih
 * [4·H, I], weight_hh, then bias_ih and bias_hh if there are any, then weight_hr if there is one → output [T, B, D·H],
 * [h, c] after the last step. D is 2 with `bidirectional`, else 1.
 *
 * @throws ShapeError if sizes do not fit; ValueError if the number of weights or a length does not.
 * @example
 * ```ts
 * import { lstm, ones } from "gradus";
 * const [y, [h]] = lstm(ones([5, 1, 2]), null, [ones([12, 2]), ones([12, 3])]);
 * console.log(y.shape, h.shape); // → [ 5, 1, 3 ] [ 1, 1, 3 ]
 * ```
 */
export function lstm(
  x: Tensor,
  hx: readonly [h0: Tensor, c0: Tensor] | null,
  weights: readonly Tensor[],
  options: RecurrentOptions = {},
): [output: Tensor, states: [h: Tensor, c: Tensor]] {
  const run: Run = { op: "lstm", kind: "lstm", states: hx, weights };
  const [y, h, c] = recur(run, x, options) as [Tensor, Tensor, Tensor];
  return [y, [h, c]];
}

/**
 * Gated recurrent units (Cho et al., 2014) over sequences: r, z = σ(W_ih·xₜ + W_hh·h); n = tanh(W_in·xₜ + r·(W_hn·h));
 * h = (1 − z)·n + z·h. Arguments as in {@link lstm}, with one state and 3·H gates.
 *
 * @throws ShapeError if sizes do not fit; ValueError if the number of weights or a length does not.
 * @example
 * ```ts
 * import { gru, ones } from "gradus";
 * const [y, h] = gru(ones([5, 1, 2]), null, [ones([9, 2]), ones([9, 3])]);
 * console.log(y.shape, h.shape); // → [ 5, 1, 3 ] [ 1, 1, 3 ]
 * ```
 */
export function gru(
  x: Tensor,
  hx: Tensor | null,
  weights: readonly Tensor[],
  options: RecurrentOptions = {},
): [output: Tensor, state: Tensor] {
  const run: Run = { op: "gru", kind: "gru", states: hx && [hx], weights };
  return recur(run, x, options) as [Tensor, Tensor];
}

export interface RnnOptions extends RecurrentOptions {
  /** Default "tanh". */
  readonly nonlinearity?: "tanh" | "relu";
}

const rnnKind = (op: string, nonlinearity: string): Kind => {
  if (nonlinearity === "tanh") return "rnnTanh";
  if (nonlinearity === "relu") return "rnnRelu";
  throw new ValueError(op, `nonlinearity must be "tanh" or "relu", got "${nonlinearity}"`);
};

/**
 * The plain recurrent net (Elman, 1990) over sequences: h = tanh(W_ih·xₜ + W_hh·h), or relu of it. Arguments as in {@link lstm}, with
 * one state and H gates.
 *
 * @throws ShapeError if sizes do not fit; ValueError if the number of weights or a length does not.
 * @example
 * ```ts
 * import { ones, rnn } from "gradus";
 * const [y] = rnn(ones([5, 2]), null, [ones([3, 2]), ones([3, 3])], { nonlinearity: "relu" });
 * console.log(y.shape); // → [ 5, 3 ]
 * ```
 */
export function rnn(
  x: Tensor,
  hx: Tensor | null,
  weights: readonly Tensor[],
  { nonlinearity = "tanh", ...options }: RnnOptions = {},
): [output: Tensor, state: Tensor] {
  const kind = rnnKind("rnn", nonlinearity);
  return recur({ op: "rnn", kind, states: hx && [hx], weights }, x, options) as [Tensor, Tensor];
}

/** One step on [B, I] or [I]; gives the next states. */
function cell(run: Run, x: Tensor): Tensor[] {
  if (run.states !== null) checkTensors(run.op, run.states);
  const states = run.states?.map((state) => unsqueeze(state, 0)) ?? null;
  const isBatched = x.ndim === 2;
  if (!isBatched && x.ndim !== 1)
    throw new ShapeError(run.op, `expected [B, I] or [I], got ${formatShape(x.shape)}`);
  const [, ...next] = recur({ ...run, states }, unsqueeze(x, 0), {});
  return next.map((state) => squeeze(state, 0));
}

/**
 * One step of {@link lstm} with one layer. x: [B, I] or [I]; hx: h and c, [B, H] or [H] → the next h and c.
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { lstmCell, ones } from "gradus";
 * const [h] = lstmCell(ones([1, 2]), null, [ones([12, 2]), ones([12, 3])]);
 * console.log(h.shape); // → [ 1, 3 ]
 * ```
 */
export const lstmCell = (
  x: Tensor,
  hx: readonly [h: Tensor, c: Tensor] | null,
  weights: readonly Tensor[],
): [h: Tensor, c: Tensor] =>
  cell({ op: "lstmCell", kind: "lstm", states: hx, weights }, x) as [Tensor, Tensor];

/** One step of {@link gru} with one layer. x: [B, I] or [I]; hx: [B, H] or [H] → the next h. */
export const gruCell = (x: Tensor, hx: Tensor | null, weights: readonly Tensor[]): Tensor =>
  cell({ op: "gruCell", kind: "gru", states: hx && [hx], weights }, x)[0]!;

/** One step of {@link rnn} with one layer. x: [B, I] or [I]; hx: [B, H] or [H] → the next h. */
export const rnnCell = (
  x: Tensor,
  hx: Tensor | null,
  weights: readonly Tensor[],
  { nonlinearity = "tanh" }: Pick<RnnOptions, "nonlinearity"> = {},
): Tensor =>
  cell(
    { op: "rnnCell", kind: rnnKind("rnnCell", nonlinearity), states: hx && [hx], weights },
    x,
  )[0]!;
