/**
 * Makes batches ahead of their use. JavaScript has one thread, but a compiled step runs off it: the
 * loader works in the time in which the program waits for the step. Read loader.ts next.
 */

/**
 * Walks over batches `from` to `end`, keeping up to `ahead` of them ready. Each is made in a task
 * of its own, so that whatever the program started when it got a batch has begun before the next
 * one is made.
 */
export function prefetchBatches<B>(
  make: (batch: number) => B | Promise<B>,
  from: number,
  end: number,
  ahead: number,
): AsyncIterableIterator<B> {
  const ready: Promise<B>[] = [];
  let next = from;
  let scheduled = false;
  let ended = false;

  const makeNext = (): Promise<B> => {
    const batch = next++;
    const made = new Promise<B>((resolve) => resolve(make(batch)));
    // An error is reported when the batch is asked for, and not at all if it never is.
    made.catch(() => {});
    return made;
  };
  const refill = () => {
    scheduled = false;
    if (ended || ready.length >= ahead || next >= end) return;
    ready.push(makeNext());
    schedule();
  };
  const schedule = () => {
    if (scheduled || ended || ready.length >= ahead || next >= end) return;
    scheduled = true;
    runAsTask(refill);
  };
  const finish = () => {
    ended = true;
    ready.length = 0;
  };

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const made = ready.shift() ?? (!ended && next < end ? makeNext() : undefined);
      if (!made) {
        finish();
        return { done: true, value: undefined };
      }
      schedule();
      try {
        return { done: false, value: await made };
      } catch (error) {
        finish();
        throw error;
      }
    },
    async return() {
      finish();
      return { done: true, value: undefined };
    },
  };
}

/**
 * Runs `task` after everything that is already due. A timer would do, but waits a millisecond and
 * more.
 */
function runAsTask(task: () => void): void {
  if (typeof setImmediate === "function") {
    setImmediate(task);
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    task();
  };
  port2.postMessage(null);
}

interface ChunkOptions {
  readonly size: number;
  readonly dropLast: boolean;
  /** Chunks to leave out at the start. */
  readonly skip: number;
}

/** Cuts a stream into lists of `size` examples, the last one perhaps shorter. */
export async function* streamChunks<E>(
  examples: Iterable<E> | AsyncIterable<E>,
  { size, dropLast, skip }: ChunkOptions,
): AsyncGenerator<E[], undefined, undefined> {
  let left = skip * size;
  let chunk: E[] = [];
  for await (const example of examples) {
    if (left > 0) {
      left--;
      continue;
    }
    chunk.push(example);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0 && !dropLast) yield chunk;
  return undefined;
}
