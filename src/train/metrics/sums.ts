/**
 * What is kept of the batches of an epoch: exact sums that can be put away as JSON and taken up again, so that a resumed
 * epoch ends in the same bits. Read metric.ts first, steps.ts next.
 */
import { FormatError, ShapeError, ValueError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape, sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../tensor/tensor.js";
import type { Measures } from "../events.js";
import type { Field } from "../fields.js";
import { type Metrics, type MetricTotal, measuresOf } from "./metric.js";

/** What one batch adds: its mean loss, and what each metric made of it. */
export interface BatchMeasures {
  readonly examples: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** The sum of a metric's tensors, or their rows. Values are float64: additions in the order of the batches. */
class Total {
  readonly gathers: boolean;
  /** Of a sum; of gathered rows the shape of one. Unknown before the first batch. */
  #shape: Shape | undefined;
  readonly #parts: Float64Array[] = [];

  constructor(gathers: boolean) {
    this.gathers = gathers;
  }

  add(name: string, { shape, data }: Pick<Tensor, "shape" | "data">): void {
    const own = this.gathers ? shape.slice(1) : shape;
    this.#shape ??= own;
    if (!sameShape(this.#shape, own)) {
      const [came, expected] = [own, this.#shape].map(formatShape);
      const what = this.gathers ? "rows of shape" : "a tensor";
      throw new ShapeError("metrics", `${name} gave ${what} ${came}, before it was ${expected}`);
    }
    const [first] = this.#parts;
    if (this.gathers || !first) this.#parts.push(Float64Array.from(data as ArrayLike<number>));
    else for (let i = 0; i < first.length; i++) first[i]! += data[i]!;
  }

  /** Null before the first batch. */
  read(): MetricTotal | null {
    if (!this.#shape) return null;
    const values = this.gathers ? joined(this.#parts) : this.#parts[0]!;
    const rows = values.length / Math.max(1, sizeOf(this.#shape));
    return { shape: this.gathers ? [rows, ...this.#shape] : this.#shape, values };
  }

  toJSON(): object {
    const total = this.read();
    const reduce = this.gathers ? "gather" : "sum";
    return total ? { reduce, shape: total.shape, float64: encode(total.values) } : { reduce };
  }

  static parse(field: Field, name: string): Total {
    const total = new Total(field.get("reduce").oneOf(["sum", "gather"] as const) === "gather");
    if (field.get("shape").isMissing) return total;
    const shape = field
      .get("shape")
      .list(32)
      .map((size) => size.whole());
    const values = decode(field.get("float64").text());
    const fits = values && values.length === sizeOf(shape) && (!total.gathers || shape.length > 0);
    if (!fits)
      throw new FormatError("read", `the sums of ${name} are not ${formatShape(shape)} numbers`);
    total.add(name, { shape, data: values });
    return total;
  }
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** All bits of the numbers, NaN and infinities too, as base64; JSON has no words for those. */
function encode(values: Float64Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const pieces: string[] = [];
  // A call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000)
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  return btoa(pieces.join(""));
}

function decode(text: string): Float64Array | null {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return bytes.length % 8 === 0 ? new Float64Array(bytes.buffer) : null;
  } catch {
    return null;
  }
}

/** Sums over the examples of an epoch so far. `JSON.stringify` writes them, {@link parseSums} reads them. */
export interface Sums {
  examples: number;
  /** The loss of all examples. */
  loss: number;
  /** By the names of the metrics. */
  readonly totals: Readonly<Record<string, Total>>;
}

/** @throws ValueError for a metric called `loss`, which is the loss's own name. */
export function emptySums(metrics: Metrics = {}): Sums {
  if (Object.hasOwn(metrics, "loss"))
    throw new ValueError("metrics", 'no metric can be called "loss", the name of the loss itself');
  const totals = Object.entries(metrics).map(([name, metric]) => {
    const gathers = typeof metric !== "function" && metric.reduce === "gather";
    return [name, new Total(gathers)] as const;
  });
  return { examples: 0, loss: 0, totals: Object.fromEntries(totals) };
}

export function addBatch(sums: Sums, { examples, loss, metrics }: BatchMeasures): void {
  sums.examples += examples;
  sums.loss += loss * examples;
  for (const [name, value] of Object.entries(metrics)) sums.totals[name]!.add(name, value);
}

/**
 * The measures of all examples: the mean loss, and what the metrics make of their totals. NaN where there were no examples.
 *
 * @param only `running` leaves out the metrics that are too much work to be given after every step.
 */
export function meansOf(sums: Sums, metrics: Metrics = {}, only?: "running"): Measures {
  const { examples, loss, totals } = sums;
  const named = Object.entries(metrics).flatMap(([name, metric]) => {
    if (only === "running" && typeof metric !== "function")
      if (!(metric.running ?? metric.reduce !== "gather")) return [];
    const total = totals[name]?.read();
    return total ? measuresOf(name, metric, total, examples) : [[name, Number.NaN] as const];
  });
  return { loss: loss / examples, ...Object.fromEntries(named) };
}

/** Whether the sums are those of the metrics: the same names, added up or gathered alike. */
export function sumsFit({ totals }: Sums, metrics: Metrics = {}): boolean {
  const expected = emptySums(metrics).totals;
  const names = Object.keys(expected);
  return (
    names.length === Object.keys(totals).length &&
    names.every((name) => totals[name]?.gathers === expected[name]!.gathers)
  );
}

/**
 * Takes up sums that were put away.
 *
 * @throws FormatError, saying where and what came, for anything else.
 */
export function parseSums(field: Field): Sums {
  const entries = field.get("totals").entries();
  return {
    examples: field.get("examples").whole(),
    loss: field.get("loss").number(),
    totals: Object.fromEntries(entries.map(([name, part]) => [name, Total.parse(part, name)])),
  };
}
