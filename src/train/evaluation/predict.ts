/** All that a model says of a data set, with what it should have said. Read calibration.ts for what is made of it. */
import { ShapeError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import type { Module } from "../../nn/module.js";
import { cat } from "../../ops/index.js";
import { compile, noGrad, type Structure, type Tensor } from "../../tensor/index.js";
import { type BatchSource, inputsOf, type Model } from "../steps.js";

/** Runs a compiled function of the inputs over all batches, in eval mode; the mode is put back. */
export async function* overBatches<R extends Structure>(
  model: Module,
  loader: BatchSource,
  fn: (x: Tensor) => R,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly result: R; readonly target: Tensor }> {
  const run = compile((x: Tensor) => noGrad(() => fn(x)));
  const { training } = model;
  model.eval();
  try {
    for await (const batch of loader.iterateAsync()) {
      signal?.throwIfAborted();
      const [x, target] = inputsOf(batch);
      yield { result: await run(x), target };
    }
  } finally {
    model.train(training);
  }
}

/** Of all examples of a data set, in the loader's order. */
export interface Predictions {
  /** [N, …], as the model gives them. */
  readonly outputs: Tensor;
  /** [N, …]. */
  readonly targets: Tensor;
}

export interface PredictOptions {
  /** Ends the walk; the promise is then rejected with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * The outputs of a model for all batches [x, y] of a loader, in eval mode and without gradients, and their targets.
 *
 * @throws ShapeError where batches give outputs of different shapes, or there is no batch.
 * @example
 * ```ts
 * import { data, nn, tensor } from "gradus";
 * import { predict } from "gradus/train";
 * const dataset = new data.TensorDataset(tensor([[3], [0], [2]]), tensor([1, 0, 1], { dtype: "int32" }));
 * const loader = new data.DataLoader(dataset, { batchSize: 2 });
 * const { outputs, targets } = await predict(new nn.Identity(), loader);
 * console.log(outputs.shape, targets.toArray()); // → [ 3, 1 ] [ 1, 0, 1 ]
 * ```
 */
export async function predict(
  model: Model,
  loader: BatchSource,
  { signal }: PredictOptions = {},
): Promise<Predictions> {
  const outputs: Tensor[] = [];
  const targets: Tensor[] = [];
  for await (const { result, target } of overBatches(
    model,
    loader,
    (x) => model.forward(x),
    signal,
  )) {
    outputs.push(result);
    targets.push(target);
  }
  return noGrad(() => ({
    outputs: joined("outputs", outputs),
    targets: joined("targets", targets),
  }));
}

function joined(name: string, parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  if (!first) throw new ShapeError("predict", "the loader gives no batch; is its data set empty?");
  const odd = parts.find(({ shape }) => !sameShape(shape.slice(1), first.shape.slice(1)));
  if (odd) {
    const [came, before] = [odd, first].map(({ shape }) => formatShape(shape));
    throw new ShapeError("predict", `${name} of a batch are ${came}, before they were ${before}`);
  }
  return cat(parts, 0);
}
