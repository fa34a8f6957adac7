/** The two compiled steps: training (forward, loss, gradients, update) and evaluation. Read fit.ts next. */

import { ValueError } from "../core/errors.js";
import type { Module } from "../nn/module.js";
import { crossEntropy } from "../ops/index.js";
import type { Optimizer } from "../optim/index.js";
import { compile, noGrad, type Tensor } from "../tensor/index.js";
import { clock } from "./clock.js";
import type { Measures } from "./events.js";
import { type Metrics, updateOf } from "./metrics/metric.js";
import { addBatch, type BatchMeasures, emptySums, meansOf } from "./metrics/sums.js";

/** A module from a batch of inputs to a batch of outputs. */
export interface Model extends Module {
  forward(x: Tensor): Tensor;
}

/** The mean loss of a batch. */
export type Loss = (output: Tensor, target: Tensor) => Tensor;

/** What training asks of a data loader; `DataLoader` has it. Batches are [x, y]. */
export interface BatchSource {
  /** Batches in an epoch. */
  readonly length: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
  readonly dataset: { readonly length: number };
  setEpoch(epoch: number): void;
  iterateAsync(options?: { readonly from?: number }): AsyncIterable<readonly Tensor[]>;
}

export interface MeasureOptions {
  /** Default `functional.crossEntropy`. */
  readonly loss?: Loss;
  readonly metrics?: Metrics;
}

/** Runs one batch and gives its measures. */
export type BatchStep = (x: Tensor, y: Tensor) => Promise<BatchMeasures>;

type Results = { readonly loss: Tensor; readonly metrics: Readonly<Record<string, Tensor>> };

function measure(model: Model, x: Tensor, y: Tensor, options: MeasureOptions): Results {
  const { loss = crossEntropy, metrics = {} } = options;
  const output = model.forward(x);
  const entries = Object.entries(metrics).map(([name, metric]) => [
    name,
    updateOf(name, metric, output, y),
  ]);
  return { loss: loss(output, y), metrics: Object.fromEntries(entries) as Results["metrics"] };
}

function runner(step: (x: Tensor, y: Tensor) => Promise<Results>): BatchStep {
  return async (x, y) => {
    const { loss, metrics } = await step(x, y);
    return { examples: x.shape[0]!, loss: loss.item(), metrics };
  };
}

/** Forward, loss, gradients and update as one program. */
export function makeTrainStep(
  model: Model,
  optimizer: Optimizer,
  options: MeasureOptions,
): BatchStep {
  return runner(
    compile((x: Tensor, y: Tensor) => {
      const results = measure(model, x, y, options);
      optimizer.zeroGrad();
      results.loss.backward();
      optimizer.step();
      // Nobody reads the gradients after the step, so the program need not write them out.
      optimizer.zeroGrad();
      return results;
    }),
  );
}

/** Loss and metrics without a gradient. */
export const makeEvaluationStep = (model: Model, options: MeasureOptions): BatchStep =>
  runner(compile((x: Tensor, y: Tensor) => noGrad(() => measure(model, x, y, options))));

/** A batch as [x, y], or an error that says what came. */
export function inputsOf(batch: readonly Tensor[]): readonly [Tensor, Tensor] {
  const [x, y] = batch;
  if (!x || !y || batch.length !== 2)
    throw new ValueError("fit", `batches have ${batch.length} parts; expected [input, target]`);
  return [x, y];
}

export interface Evaluation {
  readonly examples: number;
  readonly seconds: number;
  readonly measures: Measures;
}

/** Measures a model in eval mode over a loader's batches; null if `signal` stops it. The mode is put back. */
export async function runEvaluation(
  model: Model,
  step: BatchStep,
  loader: BatchSource,
  metrics: Metrics = {},
  signal?: AbortSignal,
): Promise<Evaluation | null> {
  const started = clock();
  const sums = emptySums(metrics);
  const { training } = model;
  model.eval();
  try {
    for await (const batch of loader.iterateAsync()) {
      addBatch(sums, await step(...inputsOf(batch)));
      if (signal?.aborted) return null;
    }
  } finally {
    model.train(training);
  }
  return { examples: sums.examples, seconds: clock() - started, measures: meansOf(sums, metrics) };
}

/**
 * The mean loss and metrics of a model over all batches of a loader, in eval mode, without gradients.
 *
 * @example
 * ```ts
 * import { data, nn, tensor } from "gradus";
 * import { accuracy, evaluate } from "gradus/train";
 * const x = tensor([[3, 0], [0, 2]]);
 * const y = tensor([0, 1], { dtype: "int32" });
 * const loader = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 2 });
 * const measures = await evaluate(new nn.Identity(), loader, { metrics: { accuracy } });
 * console.log(measures.accuracy); // → 1
 * ```
 */
export async function evaluate(
  model: Model,
  loader: BatchSource,
  options: MeasureOptions = {},
): Promise<Measures> {
  const step = makeEvaluationStep(model, options);
  const evaluation = await runEvaluation(model, step, loader, options.metrics);
  return evaluation!.measures;
}
