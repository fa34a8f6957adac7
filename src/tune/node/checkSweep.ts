/** Looks whether the configuration of a sweep takes the settings that its space can give, before any trial is begun. */
import type { RunDefinition } from "../../train/config/define.js";
import type { ResolvedConfig, Settings } from "../../train/index.js";
import { experimentFrom } from "../../train/node/index.js";
import { valueAt } from "../space/scale.js";
import type { Space } from "../space/space.js";
import { type ResolvedSweep, readRun } from "./sweepFile.js";

const mostSamples = 100;

/** Settings from all over a space: every choice's every value at least once, ranges from end to end. */
function samplesOf(space: Space): Settings[] {
  const choices = space.parameters.map(({ distribution }) =>
    distribution.kind === "choice" ? distribution.values.length : 3,
  );
  const count = Math.min(mostSamples, Math.max(...choices));
  return Array.from({ length: count }, (_, i) =>
    space.choose(({ distribution }) => {
      const isChoice = distribution.kind === "choice";
      return valueAt(distribution, isChoice ? (i + 0.5) / count : i / (count - 1));
    }),
  );
}

/**
 * Checks settings and space against the configuration.
 *
 * @returns the configuration with the sweep's own settings.
 * @throws ConfigError with the first settings that it does not take.
 */
export async function checkSweep(sweep: ResolvedSweep): Promise<ResolvedConfig> {
  const { run, space, stages } = sweep;
  const definition = (await readRun(run)) as RunDefinition;
  const resolve = (settings: Settings) => experimentFrom(definition, run.path, settings).config;
  for (const { set } of stages)
    for (const sample of samplesOf(space)) resolve({ ...set, ...sample });
  return resolve(stages.at(-1)!.set);
}
