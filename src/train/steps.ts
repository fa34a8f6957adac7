/** What is measured of a batch, and the compiled step of evaluation. Read loop/trainStep.ts for the one of training. */

import { ValueError } from "../core/errors.js";
import type { Module } from "../nn/module.js";
import { crossEntropy } from "../ops/index.js";
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

/** What training asks of a data loader; `DataLoader` has it. Batches are [x, y], unless `batchLoss` takes others. */
export interface BatchSource {
  /** Batches in an epoch. */
  readonly length: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
  readonly dataset: { readonly length: number };
  /** Where the latest walk is: batches of the epoch given out, counting those that were skipped because they are broken. */
  stateDict?(): { readonly batch: number };
  setEpoch(epoch: number): void;
  iterateAsync(options?: { readonly from?: number }): AsyncIterable<readonly Tensor[]>;
}

/** What one batch gives: the mean loss, and what metrics compare. */
export interface BatchResult {
  readonly loss: Tensor;
  /** Needed where there are metrics. */
  readonly output?: Tensor;
  readonly target?: Tensor;
}

export interface MeasureOptions {
  /** Default `functional.crossEntropy`. */
  readonly loss?: Loss;
  readonly metrics?: Metrics;
  /** Goes through the model with a batch of another form than [x, y]; in the place of `loss`. */
  batchLoss?(model: Module, ...batch: Tensor[]): BatchResult;
}

/** Runs one batch and gives its measures. */
export type BatchStep = (batch: readonly Tensor[]) => Promise<BatchMeasures>;

/** What a compiled step gives of a batch. */
export type Results = { readonly loss: Tensor; readonly metrics: Readonly<Record<string, Tensor>> };

/** Loss and metrics of a batch, as a part of a compiled step. */
export function measureBatch(
  model: Module,
  batch: readonly Tensor[],
  options: MeasureOptions,
): Results {
  const { metrics = {} } = options;
  const { loss, output, target } = resultOf(model, batch, options);
  const measured = Object.entries(metrics).map(([name, metric]) => {
    if (!output || !target)
      throw new ValueError("fit", `metric ${name}: batchLoss gives no output and target`);
    return [name, updateOf(name, metric, output, target)] as const;
  });
  return { loss, metrics: Object.fromEntries(measured) };
}

function resultOf(model: Module, batch: readonly Tensor[], options: MeasureOptions): BatchResult {
  if (options.batchLoss) return options.batchLoss(model, ...batch);
  const { loss = crossEntropy } = options;
  const [x, target] = inputsOf(batch);
  const output = (model as Model).forward(x);
  return { loss: loss(output, target), output, target };
}

/** Reads what a compiled step gave. */
export function readMeasures({ loss, metrics }: Results, batch: readonly Tensor[]): BatchMeasures {
  return { examples: batch[0]!.shape[0]!, loss: loss.item(), metrics };
}

/** Loss and metrics without a gradient. */
export function makeEvaluationStep(model: Module, options: MeasureOptions): BatchStep {
  const step = compile((batch: readonly Tensor[]) =>
    noGrad(() => measureBatch(model, batch, options)),
  );
  return async (batch) => readMeasures(await step(batch), batch);
}

/** A batch as [x, y], or an error that says what came. */
export function inputsOf(batch: readonly Tensor[]): readonly [Tensor, Tensor] {
  const [x, y] = batch;
  if (!x || !y || batch.length !== 2)
    throw new ValueError(
      "fit",
      `batches have ${batch.length} parts; expected [input, target], or say batchLoss`,
    );
  return [x, y];
}

export interface Evaluation {
  readonly examples: number;
  readonly seconds: number;
  readonly measures: Measures;
}

/** Measures a model in eval mode over a loader's batches; null if `signal` stops it. The mode is put back. */
export async function runEvaluation(
  model: Module,
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
      addBatch(sums, await step(batch));
      if (signal?.aborted) return null;
    }
  } finally {
    model.train(training);
  }
  return { examples: sums.examples, seconds: clock() - started, measures: meansOf(sums, metrics) };
}

export interface EvaluateOptions extends MeasureOptions {
  /** Ends it after the batch at hand; the promise is then rejected with its reason. */
  readonly signal?: AbortSignal;
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
  { signal, ...options }: EvaluateOptions = {},
): Promise<Measures> {
  const step = makeEvaluationStep(model, options);
  const evaluation = await runEvaluation(model, step, loader, options.metrics, signal);
  signal?.throwIfAborted();
  return evaluation!.measures;
}
