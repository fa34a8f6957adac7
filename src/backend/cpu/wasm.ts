/**
 * The C++ engine as a WASM module, for browsers and for machines without the addon. Arrays are copied into the
 * module's memory and the written ones back. Imports nothing of Node. The module's own side is native/wasm.cpp.
 */
import type { TypedArray } from "../../core/dtype.js";
import { BackendError } from "../../core/errors.js";
import type { CpuModule, EngineMemory, LoadedProgram, RunFailure } from "./module.js";
import { ownMemory, sharedMemory, withOwnMemory } from "./wasmMemory.js";
import { type ThreadOptions, WasmThreads } from "./wasmThreads.js";

/** What native/wasm.cpp exports, and the memory; addresses are numbers. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize?(): void;
  allocate(bytes: number): number;
  release(address: number): void;
  load(words: number, wordCount: number, constants: number, constantCount: number): number;
  unload(program: number): void;
  lastError(): number;
  isWritten(program: number, slot: number): number;
  isLarge(program: number): number;
  setThreads(count: number): void;
  run(program: number, arrays: number): number;
  arenaBytes(): number;
  allocationCount(): number;
}

const headerWords = 8;
const bufferWords = 4;
const externalCountAt = 4;
const bufferCountAt = 3;
const outOfMemory = 2;
const maxThreads = 64;

/** Element types of the buffer table: their arrays, by dtype code. */
const arrayTypes = [Float32Array, Float64Array, Int32Array, Uint8Array, Uint8Array];

const [float64, int32] = [1, 2];

/** What a slot takes. */
interface Slot {
  readonly dtype: number;
  readonly type: (typeof arrayTypes)[number];
  readonly length: number;
  readonly isWritten: boolean;
}

const fail = (message: string): never => {
  throw new BackendError("wasm", message);
};

const isSamePlace = (a: TypedArray, b: TypedArray): boolean =>
  a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** The module's memory as bytes, and one block in it that all copies go through. */
