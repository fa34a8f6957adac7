/** The type of dist/wasm/binary.js, which scripts/buildWasm.ts generates: the WASM module's bytes in base64. */
export declare const wasmBase64: string;
