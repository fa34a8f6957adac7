/**
 * Tar shards in WebDataset's style (https://github.com/webdataset/webdataset): files with one base
 * name after one another are one example, `0001.jpg`, `0001.cls`. Read as a stream, gzipped or not.
 * Node only.
 */
import { FormatError, ValueError } from "../../core/errors.js";
import { readTar } from "../../io/tarFile.js";
import type { BrokenExample, ErrorPolicy, Example } from "../dataset.js";
import { type Draw, permutation } from "../order.js";
import type { IterableDataset } from "../transformed.js";

/** The files of one example by ending, without the dot; `key` is the name they share. */
export interface ShardSample {
  readonly key: string;
  readonly shard: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface WebDatasetOptions<E extends Example> {
  /** Makes an example of its files. */
  readonly decode: (sample: ShardSample) => E | Promise<E>;
  /** Take the shards in a random order, another in each epoch; default false. */
  readonly shuffleShards?: boolean;
  /** Take every `numReplicas`-th shard, from `rank`: the share of one of several processes. */
  readonly share?: { readonly numReplicas: number; readonly rank: number };
  /** What to do with an example that cannot be made; default `throw`. */
  readonly onError?: ErrorPolicy;
  readonly onBroken?: (broken: BrokenExample & { readonly key: string }) => void;
  /** Refuse files that hold more bytes than this; default 2²⁸. */
  readonly maxEntryBytes?: number;
}

/**
 * The examples of tar shards, as a stream for a {@link DataLoader}; mix it with `shuffleBuffer`.
 *
 * @example
 * ```ts ignore
 * import { webDataset } from "gradus/data/node";
 * import { decodeImage } from "gradus/io";
 * const stream = webDataset(["a.tar", "b.tar"], {
 *   decode: async ({ files }) => [await decodeImage(files.get("jpg")), Number(text(files.get("cls")))],
 * });
 * ```
 */
export function webDataset<E extends Example>(
  shards: readonly string[],
  options: WebDatasetOptions<E>,
): IterableDataset<E> {
  const { share = { numReplicas: 1, rank: 0 } } = options;
  if (shards.length === 0) throw new ValueError("webDataset", "no shards");
  return {
    async *iterate(draw: Draw) {
      const order = options.shuffleShards
        ? permutation(shards.length, draw.seed, draw.epoch)
        : shards.map((_, i) => i);
      let index = 0;
      for (let i = share.rank; i < order.length; i += share.numReplicas)
        for await (const sample of readShard(shards[order[i]!]!, options.maxEntryBytes)) {
          try {
            yield await options.decode(sample);
          } catch (error) {
            if (options.onError !== "skip") throw describe(sample, error);
            options.onBroken?.({ index, key: sample.key, error: describe(sample, error) });
          }
          index++;
        }
    },
  };
}

const describe = ({ shard, key }: ShardSample, error: unknown): FormatError =>
  new FormatError("webDataset", `${shard}/${key}: ${(error as Error).message ?? error}`);

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
