/** The type of dist/wasm/binary.js, which scripts/buildWasm.ts generates: the WASM modules' bytes in base64. */
export declare const wasmBase64: string;
export declare const relaxedWasmBase64: string;
