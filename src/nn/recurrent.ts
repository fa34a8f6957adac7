/** Recurrent layers and their single steps, with PyTorch's names of parameters: weight_ih_l0, weight_hh_l0, … */
import { ValueError } from "../core/errors.js";
import {
  gru,
  gruCell,
  lstm,
  lstmCell,
  type RecurrentOptions,
  rnn,
  rnnCell,
} from "../ops/recurrent.js";
import type { Tensor } from "../tensor/tensor.js";
import { uniform } from "./init.js";
import { checkSize } from "./linear.js";
import { Module, Parameter } from "./module.js";

export interface RecurrentLayerOptions {
  /** Layers on top of each other; default 1. */
  readonly numLayers?: number;
  readonly bias?: boolean;
  /** Inputs and outputs are [B, T, …] instead of [T, B, …]. */
  readonly batchFirst?: boolean;
  /** Probability of dropping what goes from one layer to the next, while training; default 0. */
  readonly dropout?: number;
  /** Also from the last step to the first, with weights of its own. */
  readonly bidirectional?: boolean;
}

export interface LSTMLayerOptions extends RecurrentLayerOptions {
  /** Size that the output is brought to by a matrix of its own; 0 (the default) for none. */
  readonly projSize?: number;
}

export interface RNNLayerOptions extends RecurrentLayerOptions {
  readonly nonlinearity?: "tanh" | "relu";
}

/** How many steps each sequence has, as for PyTorch's packed sequences. */
export type RecurrentCall = Pick<RecurrentOptions, "lengths">;

const sizeText = (...sizes: readonly number[]): string => sizes.join(", ");

/** Uniform numbers in ±1 / √hidden, as PyTorch's. */
const initial = (shape: readonly number[], hidden: number): Parameter =>
  new Parameter(uniform(shape, -1 / Math.sqrt(hidden), 1 / Math.sqrt(hidden)));

abstract class RecurrentLayer extends Module {
  /** The fields that hold the weights, layer by layer, in the order that functions take them. */
  private readonly fields: readonly string[];
  private readonly sizes: readonly [inputs: number, hidden: number];
  protected readonly settings: RecurrentLayerOptions;

  constructor(
    gates: number,
    [inputSize, hiddenSize]: readonly [number, number],
    { projSize = 0, ...settings }: LSTMLayerOptions,
  ) {
    super();
    const op = new.target.name;
    checkSize(op, "inputSize", inputSize);
    checkSize(op, "hiddenSize", hiddenSize);
    const { numLayers = 1, bias = true, bidirectional = false, dropout = 0 } = settings;
    checkSize(op, "numLayers", numLayers);
    if (!(dropout >= 0 && dropout <= 1))
      throw new ValueError(op, `dropout must be from 0 to 1, got ${dropout}`);
    if (!(Number.isInteger(projSize) && projSize >= 0 && projSize < hiddenSize))
      throw new ValueError(op, `projSize must be from 0 to under ${hiddenSize}, got ${projSize}`);
    const out = projSize || hiddenSize;
    const directions = bidirectional ? ["", "Reverse"] : [""];
    const fields: string[] = [];
    for (let layer = 0; layer < numLayers; layer++)
      for (const direction of directions) {
        const width = layer === 0 ? inputSize : out * directions.length;
        const shapes: Record<string, number[]> = {
          weightIh: [gates * hiddenSize, width],
          weightHh: [gates * hiddenSize, out],
          ...(bias && { biasIh: [gates * hiddenSize], biasHh: [gates * hiddenSize] }),
          ...(projSize > 0 && { weightHr: [projSize, hiddenSize] }),
        };
        for (const [name, shape] of Object.entries(shapes)) {
          const field = `${name}L${layer}${direction}`;
          fields.push(field);
          Object.assign(this, { [field]: initial(shape, hiddenSize) });
        }
      }
    this.fields = fields;
    this.sizes = [inputSize, hiddenSize];
    this.settings = settings;
  }

  protected get weights(): Parameter[] {
    const own = this as unknown as Record<string, Parameter>;
    return this.fields.map((field) => own[field]!);
  }

  protected optionsFor(call: RecurrentCall): RecurrentOptions {
    const { bias: _, ...settings } = this.settings;
    return { ...settings, ...call, training: this.training };
  }

  protected override describe(): string {
    const given = Object.entries(this.settings).map(([key, value]) => `, ${key}: ${value}`);
    return `${sizeText(...this.sizes)}${given.join("")}`;
  }
}

/**
 * Elman's recurrent net: hₜ = tanh(W_ih·xₜ + b_ih + W_hh·hₜ₋₁ + b_hh), or relu.
 *
 * x: [T, B, inputSize] or [T, inputSize] → [output [T, B, D·hiddenSize], h [layers · D, B, hiddenSize]].
 *
 * @throws ValueError for settings out of range; ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const [y, h] = new nn.RNN(4, 8).forward(ones([5, 2, 4]));
 * console.log(y.shape, h.shape); // → [ 5, 2, 8 ] [ 1, 2, 8 ]
 * ```
 */
