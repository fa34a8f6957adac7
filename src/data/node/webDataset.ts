/**
 * Tar shards in WebDataset's style (https://github.com/webdataset/webdataset): files with one base
 * name after one another are one example, `0001.jpg`, `0001.cls`. Read as a stream, gzipped or not.
 * Node only.
 */
import { availableParallelism } from "node:os";
import { FormatError, ValueError } from "../../core/errors.js";
import { readTar } from "../../io/tarFile.js";
import type { BrokenExample, ErrorPolicy, Example } from "../dataset.js";
import { type Draw, permutation } from "../order.js";
import type { IterableDataset, Stream, StreamOptions } from "../transformed.js";

/** The files of one example by ending, without the dot; `key` is the name they share. */
export interface ShardSample {
  readonly key: string;
  readonly shard: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What could not be read of a shard. */
export interface BrokenShardExample extends BrokenExample {
  readonly shard: string;
  /** The example; nothing where the shard itself is damaged. */
  readonly key: string | undefined;
}

export interface ShardOptions {
  /** Take the shards in a random order, another in each epoch; default false. */
  readonly shuffleShards?: boolean;
  /** Take every `numReplicas`-th shard, from `rank`: the share of one of several processes. */
  readonly share?: { readonly numReplicas: number; readonly rank: number };
  /**
   * What to do with an example that cannot be made, or with the rest of a shard that is damaged;
   * default what the loader says, else `throw`.
   */
  readonly onError?: ErrorPolicy;
  /** Told of each example that was skipped, and, without a key, of a shard whose rest was. */
  readonly onBroken?: (broken: BrokenShardExample) => void;
  /** Refuse files that hold more bytes than this; default 2²⁸. */
  readonly maxEntryBytes?: number;
}

export interface WebDatasetOptions<E extends Example> extends ShardOptions {
  /** Makes an example of its files. */
  readonly decode: (sample: ShardSample) => E | Promise<E>;
}

/** Examples that are decoded at the same time, on the decoder's threads; they come in order. */
const together = 2 * availableParallelism();

/**
 * The examples of tar shards, as a stream for a {@link DataLoader}; mix it with `shuffleBuffer`.
 *
 * @throws ValueError for no shards, or a share that is none; while walking, FormatError naming shard
 * and example, unless broken ones are skipped.
 * @example
 * ```ts ignore
 * import { data } from "gradus";
 * import { webDataset } from "gradus/data/node";
 * import { decodeImage } from "gradus/io";
 * const stream = webDataset(["a.tar", "b.tar"], {
 *   shuffleShards: true,
 *   decode: async ({ files }) => [
 *     await decodeImage(files.get("jpg")!, { size: [64, 64] }),
 *     Number(new TextDecoder().decode(files.get("cls"))),
 *   ],
 * });
 * const loader = new data.DataLoader(data.shuffleBuffer(stream, 1000), { batchSize: 64, seed: 1, onError: "skip" });
 * for await (const [x, y] of loader) { … }
 * for (const { error } of loader.broken) console.log(error.message);
 * ```
 */
export function webDataset<E extends Example>(
  shards: readonly string[],
  options: WebDatasetOptions<E>,
): IterableDataset<E> {
  return streamOf("webDataset", shards, options, options.decode);
}

/**
 * The undecoded examples of tar shards, as a stream for `WorkerDataset.stream`, whose threads decode
 * them.
 *
 * @throws as {@link webDataset}.
 */
export const shardSamples = (
  shards: readonly string[],
  options: ShardOptions = {},
): Stream<ShardSample> => streamOf("shardSamples", shards, options, (sample) => sample);

type Decode<T> = (sample: ShardSample) => T | Promise<T>;

function streamOf<T>(
  op: string,
  shards: readonly string[],
  options: ShardOptions,
  decode: Decode<T>,
): Stream<T> {
  const { share: { numReplicas, rank } = { numReplicas: 1, rank: 0 } } = options;
  if (shards.length === 0) throw new ValueError(op, "no shards");
  if (!(Number.isInteger(rank) && rank >= 0 && rank < numReplicas))
    throw new ValueError(op, `rank is ${rank}; expected 0 to ${numReplicas - 1}`);
  return {
    iterate(draw: Draw, loader?: StreamOptions) {
      const order = options.shuffleShards
        ? permutation(shards.length, draw.seed, draw.epoch)
        : shards.map((_, i) => i);
      const all = Array.from(order, (i) => shards[i]!);
      return walkShards(
        all.filter((_, i) => i % numReplicas === rank),
        { ...options, decode },
        loader,
      );
    },
  };
}

interface WalkOptions<T> extends ShardOptions {
  readonly decode: Decode<T>;
}

async function* walkShards<T>(
  shards: readonly string[],
  options: WalkOptions<T>,
  loader: StreamOptions | undefined,
): AsyncGenerator<T, void, undefined> {
  const policy = options.onError ?? loader?.onError;
  let index = 0;
  async function* settle({ shard, key, made }: Attempt<T>) {
    let example: T | undefined;
    try {
      example = await made;
    } catch (error) {
      if (policy !== "skip") throw error;
      const broken = { index, shard, key, error: error as Error };
      options.onBroken?.(broken);
      loader?.onBroken(broken);
    }
    index++;
    if (example) yield example;
  }
  const pending: Attempt<T>[] = [];
  for await (const attempt of attemptAll(shards, options)) {
    pending.push(attempt);
    if (pending.length >= together) yield* settle(pending.shift()!);
  }
  for (const attempt of pending) yield* settle(attempt);
}

/** An example on its way, or, without a key, why nothing more comes of a shard. */
interface Attempt<T> {
  readonly shard: string;
  readonly key: string | undefined;
  readonly made: Promise<T>;
}

async function* attemptAll<T>(
  shards: readonly string[],
  { decode, maxEntryBytes }: WalkOptions<T>,
): AsyncGenerator<Attempt<T>, void, undefined> {
  const attempt = (shard: string, key: string | undefined, made: Promise<T>): Attempt<T> => {
    // It is reported when its turn comes.
    made.catch(() => {});
    return { shard, key, made };
  };
  for (const shard of shards)
    try {
      for await (const sample of readShard(shard, maxEntryBytes))
        yield attempt(shard, sample.key, decodeOne(decode, sample));
    } catch (error) {
      yield attempt(shard, undefined, Promise.reject(error));
    }
}

async function decodeOne<T>(decode: Decode<T>, sample: ShardSample): Promise<T> {
  try {
    return await decode(sample);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError("webDataset", `${sample.shard}/${sample.key}: ${reason}`);
  }
}

/** The examples of one shard. */
export async function* readShard(
  shard: string,
  maxEntryBytes?: number,
): AsyncGenerator<ShardSample, void, undefined> {
  let key: string | undefined;
  let files = new Map<string, Uint8Array>();
  for await (const { name, bytes } of readTar(shard, maxEntryBytes ? { maxEntryBytes } : {})) {
    const match = /^((?:.*\/)?[^./][^./]*)\.([^/]+)$/.exec(name);
    if (!match) continue;
    const ending = match[2]!.toLowerCase();
    if (key !== match[1]) {
      if (key !== undefined) yield { key, shard, files };
      key = match[1]!;
      files = new Map();
    }
    if (files.has(ending)) throw new FormatError("readShard", `${shard}: holds ${name} twice`);
    files.set(ending, bytes);
  }
  if (key !== undefined) yield { key, shard, files };
}
