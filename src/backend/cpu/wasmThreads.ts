/**
 * Threads of the WASM engine: workers that have an instance of the module on the same memory and wait inside it for pieces of
 * work (native/threadsWasm.cpp). They start with the first program that is large enough and never keep a process alive.
 */

/** What a worker needs; sent to it as it is. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The upper end of its stack. */
  readonly stack: number;
  /** Its number, from 1 on. */
  readonly thread: number;
}

/** Starts a worker that runs `code` with a {@link WorkerStart} named `start`; false where that cannot be. */
export type StartWorker = (code: string, start: WorkerStart) => boolean;

/** What a worker does: plain JavaScript, for it is handed over as text. */
export const workerCode = `
  const { exports } = new WebAssembly.Instance(start.module, { env: { memory: start.memory } });
  exports.__stack_pointer.value = start.stack;
  exports.work(start.thread);
`;

const stackBytes = 1 << 18;

export interface ThreadOptions {
  /** How many threads to begin with. */
  readonly threads: number;
  readonly startWorker: StartWorker;
}

/** The workers of one engine, started when they are first wanted. */
export class WasmThreads {
  readonly #options: ThreadOptions;
  readonly #module: WebAssembly.Module;
  readonly #memory: WebAssembly.Memory;
  readonly #allocate: (bytes: number) => number;
  #started = 1;
  #count: number;

  constructor(
    options: ThreadOptions,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    allocate: (bytes: number) => number,
  ) {
    this.#options = options;
    this.#module = module;
    this.#memory = memory;
    this.#allocate = allocate;
    this.#count = options.threads;
  }

  get count(): number {
    return this.#count;
  }
  set count(count: number) {
    this.#count = count;
  }

  /** Starts those that are missing; a worker that cannot start lowers the count. */
  ensureStarted(): void {
    for (; this.#started < this.#count; this.#started++) {
      const low = this.#allocate(stackBytes);
      const start = { module: this.#module, memory: this.#memory, thread: this.#started };
      const isStarted =
        low !== 0 && this.#options.startWorker(workerCode, { ...start, stack: low + stackBytes });
      if (!isStarted) this.#count = this.#started;
    }
  }
}
