/** The backends that this machine has, each with every instruction-set path of its engine. */
import { test } from "node:test";
import { currentEngine } from "../../src/backend/select.js";
import { BackendError, type BackendName, setBackend } from "../../src/index.js";

export interface Place {
  /** `interpreter`, `native avx512`, `wasm simd128`. */
  readonly name: string;
  readonly backend: BackendName;
  readonly isa: string | null;
}

/** Why a backend is not there. */
export const missing = new Map<BackendName, string>();

function placesOf(backend: BackendName): Place[] {
  try {
    setBackend(backend);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    missing.set(backend, error.message);
    return [];
  }
  const engine = currentEngine();
  if (!engine) return [{ name: backend, backend, isa: null }];
  return engine.availableIsas.map((isa) => ({ name: `${backend} ${isa}`, backend, isa }));
}

/** The sanitizers, which watch native code alone, name the backends that are worth their time. */
const wanted = (process.env.GRADUS_TEST_BACKENDS ?? "interpreter,native,wasm").split(",");

export const places: readonly Place[] = (["interpreter", "native", "wasm"] as const)
  .filter((name) => wanted.includes(name))
  .flatMap(placesOf);

/** One place for each backend, on its best path. */
export const backends: readonly Place[] = places.filter(
  (place, i) => places.findIndex(({ backend }) => backend === place.backend) === i,
);

export function use({ backend, isa }: Place): void {
  setBackend(backend);
  if (isa) currentEngine()!.setIsa(isa);
}

setBackend("interpreter");

/** A test on every backend. */
export function everywhere(name: string, body: () => Promise<void>): void {
  for (const place of backends)
    test(`${name} (${place.backend})`, async () => {
      use(place);
      await body();
    });
}
