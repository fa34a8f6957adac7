/** What makes two sweeps the same, kept beside the study, so that a study is not gone on with under other settings. */
import * as fs from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readFileLimited, writeFileAtomic } from "../../io/files.js";
import { Field } from "../../train/fields.js";
import { StudyError } from "../errors.js";
import type { ResolvedSweep } from "./sweepFile.js";
import { sweepFiles } from "./sweepFolder.js";

const maxBytes = 2 ** 24;
const format = "gradus-sweep";

/** All that changes what a trial comes to; numbers of trials, workers and threads may change. */
const identityOf = ({ metric, direction, take, space, run, stages }: ResolvedSweep) => ({
  ...{ metric, direction, take, space: space.toJSON(), run: run.text },
  stages: stages.map(({ trials: _, ...stage }) => stage),
});

const others: Readonly<Record<string, string>> = {
  metric: "another metric",
  direction: "another direction",
  take: "another take",
  space: "another space",
  run: "another configuration",
  stages: "other settings (set, sampler, pruner or stages)",
};

/**
 * Keeps what a sweep is, or compares it with what was kept.
 *
 * @throws StudyError naming the part that differs.
 */
export function checkIdentity(folder: string, sweep: ResolvedSweep): void {
  const path = join(folder, sweepFiles.sweep);
  // As it comes back from a file.
  const wanted = JSON.parse(JSON.stringify(identityOf(sweep))) as Record<string, unknown>;
  if (!fs.existsSync(path)) {
    const text = JSON.stringify({ format, version: 1, name: sweep.name, ...wanted }, null, 2);
    writeFileAtomic(path, new TextEncoder().encode(`${text}\n`));
    return;
  }
  const text = new TextDecoder().decode(readFileLimited(path, { maxBytes }));
  const field = Field.parse(text, path);
  field.get("format").oneOf([format]);
  field.get("version").whole(1, 1);
  const found = JSON.parse(text) as Record<string, unknown>;
  for (const [part, value] of Object.entries(wanted))
    if (!isDeepStrictEqual(value, found[part]))
      throw new StudyError(
        "sweep",
        `${folder} holds a sweep that began with ${others[part]}; give this one another name`,
      );
}
