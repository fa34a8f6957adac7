/**
 * What a network makes of its inputs before its last layer: embeddings, to search in, to draw, to train a small classifier on.
 * Read head.ts for what the last layer is.
 */
import { ValueError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import type { Module } from "../../nn/module.js";
import { compile, noGrad, Tensor } from "../../tensor/index.js";
import type { Model } from "../steps.js";
import { headLayers } from "./head.js";

export interface EmbedOptions {
  /** Name of the module whose output is wanted, such as `layer4`; default what goes into the last linear or convolutional layer. */
  readonly module?: string;
  /** What becomes of dims behind the second, as of feature maps [B, C, H, W]: "flatten" (default), or "mean" over them. */
  readonly pool?: "flatten" | "mean";
  /** Stops the work; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called after each batch with the number of examples done. */
  readonly onProgress?: (done: number) => void;
}

export interface Embeddings {
  /** float32 [N, D], a row an example, in the loader's order. */
  readonly embeddings: ArrayData;
  /** int32 [N] where batches are [x, y] with one whole number an example; null otherwise. */
  readonly labels: ArrayData | null;
}

/** What embedding asks of a data loader; `DataLoader` has it. */
export interface BatchesToEmbed {
  iterateAsync(): AsyncIterable<readonly Tensor[]>;
}

const op = "embed";

/** Runs the model and gives the values that are wanted of what passes on the way. */
function capture(model: Model, x: Tensor, name: string | undefined): Tensor {
  let captured: unknown;
  const watched =
    name === undefined
      ? headLayers(model).map(([, layer]) => layer as Module)
      : [model.getSubmodule(name)];
  if (watched.length === 0)
    throw new ValueError(op, "the model has no linear or convolutional layer; name a module");
  const hooks = watched.map((module) =>
    module.registerForwardHook((inputs, output) => {
      captured = name === undefined ? inputs[0] : output;
    }),
  );
  try {
    model.forward(x);
  } finally {
    for (const hook of hooks) hook.remove();
  }
  if (captured instanceof Tensor) return captured;
  const what = captured === undefined ? "did not run" : "gives no tensor";
  throw new ValueError(op, `${name === undefined ? "the last layer" : `"${name}"`} ${what}`);
}

function asRows(x: Tensor, examples: number, pool: EmbedOptions["pool"]): Tensor {
  if (x.ndim === 0 || x.shape[0] !== examples)
    throw new ValueError(op, `the module gives [${x.shape}] for ${examples} examples`);
  const values = x.to("float32");
  if (values.ndim === 1) return values.unsqueeze(1);
  const flat = values.flatten(1);
  if (pool !== "mean" || x.ndim === 2) return flat;
  return values.flatten(2).mean(2);
}

/** Rows of batches one after another. */
class Rows {
  readonly #parts: Float32Array[] = [];
  #width = 0;
  count = 0;

  add(rows: Tensor): void {
    const width = rows.shape[1]!;
    if (this.count > 0 && width !== this.#width)
      throw new ValueError(op, `rows of ${width} numbers follow rows of ${this.#width}`);
    this.#width = width;
    this.#parts.push(rows.data as Float32Array);
    this.count += rows.shape[0]!;
  }

  join(): ArrayData {
    const data = new Float32Array(this.count * this.#width);
    let at = 0;
    for (const part of this.#parts) {
      data.set(part, at);
      at += part.length;
    }
    return { shape: [this.count, this.#width], dtype: "float32", data };
  }
}

const isLabels = (y: Tensor | undefined, examples: number): y is Tensor =>
  y !== undefined &&
  (y.dtype === "int32" || y.dtype === "uint8") &&
  y.ndim === 1 &&
  y.size === examples;

/**
 * The embeddings of all examples of a loader, in eval mode, without gradients; only what they need of the model is computed.
 *
 * @throws ValueError for a module that is not there, does not run or gives no tensor with a row an example.
 * @example
 * ```ts
 * import { data, nn, ones, tensor } from "gradus";
 * import { embed } from "gradus/train";
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * const examples = new data.TensorDataset(ones([3, 4]), tensor([0, 1, 0], { dtype: "int32" }));
 * const { embeddings, labels } = await embed(model, new data.DataLoader(examples, { batchSize: 2 }));
 * console.log(embeddings.shape, labels?.data); // → [ 3, 8 ] Int32Array(3) [ 0, 1, 0 ]
 * ```
 */
export async function embed(
  model: Model,
  loader: BatchesToEmbed,
  { module, pool = "flatten", signal, onProgress }: EmbedOptions = {},
): Promise<Embeddings> {
  if (pool !== "flatten" && pool !== "mean")
    throw new ValueError(op, `pool must be "flatten" or "mean", got "${pool as string}"`);
  const step = compile((x: Tensor) =>
    noGrad(() => asRows(capture(model, x, module), x.shape[0]!, pool)),
  );
  const rows = new Rows();
  let labels: number[] | null = [];
  const { training } = model;
  model.eval();
  try {
    for await (const [x, y] of loader.iterateAsync()) {
      signal?.throwIfAborted();
      if (!x) throw new ValueError(op, "a batch has no parts; expected [input, …]");
      rows.add(await step(x));
      if (labels && isLabels(y, x.shape[0]!)) for (const label of y.data) labels.push(label);
      else labels = null;
      onProgress?.(rows.count);
    }
  } finally {
    model.train(training);
  }
  const data = labels && Int32Array.from(labels);
  return {
    embeddings: rows.join(),
    labels: data && { shape: [data.length], dtype: "int32", data },
  };
}
