import type { CpuModule } from "./module.js";
export function instantiateWasm(_: Uint8Array): CpuModule { throw new Error("not yet"); }
