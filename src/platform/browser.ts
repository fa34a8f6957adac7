/**
 * The platform in a browser tab or a worker. The WASM module comes as base64 inside a script, so that bundlers need no
 * setting for it and loading stays synchronous. Imports no Node module; node.ts is the other platform.
 */
import { relaxedWasmBase64, wasmBase64 } from "#wasm-binary";
import type { Platform } from "./contract.js";

export const loadNativeModule: Platform["loadNativeModule"] = () => ({
  missing: "native code does not run in a browser",
});

export const wasmBytes: Platform["wasmBytes"] = (relaxed) => {
  const text = atob(relaxed ? relaxedWasmBase64 : wasmBase64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};

export const environment: Platform["environment"] = () => undefined;

export const threads: Platform["threads"] = () => globalThis.navigator?.hardwareConcurrency ?? 1;

export const startWorker: Platform["startWorker"] = (code, start) => {
  try {
    const text = `onmessage = ({ data: start }) => {${code}};`;
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const worker = new Worker(url);
    worker.postMessage(start);
    return true;
  } catch {
    // The page's content policy may forbid it.
    return false;
  }
};
