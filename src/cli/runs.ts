/** Finds the run that is meant by a name, the beginning of one, or a path. */
import * as fs from "node:fs";
import { join } from "node:path";
import { isRunFolder, listRuns, runFiles } from "../train/node/index.js";
import { UsageError } from "./errors.js";
import { suggestion } from "./terminal/format.js";

const listed = 5;

/** The names of the runs in a folder, the newest of those with a date in their name first. */
function runNames(runs: string): string[] {
  try {
    return fs
      .readdirSync(runs)
      .filter((name) => isRunFolder(join(runs, name)))
      .sort()
      .reverse();
  } catch {
    return [];
  }
}

export interface FindRunOptions {
  /** Also finds a file. */
  readonly orFile?: boolean;
  /** Refuses the beginning of a name: where something is deleted. */
  readonly whole?: boolean;
}

/**
 * The path of a run given as a path, as a name in the folder of runs, or as the beginning of one name only.
 *
 * @throws UsageError that lists what there is.
 */
export function findRun(
  wanted: string,
  runs: string,
  { orFile = false, whole = false }: FindRunOptions = {},
): string {
  const isFile = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  if (isRunFolder(wanted) || (orFile && isFile(wanted))) return wanted;
  const inside = join(runs, wanted);
  if (isRunFolder(inside)) return inside;
  const names = runNames(runs);
  if (fs.existsSync(wanted))
    throw new UsageError(`${wanted} is not a run: it holds no ${runFiles.config}`);
  const begun = wanted === "" || whole ? [] : names.filter((name) => name.startsWith(wanted));
  if (begun.length === 1) return join(runs, begun[0]!);
  if (begun.length > 1)
    throw new UsageError(`"${wanted}" begins several runs: ${enumerate(begun)}`);
  const known =
    names.length === 0
      ? `there are no runs in ${runs}`
      : `in ${runs} there ${names.length === 1 ? "is" : "are"} ${enumerate(names)}`;
  throw new UsageError(`no run "${wanted}"${suggestion(wanted, names) || `; ${known}`}`);
}

const enumerate = (names: readonly string[]): string =>
  names.slice(0, listed).join(", ") +
  (names.length > listed ? ` and ${names.length - listed} more` : "");

/**
 * The path of the run that began last.
 *
 * @throws UsageError where there is none.
 */
export function newestRun(runs: string): string {
  const newest = listRuns(runs)[0];
  if (!newest) throw new UsageError(`there are no runs in ${runs}`);
  return newest.path;
}
