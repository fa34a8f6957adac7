/**
 * The table of ops in a browser tab: every sample on WASM, eager and compiled, forward and gradient, in float32, compared
 * with the interpreter in the same tab. `runTable()` gives the report; ../../browserTable.test.ts calls it.
 */
import { backendDescription, setBackend } from "../../../src/index.js";
import { differRun } from "../differRun.js";
import { runEager, waysOf } from "../runCase.js";
import { allCases, allOps, type Case, fingerprint } from "../samples.js";
import { sha256 } from "../sha256.js";

export interface TableReport {
  readonly backend: string;
  readonly ops: number;
  readonly samples: number;
  /** Of all samples and their numbers: the same as in Node, or the tab ran something else. */
  readonly fingerprint: string;
  /** Runs compared, by way. */
  readonly runs: Readonly<Record<string, number>>;
  /** Gradients compared that are there. */
  readonly gradients: number;
  readonly failures: readonly string[];
}

interface Tally {
  readonly runs: Record<string, number>;
  gradients: number;
  readonly failures: string[];
}

async function checkCase(one: Case, tally: Tally): Promise<void> {
  setBackend("interpreter");
  const oracle = runEager(one, "float32");
  setBackend("wasm");
  for (const [way, run] of Object.entries(waysOf(one, "float32"))) {
    tally.runs[way] = (tally.runs[way] ?? 0) + 1;
    const got = await run();
    const difference = differRun(got, oracle);
    if (difference) tally.failures.push(`${one.name} ${way}: ${difference}`);
    tally.gradients += got.gradients.filter((x) => x !== null).length;
  }
}

async function checkAll(): Promise<TableReport> {
  const tally: Tally = { runs: {}, gradients: 0, failures: [] };
  for (const one of allCases) {
    try {
      await checkCase(one, tally);
    } catch (error) {
      tally.failures.push(`${one.name}: ${(error as Error).stack}`);
    }
  }
  setBackend("wasm");
  return {
    backend: backendDescription(),
    ops: allOps.length,
    samples: allCases.length,
    fingerprint: sha256(allCases.map(fingerprint).join()),
    ...tally,
  };
}

declare global {
  var runTable: () => Promise<TableReport>;
}

globalThis.runTable = checkAll;
