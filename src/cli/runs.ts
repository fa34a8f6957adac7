/** Finds the run that is meant by a name or a path. */
import * as fs from "node:fs";
import { join } from "node:path";
import { runFiles } from "../train/node/index.js";
import { UsageError } from "./errors.js";
import { suggestion } from "./terminal/format.js";

const listed = 5;

const isRun = (path: string): boolean => fs.existsSync(join(path, runFiles.config));

/** The names of the runs in a folder, the newest first. */
function listRuns(runs: string): string[] {
  try {
    return fs
      .readdirSync(runs)
      .filter((name) => isRun(join(runs, name)))
      .sort()
      .reverse();
  } catch {
    return [];
  }
}

/**
 * The path of a run given as a path or as a name in the folder of runs; with `orFile` also of a file.
 *
 * @throws UsageError that lists what there is.
 */
export function findRun(
  wanted: string,
  runs: string,
  { orFile = false }: { readonly orFile?: boolean } = {},
): string {
  const isFile = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  if (isRun(wanted) || (orFile && isFile(wanted))) return wanted;
  const inside = join(runs, wanted);
  if (isRun(inside)) return inside;
  const names = listRuns(runs);
  if (fs.existsSync(wanted))
    throw new UsageError(`${wanted} is not a run: it holds no ${runFiles.config}`);
  const known =
    names.length === 0
      ? `there are no runs in ${runs}`
      : `in ${runs} there ${names.length === 1 ? "is" : "are"} ${names.slice(0, listed).join(", ")}` +
        (names.length > listed ? ` and ${names.length - listed} more` : "");
  throw new UsageError(`no run "${wanted}"${suggestion(wanted, names) || `; ${known}`}`);
}
