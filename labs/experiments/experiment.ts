/** What an experiment is: a function from a place with data to a finding, printed in a sentence. Read nearestNeighbours.ts for one. */
import { parseArgs } from "node:util";
import { backendDescription, manualSeed, setBackend } from "gradus";

export interface ExperimentOptions {
  /** Folder or file with the data that the experiment names. */
  readonly data: string;
  /** A small part of the data and little training, for tests: the finding then means little. */
  readonly short?: boolean;
  /** Where pictures go; none are drawn without it. */
  readonly out?: string;
  /** Told what is going on. */
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Finding {
  /** One sentence with the numbers. */
  readonly sentence: string;
  /** Test accuracy, 0 to 1. */
  readonly accuracy: number;
}

export type Experiment = (options: ExperimentOptions) => Promise<Finding>;

export const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

/** Runs an experiment from the command line: `npx tsx --conditions=gradus-source FILE DATA [--short] [--out FOLDER]`. */
export async function main(experiment: Experiment): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      short: { type: "boolean", default: false },
      out: { type: "string" },
      backend: { type: "string" },
    },
  });
  const [data] = positionals;
  if (!data) throw new Error("say where the data are");
  if (values.backend) setBackend(values.backend as "native" | "wasm");
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new Error("stopped")));
  manualSeed(1);
  const started = performance.now();
  const log = (line: string) => console.log(line);
  log(`Backend ${backendDescription()}`);
  const { out } = values;
  const options = { data, short: values.short, log, signal: stop.signal, ...(out && { out }) };
  const { sentence } = await experiment(options);
  log(`${sentence} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
