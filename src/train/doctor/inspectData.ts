/** Looks at the examples themselves: values that are not finite, targets out of range, validation examples among those of training. */
import { isFloat } from "../../core/dtype.js";
import type { Tensor } from "../../tensor/index.js";
import type { BatchSource } from "../steps.js";

export interface DataFindings {
  /** Examples looked at. */
  readonly examples: number;
  /** What is wrong with the data as such; null for nothing. */
  readonly fault: string | null;
  /** Of the training inputs, where they are numbers. */
  readonly input: { mean: number; std: number; min: number; max: number } | null;
  /** Share of the validation examples that are among the training examples; null without validation data. */
  readonly sharedExamples: number | null;
}

/** FNV-1a over the words of each example, with a second basis for the other half of 64 bits. */
function digests(x: Tensor): string[] {
  const { data } = x;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const count = x.shape[0]!;
  const size = bytes.length / Math.max(count, 1);
  return Array.from({ length: count }, (_, i) => {
    let [a, b] = [0x811c9dc5, 0x9747b28c];
    for (let k = i * size; k < (i + 1) * size; k++) {
      a = Math.imul(a ^ bytes[k]!, 0x01000193);
      b = Math.imul(b ^ bytes[k]!, 0x85ebca6b);
    }
    return `${a >>> 0},${b >>> 0}`;
  });
}

/** Moments over batches. */
class Moments {
  #count = 0;
  #sum = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  add(x: Tensor): void {
    if (!isFloat(x.dtype)) return;
    for (const value of x.data) {
      this.#sum += value;
      this.#squares += value * value;
      this.#min = Math.min(this.#min, value);
      this.#max = Math.max(this.#max, value);
    }
    this.#count += x.size;
  }

  get found(): DataFindings["input"] {
    if (this.#count === 0 || !Number.isFinite(this.#sum)) return null;
    const mean = this.#sum / this.#count;
    const variance = Math.max(0, this.#squares / this.#count - mean ** 2);
    return { mean, std: Math.sqrt(variance), min: this.#min, max: this.#max };
  }
}

function faultOf(batch: readonly Tensor[], number: number, classes: number | undefined) {
  for (const [part, x] of batch.entries()) {
    if (!isFloat(x.dtype)) continue;
    const bad = x.data.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) continue;
    const example = Math.floor(bad / (x.size / x.shape[0]!));
    const what = part === 0 ? "input" : "target";
    return `the ${what} of example ${example + 1} of batch ${number} holds ${x.data[bad]}`;
  }
  const y = batch[1];
  if (!y || classes === undefined || isFloat(y.dtype) || y.ndim !== 1) return null;
  const bad = y.data.findIndex((value) => value < -100 || value >= classes);
  return bad < 0
    ? null
    : `the target of example ${bad + 1} of batch ${number} is ${y.data[bad]}, beyond the ${classes} classes`;
}

/** Goes through at most so many examples of each part. Random changes of the training data hide what is shared. */
export async function inspectData(
  train: BatchSource,
  validation: BatchSource | undefined,
  { most, classes, signal }: { most: number; classes?: number; signal?: AbortSignal },
): Promise<DataFindings> {
  const known = new Set<string>();
  const moments = new Moments();
  let [examples, number] = [0, 0];
  let fault: string | null = null;
  train.setEpoch(0);
  for await (const batch of train.iterateAsync()) {
    fault ??= faultOf(batch, ++number, classes);
    moments.add(batch[0]!);
    for (const digest of digests(batch[0]!)) known.add(digest);
    examples += batch[0]!.shape[0]!;
    if (fault !== null || examples >= most || signal?.aborted) break;
  }
  const input = moments.found;
  if (!validation || fault !== null) return { examples, fault, input, sharedExamples: null };
  let [shared, seen] = [0, 0];
  number = 0;
  for await (const batch of validation.iterateAsync()) {
    const wrong = faultOf(batch, ++number, classes);
    fault ??= wrong && `in the validation data ${wrong}`;
    for (const digest of digests(batch[0]!)) shared += Number(known.has(digest));
    seen += batch[0]!.shape[0]!;
    if (fault !== null || seen >= most || signal?.aborted) break;
  }
  const sharedExamples = seen > 0 ? shared / seen : null;
  return { examples: examples + seen, fault, input, sharedExamples };
}
