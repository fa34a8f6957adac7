/**
 * What the samplers of gradus/tune reach on standard functions, beside Optuna's, whose numbers are a fixture.
 *
 *     npx tsx --conditions=gradus-source bench/search.ts [--only branin,mixed] [--seeds 24] [--write-docs]
 *
 * For each function and sampler: the median and the quartiles over the seeds of the best value after 30 and after 100 trials. `wins`
 * is the share of pairs (one search of ours, one of Optuna's) in which ours ends lower; equal samplers have about one half.
 * `--write-docs` puts the table into docs/search.md. scripts/fixtures/makeSearch.py makes Optuna's side.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { CoarseToFineSampler, QuasiRandomSampler, RandomSampler, TPESampler } from "gradus/tune";
import { quantile } from "../src/tune/quantile.js";
import { bestAfter, readSearchFixture, searchFunctions } from "../test/support/searchFunctions.js";
import { markdownTable, replaceMarked, textTable } from "./report.js";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(searchFunctions).join() },
    seeds: { type: "string", default: "24" },
    "write-docs": { type: "boolean", default: false },
  },
});

/** Ours by the names that the fixture has for Optuna's. */
const samplers = {
  random: (seed: number) => new RandomSampler({ seed }),
  tpe: (seed: number) => new TPESampler({ seed, multivariate: false }),
  tpeMultivariate: (seed: number) => new TPESampler({ seed }),
  quasiRandom: (seed: number) => new QuasiRandomSampler({ seed }),
  coarseToFine: (seed: number) => new CoarseToFineSampler({ seed }),
};

const titles: Readonly<Record<string, string>> = {
  tpe: "TPE, one by one",
  tpeMultivariate: "TPE (default)",
  quasiRandom: "quasi-random",
  coarseToFine: "coarse to fine",
};

/** Median and quartiles. */
function told(values: readonly number[]): string {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) =>
    Number(quantile(values, share).toPrecision(3)),
  );
  return `${middle} (${low} … ${high})`;
}

/** The share of pairs in which ours is lower, equal ones for one half. */
function wins(ours: readonly number[], theirs: readonly number[]): string {
  const points = ours.flatMap((a) => theirs.map((b) => (a < b ? 1 : a === b ? 0.5 : 0)));
  const share = points.reduce<number>((sum, point) => sum + point, 0) / points.length;
  return `${Math.round(100 * share)}%`;
}

const fixture = readSearchFixture();
const rows = [
  [
    ...["function", "sampler"],
    ...fixture.checkpoints.flatMap((n) => [`Gradus, ${n} trials`, `Optuna, ${n} trials`, "wins"]),
  ],
];
for (const name of options.only.split(",")) {
  const searched = searchFunctions[name];
  if (!searched)
    throw new Error(`no function ${name}; there are ${Object.keys(searchFunctions).join(", ")}`);
  for (const [sampler, make] of Object.entries(samplers)) {
    const runs: number[][] = [];
    for (let seed = 0; seed < Number(options.seeds); seed++)
      runs.push(await bestAfter(searched, make(seed), fixture.checkpoints));
    const cells = fixture.checkpoints.flatMap((_, i) => {
      const ours = runs.map((run) => run[i]!);
      const theirs = fixture.best[name]?.[sampler]?.[i];
      return [told(ours), ...(theirs ? [told(theirs), wins(ours, theirs)] : ["", ""])];
    });
    rows.push([name, titles[sampler] ?? sampler, ...cells]);
  }
  process.stderr.write(`${name} done\n`);
}
console.log(textTable(rows));
if (options["write-docs"]) {
  const file = new URL("../docs/search.md", import.meta.url);
  writeFileSync(file, replaceMarked(readFileSync(file, "utf8"), "comparison", markdownTable(rows)));
}
