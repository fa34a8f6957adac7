import type { CpuModule } from "./module.js";
export function loadNative(): CpuModule | { missing: string } { return { missing: "not yet" }; }
