/** Puts the wanted backend in use and says why it is. */
import type { BackendName } from "../backend/contract.js";
import { backendDescription, setBackend, setNumThreads } from "../backend/select.js";

export const backendNames: readonly BackendName[] = ["native", "wasm", "interpreter"];

export interface BackendOptions {
  readonly backend?: BackendName;
  readonly threads?: number;
}

/**
 * Chooses backend and number of threads as asked for.
 *
 * @returns one line for people: what is in use and why.
 * @throws BackendError where the machine does not have the backend.
 */
export function useBackend({ backend, threads }: BackendOptions): string {
  if (backend) setBackend(backend);
  if (threads) setNumThreads(threads);
  const description = backendDescription();
  return backend ? `${description}: chosen with --backend` : description;
}
