/**
 * The memory of the WASM module, which is made outside of it: shared where threads are allowed, else the module's own. Which
 * of both a module imports is one bit of it. Read wasmThreads.ts next.
 */

/** Pages of 64 KiB; the build gives the same numbers to the linker. */
export const memoryPages = { initial: 32, maximum: 65536 } as const;

const importSection = 2;
const memoryKind = 2;
const isShared = 2;

/** A number as WASM writes it, seven bits a byte, and the place behind it. */
function readNumber(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

/** Where the flags of the imported memory are: the only import, after the names of its module and itself. */
function memoryFlagsAt(bytes: Uint8Array): number {
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at]!;
    const [size, content] = readNumber(bytes, at + 1);
    if (id === importSection) {
      let [, next] = readNumber(bytes, content);
      for (let name = 0; name < 2; name++) {
        const [length, start] = readNumber(bytes, next);
        next = start + length;
      }
      if (bytes[next] === memoryKind) return next + 1;
    }
    at = content + size;
  }
  throw new Error("the WASM module imports no memory");
}

/** The module for a memory that is not shared; its atomic instructions work there as well. */
export function withOwnMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const at = memoryFlagsAt(copy);
  copy[at] = copy[at]! & ~isShared;
  return copy;
}

/** Memory that threads may share; null where the platform has none, or not so much address space. */
export function sharedMemory(): WebAssembly.Memory | null {
  if (typeof SharedArrayBuffer === "undefined") return null;
  try {
    const memory = new WebAssembly.Memory({ ...memoryPages, shared: true });
    return memory.buffer instanceof SharedArrayBuffer ? memory : null;
  } catch {
    return null;
  }
}

export const ownMemory = (): WebAssembly.Memory => new WebAssembly.Memory(memoryPages);
