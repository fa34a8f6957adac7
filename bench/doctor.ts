/**
 * How often the doctor finds planted faults in the logs of runs, and how often it raises a false alarm over healthy ones.
 *
 *     npx tsx --conditions=gradus-source bench/doctor.ts --fashion FOLDER [--seeds 3] [--only rate] [--faults]
 *
 * FOLDER holds Fashion-MNIST in its four files; without it the digits alone are taken. Each case of test/support/doctorCases.ts is
 * trained for each seed, network and data set, watched every 8, 16 or 32 steps in turn, and `diagnose` reads its events. Found is a
 * fault that is called by its name as a problem, a false alarm any problem in a healthy run. "By the curve" is the same without looks
 * into the network. `--faults` and `--healthy` take one half of the cases, `--first` is the first seed, `--write-docs` puts the tables into
 * docs/doctor.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { setNumThreads } from "../src/index.js";
import {
  type Diagnosis,
  DivergedError,
  diagnose,
  type Experiment,
  fit,
  type TrainEvent,
} from "../src/train/index.js";
import { type DoctorCase, faultCases, healthyCases } from "../test/support/doctorCases.js";
import type { Kind } from "../test/support/doctorNets.js";
import { type Pictures, pictures } from "../test/support/planted.js";
import { markdownTable, replaceMarked, textTable } from "./report.js";

const { values: options } = parseArgs({
  options: {
    fashion: { type: "string" },
    seeds: { type: "string", default: "3" },
    first: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    faults: { type: "boolean", default: false },
    healthy: { type: "boolean", default: false },
    "write-docs": { type: "boolean", default: false },
  },
});

// Networks so small are no faster with more.
setNumThreads(1);

const intervals = [8, 16, 32];
const isBoth = options.faults === options.healthy;

async function eventsOf({ model, options: given }: Experiment, everySteps: number) {
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => void events.push(event);
  try {
    await fit(model, { ...given, monitor: { everySteps }, onEvent });
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
  }
  return events;
}

/** A fault called by its name; of a healthy run: left in peace. */
const isRight = ({ expected }: DoctorCase, found: readonly Diagnosis[]): boolean => {
  const problems = found.filter(({ severity }) => severity === "problem");
  return expected.length === 0
    ? problems.length === 0
    : problems.some(({ symptom }) => expected.includes(symptom));
};

const worlds: (readonly [name: string, kind: Kind, shown: Pictures])[] = [];
for (const [name, folder] of [
  ["digits", undefined],
  ["Fashion", options.fashion],
] as const) {
  if (name === "Fashion" && folder === undefined) continue;
  const shown = await pictures(8000, folder);
  worlds.push([`MLP, ${name}`, "mlp", shown], [`CNN, ${name}`, "cnn", shown]);
}

async function rowOf(one: DoctorCase): Promise<string[]> {
  const counts = worlds.map(() => 0);
  let [blind, remarks, runs] = [0, 0, 0];
  for (const [w, [name, kind, shown]] of worlds.entries())
    for (let i = 0; i < Number(options.seeds); i++) {
      const seed = Number(options.first) + i;
      const experiment = one.make({ kind, pictures: shown, seed });
      const events = await eventsOf(experiment, intervals[seed % intervals.length]!);
      const { classes } = experiment;
      const facts = classes === undefined ? {} : { classes };
      const found = diagnose(events, facts);
      const isFound = isRight(one, found);
      counts[w]! += Number(isFound);
      const curve = events.filter(({ type }) => type !== "health");
      blind += Number(isRight(one, diagnose(curve, facts)));
      remarks += Number(found.some(({ severity }) => severity === "warning"));
      runs++;
      if (!isFound) {
        const said = found.map((d) => `${d.severity} ${d.symptom}: ${d.evidence}`);
        console.error(`${one.name}, ${name}, seed ${seed}: ${said.join(" | ") || "nothing found"}`);
      }
    }
  console.error(
    `${one.name}: ${counts.join(" ")} of ${runs / worlds.length}, curve ${blind}, remarks ${remarks}`,
  );
  const each = runs / worlds.length;
  const isFault = one.expected.length > 0;
  const cells = counts.map((count) => `${isFault ? count : each - count} of ${each}`);
  return [one.name, ...cells, ...(isFault ? [`${blind} of ${runs}`] : [`${remarks} of ${runs}`])];
}

async function table(cases: readonly DoctorCase[], first: string, last: string) {
  const rows = [[first, ...worlds.map(([name]) => name), last]];
  for (const one of cases) if (one.name.includes(options.only)) rows.push(await rowOf(one));
  console.log(`${textTable(rows)}\n`);
  return rows;
}

const document = new URL("../docs/doctor.md", import.meta.url);
const write = (name: string, rows: string[][]) => {
  if (!options["write-docs"]) return;
  const text = readFileSync(document, "utf8");
  writeFileSync(document, replaceMarked(text, name, markdownTable(rows)));
};
if (isBoth || options.faults)
  write("faults", await table(faultCases, "planted fault: found in", "by the curve"));
if (isBoth || options.healthy)
  write("healthy", await table(healthyCases, "healthy run: false alarms in", "remarks"));
