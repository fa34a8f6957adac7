/**
 * What training steps cost at least: the floating-point operations of their matrix products and convolutions, and the bytes
 * that parameters, optimizer state and saved activations move. Read training.ts next.
 */
import type { Cost } from "./contract.js";

/** One product or convolution of a network. */
export interface LayerCost {
  /** Floating-point operations forward; each gradient costs as many. */
  readonly flops: number;
  /** Elements of its result, which is written and, for the gradient, read again. */
  readonly outputs: number;
}

export const linearCost = (rows: number, inputs: number, outputs: number): LayerCost => ({
  flops: 2 * rows * inputs * outputs,
  outputs: rows * outputs,
});

/** A convolution of n pictures from `inputs` to `outputs` channels, k × k, with results of size × size. */
export const convCost = (
  n: number,
  inputs: number,
  outputs: number,
  k: number,
  size: number,
): LayerCost => ({
  flops: 2 * n * outputs * size * size * inputs * k * k,
  outputs: n * outputs * size * size,
});

export interface StepShape {
  readonly layers: readonly LayerCost[];
  readonly parameters: number;
  /** State tensors of the optimizer for each parameter: 1 for momentum, 2 for Adam. */
  readonly states: number;
  /** Elements of the data. */
  readonly inputs: number;
  /** Whether the first layer reads data, which needs no gradient. */
  readonly firstReadsData: boolean;
}

/**
 * A step's least cost. Operations: each layer forward, for its weight and for its input. Bytes: each result written, read
 * and its gradient written and read; each parameter and its state read and written, read forward and backward.
 */
export function stepCost({ layers, parameters, states, inputs, firstReadsData }: StepShape): Cost {
  const all = layers.reduce((sum, { flops }) => sum + 3 * flops, 0);
  const flops = all - (firstReadsData ? layers[0]!.flops : 0);
  const results = layers.reduce((sum, { outputs }) => sum + 4 * outputs, 0);
  return { flops, bytes: 4 * (inputs + results + parameters * (4 + 2 * states)) };
}