export class RNN extends RecurrentLayer {
  private readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options: RNNLayerOptions = {}) {
    const { nonlinearity = "tanh", ...settings } = options;
    super(1, [inputSize, hiddenSize], settings);
    this.nonlinearity = nonlinearity;
  }

  forward(
    x: Tensor,
    h0: Tensor | null = null,
    call: RecurrentCall = {},
  ): [output: Tensor, h: Tensor] {
    const options = { ...this.optionsFor(call), nonlinearity: this.nonlinearity };
    return rnn(x, h0, this.weights, options);
  }
}

/**
 * Long short-term memory, see `lstm`. x: [T, B, inputSize] or [T, inputSize] → [output, [h, c]].
 *
 * @throws ValueError for settings out of range; ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const model = new nn.LSTM(4, 8, { bidirectional: true, batchFirst: true });
 * const [y, [h]] = model.forward(ones([2, 5, 4]));
 * console.log(y.shape, h.shape); // → [ 2, 5, 16 ] [ 2, 2, 8 ]
 * ```
 */
export class LSTM extends RecurrentLayer {
  constructor(inputSize: number, hiddenSize: number, options: LSTMLayerOptions = {}) {
    super(4, [inputSize, hiddenSize], options);
  }

  forward(
    x: Tensor,
    hx: readonly [h0: Tensor, c0: Tensor] | null = null,
    call: RecurrentCall = {},
  ): [output: Tensor, states: [h: Tensor, c: Tensor]] {
    return lstm(x, hx, this.weights, this.optionsFor(call));
  }
}

/**
 * Gated recurrent units, see `gru`. x: [T, B, inputSize] or [T, inputSize] → [output, h].
 *
 * @throws ValueError for settings out of range; ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const [y, h] = new nn.GRU(4, 8, { numLayers: 2 }).forward(ones([5, 2, 4]), null, { lengths: [5, 3] });
 * console.log(y.shape, h.shape); // → [ 5, 2, 8 ] [ 2, 2, 8 ]
 * ```
 */
export class GRU extends RecurrentLayer {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentLayerOptions = {}) {
    super(3, [inputSize, hiddenSize], options);
  }

  forward(
    x: Tensor,
    h0: Tensor | null = null,
    call: RecurrentCall = {},
  ): [output: Tensor, h: Tensor] {
    return gru(x, h0, this.weights, this.optionsFor(call));
  }
}

abstract class RecurrentCell extends Module {
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh: Parameter | null;
  readonly biasHh: Parameter | null;

  constructor(gates: number, inputSize: number, hiddenSize: number, bias = true) {
    super();
    checkSize(new.target.name, "inputSize", inputSize);
    checkSize(new.target.name, "hiddenSize", hiddenSize);
    const rows = gates * hiddenSize;
    this.weightIh = initial([rows, inputSize], hiddenSize);
    this.weightHh = initial([rows, hiddenSize], hiddenSize);
    this.biasIh = bias ? initial([rows], hiddenSize) : null;
    this.biasHh = bias ? initial([rows], hiddenSize) : null;
  }

  protected get weights(): Parameter[] {
    const all = [this.weightIh, this.weightHh, this.biasIh, this.biasHh];
    return all.filter((weight): weight is Parameter => weight !== null);
  }

  protected override describe(): string {
    return sizeText(this.weightIh.shape[1]!, this.weightHh.shape[1]!);
  }
}

/**
 * One step of {@link RNN}. x: [B, inputSize], h: [B, hiddenSize] → the next h.
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.RNNCell(4, 8).forward(ones([2, 4])).shape); // → [ 2, 8 ]
 * ```
 */
export class RNNCell extends RecurrentCell {
  private readonly nonlinearity: "tanh" | "relu";

  constructor(
    inputSize: number,
    hiddenSize: number,
    { bias = true, nonlinearity = "tanh" }: Pick<RNNLayerOptions, "bias" | "nonlinearity"> = {},
  ) {
    super(1, inputSize, hiddenSize, bias);
    this.nonlinearity = nonlinearity;
  }

  forward(x: Tensor, h: Tensor | null = null): Tensor {
    return rnnCell(x, h, this.weights, { nonlinearity: this.nonlinearity });
  }
}

/**
 * One step of {@link LSTM}. x: [B, inputSize], states: [B, hiddenSize] → the next h and c.
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const [h, c] = new nn.LSTMCell(4, 8).forward(ones([2, 4]));
 * console.log(h.shape, c.shape); // → [ 2, 8 ] [ 2, 8 ]
 * ```
 */
export class LSTMCell extends RecurrentCell {
  constructor(
    inputSize: number,
    hiddenSize: number,
    { bias = true }: { readonly bias?: boolean } = {},
  ) {
    super(4, inputSize, hiddenSize, bias);
  }

  forward(x: Tensor, hx: readonly [h: Tensor, c: Tensor] | null = null): [h: Tensor, c: Tensor] {
    return lstmCell(x, hx, this.weights);
  }
}

/**
 * One step of {@link GRU}. x: [B, inputSize], h: [B, hiddenSize] → the next h.
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.GRUCell(4, 8).forward(ones([2, 4])).shape); // → [ 2, 8 ]
 * ```
 */
export class GRUCell extends RecurrentCell {
  constructor(
    inputSize: number,
    hiddenSize: number,
    { bias = true }: { readonly bias?: boolean } = {},
  ) {
    super(3, inputSize, hiddenSize, bias);
  }

  forward(x: Tensor, h: Tensor | null = null): Tensor {
    return gruCell(x, h, this.weights);
  }
}
