/**
 * What a lab is: a function from options to a finding, computed from what it measured and told in a sentence. index.ts lists
 * them all; read 02-neighbours-linear/nearestNeighbours.ts for one.
 */
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { type BackendName, backendDescription, manualSeed, setBackend } from "gradus";

export interface LabOptions {
  /** Folder or file with the data that the lab names; default the digits that come with the package. */
  readonly data?: string;
  /** A small part of the data and little training, for tests: the finding then means little. */
  readonly short?: boolean;
  /** Where pictures go; none are drawn without it. */
  readonly out?: string;
  /** Told what is going on. */
  readonly log?: (line: string) => void;
  /** Ends the lab: it throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface Finding {
  /** A sentence or two with the numbers. */
  readonly sentence: string;
  /** The numbers that the sentence rests on. */
  readonly measures: Readonly<Record<string, number>>;
}

export type Lab = (options: LabOptions) => Promise<Finding>;

export const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

export const seconds = (since: number): string =>
  `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Runs a lab from the command line: `npx tsx --conditions=gradus-source FILE [DATA] [--short] [--out FOLDER]`. */
export async function main(lab: Lab): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      short: { type: "boolean", default: false },
      out: { type: "string" },
      backend: { type: "string" },
    },
  });
  const [data] = positionals;
  if (values.backend) setBackend(values.backend as BackendName);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new Error("stopped")));
  manualSeed(1);
  const started = performance.now();
  const log = (line: string) => console.log(line);
  log(`Backend ${backendDescription()}`);
  const { out = join("runs", "labs", basename(process.argv[1]!, ".ts")), short } = values;
  const { sentence } = await lab({ short, out, log, signal: stop.signal, ...(data && { data }) });
  log(`${sentence} (${seconds(started)}; pictures in ${out})`);
}