class Staging {
  readonly exports: Exports;
  #bytes = new Uint8Array(0);
  /** The memory as arrays of each type, by dtype code. */
  #views: readonly TypedArray[] = [];
  #address = 0;
  #size = 0;
  constructor(exports: Exports) {
    this.exports = exports;
  }
  /** A view that is valid until the memory grows. */
  get bytes(): Uint8Array {
    const { buffer } = this.exports.memory;
    if (this.#bytes.buffer !== buffer) this.#bytes = new Uint8Array(buffer);
    return this.#bytes;
  }
  /** The address of at least `size` bytes. */
  reserve(size: number): number {
    if (size <= this.#size) return this.#address;
    if (this.#address !== 0) this.exports.release(this.#address);
    const wanted = align(size + size / 4);
    this.#address = this.exports.allocate(wanted);
    this.#size = this.#address === 0 ? 0 : wanted;
    return this.#address || fail(`there are no ${size} bytes of memory for the arrays`);
  }
  /** The memory as an array of the type that a dtype code stands for, valid until the memory grows. */
  #viewOf(dtype: number): TypedArray {
    const { buffer } = this.exports.memory;
    if (this.#views[0]?.buffer !== buffer) this.#views = arrayTypes.map((type) => new type(buffer));
    return this.#views[dtype]!;
  }
  copyIn(array: TypedArray, address: number, dtype: number): void {
    const view = this.#viewOf(dtype);
    view.set(array, address / view.BYTES_PER_ELEMENT);
  }
  copyOut(array: TypedArray, address: number, dtype: number): void {
    const view = this.#viewOf(dtype);
    const start = address / view.BYTES_PER_ELEMENT;
    array.set(view.subarray(start, start + array.length));
  }
}

class WasmProgram implements LoadedProgram {
  readonly #staging: Staging;
  readonly #program: number;
  readonly #slots: readonly Slot[];
  readonly #addresses: Int32Array;
  /** While arrays are placed: the latest slot of each buffer, and the one before it. */
  readonly #latest = new Map<ArrayBufferLike, number>();
  readonly #earlier: Int32Array;
  /** 1 for slots whose array no earlier slot has. */
  readonly #isFirst: Uint8Array;
  /** Started with the first run; null where one thread is all there is, or enough. */
  readonly #threads: WasmThreads | null;
  constructor(
    staging: Staging,
    program: number,
    slots: readonly Slot[],
    threads: WasmThreads | null,
  ) {
    this.#threads = threads;
    this.#staging = staging;
    this.#program = program;
    this.#slots = slots;
    this.#addresses = new Int32Array(slots.length);
    this.#earlier = new Int32Array(slots.length);
    this.#isFirst = new Uint8Array(slots.length);
  }

  run(arrays: readonly TypedArray[]): RunFailure | null {
    this.#check(arrays);
    this.#threads?.ensureStarted();
    const staging = this.#staging;
    this.#place(arrays);
    const [table, isFirst, slots] = [this.#addresses, this.#isFirst, this.#slots];
    for (let i = 0; i < slots.length; i++)
      if (isFirst[i]) staging.copyIn(arrays[i]!, table[i]!, slots[i]!.dtype);
    const tableAddress = staging.reserve(0);
    staging.copyIn(table, tableAddress, int32);
    const failure = this.#call(tableAddress);
    for (let i = 0; i < slots.length; i++) {
      const { isWritten, dtype } = slots[i]!;
      if (isWritten && this.#isLastWrite(i)) staging.copyOut(arrays[i]!, table[i]!, dtype);
    }
    return failure;
  }

  /** Whether no later slot that is written has the same place. */
  #isLastWrite(slot: number): boolean {
    const table = this.#addresses;
    const next = table.indexOf(table[slot]!, slot + 1);
    return next < 0 || !this.#slots[next]!.isWritten;
  }

  async runAsync(arrays: readonly TypedArray[]): Promise<RunFailure | null> {
    return this.run(arrays);
  }

  #check(arrays: readonly TypedArray[]): void {
    const slots = this.#slots;
    if (arrays.length !== slots.length)
      fail(`the program needs ${slots.length} arrays, got ${arrays.length}`);
    slots.forEach(({ type, length }, i) => {
      if (!(arrays[i] instanceof type) || arrays[i].length !== length)
        fail(`array ${i} must be a ${type.name} of ${length} elements`);
    });
  }

  /** Gives each array an address behind the table, one to arrays of one place. */
  #place(arrays: readonly TypedArray[]): void {
    const [offsets, latest] = [this.#addresses, this.#latest];
    let size = align(4 * arrays.length);
    for (let i = 0; i < arrays.length; i++) {
      const array = arrays[i]!;
      let same = latest.get(array.buffer) ?? -1;
      this.#earlier[i] = same;
      latest.set(array.buffer, i);
      while (same >= 0 && !isSamePlace(arrays[same]!, array)) same = this.#earlier[same]!;
      this.#isFirst[i] = same < 0 ? 1 : 0;
      offsets[i] = same < 0 ? size : offsets[same]!;
      if (same < 0) size += align(array.byteLength);
    }
    // Arrays must not be kept alive from here.
    latest.clear();
    const start = this.#staging.reserve(size);
    for (let i = 0; i < offsets.length; i++) offsets[i]! += start;
  }

  #call(table: number): RunFailure | null {
    const { exports } = this.#staging;
    const result = exports.run(this.#program, table);
    if (result === 0) return null;
    const numbers = new Float64Array(exports.memory.buffer, result, 4);
    const [code, instruction, value, limit] = numbers as unknown as [
      number,
      number,
      number,
      number,
    ];
    if (code === outOfMemory) fail(`there are no ${value} bytes of memory for a kernel`);
    return { code, instruction, value, limit };
  }
}

class WasmModule implements CpuModule {
  readonly name = "wasm";
  readonly isa: string;
  readonly availableIsas: readonly string[];
  readonly #threads: WasmThreads | null;
  readonly #staging: Staging;
  #programs = 0;
  readonly #freed: FinalizationRegistry<number>;

  constructor(exports: Exports, isa: string, threads: WasmThreads | null) {
    this.isa = isa;
    this.availableIsas = [isa];
    this.#threads = threads;
    this.#staging = new Staging(exports);
    exports.setThreads(this.threads);
    this.#freed = new FinalizationRegistry((program) => {
      exports.unload(program);
      this.#programs--;
    });
  }

  get threads(): number {
    return this.#threads?.count ?? 1;
  }

  load(words: Int32Array, constants: Float64Array): LoadedProgram {
    const staging = this.#staging;
    const { exports } = staging;
    const address = staging.reserve(align(constants.byteLength) + words.byteLength);
    const wordsAt = address + align(constants.byteLength);
    staging.copyIn(constants, address, float64);
    staging.copyIn(words, wordsAt, int32);
    const program = exports.load(wordsAt, words.length, address, constants.length);
    if (program === 0) fail(this.#lastError());
    const threads = exports.isLarge(program) ? this.#threads : null;
    const loaded = new WasmProgram(staging, program, this.#slotsOf(program, words), threads);
    this.#programs++;
    this.#freed.register(loaded, program);
    return loaded;
  }

  /** The external slots of a program that was accepted. */
  #slotsOf(program: number, words: Int32Array): Slot[] {
    const slots = new Array<Slot>(words[externalCountAt]!);
    for (let i = 0; i < words[bufferCountAt]!; i++) {
      const at = headerWords + i * bufferWords;
      const [kind, slot, length, dtype] = words.subarray(at, at + bufferWords);
      if (kind !== 1) continue;
      const isWritten = this.#staging.exports.isWritten(program, slot!) !== 0;
      slots[slot!] = { dtype: dtype!, type: arrayTypes[dtype!]!, length: length!, isWritten };
    }
    return slots;
  }

  #lastError(): string {
    const { exports, bytes } = this.#staging;
    const start = exports.lastError();
    return new TextDecoder().decode(bytes.slice(start, bytes.indexOf(0, start)));
  }

  setIsa(isa: string): void {
    if (isa !== this.isa)
      throw new BackendError("setIsa", `the WASM engine runs ${this.isa}, not ${isa}`);
  }
  setThreads(count: number): void {
    if (!(count >= 1))
      throw new BackendError("setThreads", "the number of threads must be 1 or more");
    if (!this.#threads) return;
    this.#threads.count = Math.min(count, maxThreads);
    this.#staging.exports.setThreads(this.threads);
  }
  memory(): EngineMemory {
    const { exports } = this.#staging;
    return {
      programs: this.#programs,
      arenaBytes: exports.arenaBytes(),
      allocations: exports.allocationCount(),
    };
  }
}

/** A module of one function: i32x4.relaxed_trunc of nothing, which only engines with relaxed SIMD take. */
const relaxedProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // magic, version
  ...[1, 4, 1, 96, 0, 0], // one type: () → ()
  ...[3, 2, 1, 0], // one function of it
  ...[10, 26, 1, 24, 0], // its body
  ...[253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // v128.const 0
  ...[253, 129, 2, 26, 11], // i32x4.relaxed_trunc_f32x4_s, drop, end
);

/** Whether the engine has WASM's relaxed SIMD, which multiplies and adds in one instruction. */
export const hasRelaxedSimd = (): boolean => WebAssembly.validate(relaxedProbe);

export interface WasmOptions {
  /** The instruction set that the bytes use. */
  readonly isa?: string;
  /** Threads, where memory can be shared. */
  readonly threads?: ThreadOptions | null;
}

/** Makes an engine of the bytes of gradus.wasm or relaxed.wasm, with a memory of its own and, by default, one thread. */
export function instantiateWasm(
  bytes: Uint8Array,
  { isa = "simd128", threads = null }: WasmOptions = {},
): CpuModule {
  const shared = threads && sharedMemory();
  const memory = shared ?? ownMemory();
  const module = new WebAssembly.Module(
    (shared ? bytes : withOwnMemory(bytes)) as Uint8Array<ArrayBuffer>,
  );
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const exports = { ...(instance.exports as unknown as Exports), memory };
  exports._initialize?.();
  const allocate = (size: number) => exports.allocate(size);
  const pool = threads && shared && new WasmThreads(threads, module, memory, allocate);
  return new WasmModule(exports, isa, pool);
}
