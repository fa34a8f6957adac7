/** Finds the labs, which lie beside the library: labs/ in its sources, dist/labs in the package. Read commands/lab.ts next. */
import * as fs from "node:fs";
import { UsageError } from "./errors.js";

export interface LabOptions {
  readonly data?: string;
  readonly short?: boolean;
  readonly out?: string;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export type Lab = (options: LabOptions) => Promise<{ readonly sentence: string }>;

/** What the command line knows of a lab. */
export interface LabEntry {
  readonly name: string;
  readonly group: string;
  readonly title: string;
  readonly data?: string;
  readonly load: () => Promise<Lab>;
}

/**
 * Loads the list of labs.
 *
 * @throws UsageError where they are not built.
 */
export async function loadLabs(): Promise<readonly LabEntry[]> {
  // From src/cli the project's root is two folders up; from dist/cli and dist/chunks dist is one up.
  const path = import.meta.url.endsWith(".ts") ? "../../labs/index.ts" : "../labs/index.js";
  const url = new URL(path, import.meta.url);
  if (!fs.existsSync(url)) throw new UsageError("the labs are not built; run npm run build");
  return ((await import(url.href)) as { readonly labs: readonly LabEntry[] }).labs;
}
