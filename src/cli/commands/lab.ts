/** `gradus lab`: lists the labs of the course, and runs one. Read ../labs.ts for where they are. */
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { BackendName } from "../../backend/contract.js";
import { dataFolder } from "../../data/node/cache.js";
import { manualSeed } from "../../tensor/random.js";
import { backendNames, useBackend } from "../backend.js";
import { UsageError } from "../errors.js";
import { interruptible } from "../interrupts.js";
import { type LabEntry, loadLabs } from "../labs.js";
import { oneOf, whole } from "../options.js";
import type { Context } from "../program.js";
import { suggestion } from "../terminal/format.js";

interface LabCommandOptions {
  readonly data?: string;
  readonly short?: boolean;
  readonly out?: string;
  readonly backend?: BackendName;
  readonly seed: number;
}

const examples = `
Examples:
  $ gradus lab                              what there is
  $ gradus lab optimizers                   ten optimizers on a valley and on a network
  $ gradus lab regularisation --data fashion-mnist
      on a folder with MNIST's four files instead of the digits
  $ gradus lab batch-norm --short           a few steps only, to see that it runs

A lab prints what it found, computed from what it measured, and leaves its pictures in runs/labs/NAME.`;

const groups: Readonly<Record<string, string>> = {
  "02": "Lecture 2: neighbours and linear classifiers",
  "03": "Lecture 3: losses and optimisation",
  "04": "Lecture 4: networks and backpropagation",
  "05": "Lecture 5: convolutions",
  "06": "Lecture 6: activations, initialisation, normalisation",
  "07": "Lecture 7: optimizers and schedules",
  "08": "Lecture 8: regularisation and practice",
  experiments: "Experiments on whole data sets",
};

/** What is no lab but a page of commands. */
const walk =
  "From a first guess to a trained network, a command a step: labs/08-practice/README.md";

/** Adds the command to the program. */
export function addLab(program: Command, context: Context): void {
  program
    .command("lab")
    .summary("list and run the labs of the course")
    .description("List the labs of the course, or run one: each a topic in under two minutes.")
    .argument("[name]", "which lab; without one they are listed")
    .option("--data <path>", "folder or archive of the pictures (default: digits)")
    .option("--short", "a small part of the data and little training")
    .option("--out <folder>", "where pictures go (default: runs/labs/NAME)")
    .option("--seed <n>", "decides what is random outside of a lab's own seeds", whole(0), 1)
    .option("--backend <name>", backendNames.join(", "), oneOf(backendNames))
    .addHelpText("after", examples)
    .action((name: string | undefined, options: LabCommandOptions) =>
      name === undefined ? list(context) : run(name, options, context),
    );
}

async function list({ io, program }: Context): Promise<void> {
  const { out } = io;
  const labs = await loadLabs();
  for (const [group, title] of Object.entries(groups)) {
    out.line(out.style.bold(title));
    for (const lab of labs.filter((entry) => entry.group === group)) {
      const data = lab.data ? out.style.dim(` (${lab.data})`) : "";
      out.line(`  ${lab.name.padEnd(20)} ${lab.title}${data}`);
    }
    if (group === "08") out.line(out.style.dim(`  ${walk}`));
    out.line();
  }
  out.line(`Run one: ${program} lab ${labs[0]!.name}`);
}

async function findLab(name: string): Promise<LabEntry> {
  const labs = await loadLabs();
  const names = labs.map((lab) => lab.name);
  const found = labs.find((lab) => lab.name === name);
  if (found) return found;
  throw new UsageError(`no lab "${name}"${suggestion(name, names)}; "gradus lab" lists them`);
}

/** The path given, or where `gradus data get` puts the lab's data set; the lab takes the digits, or says what it needs, without one. */
function dataOf({ data }: LabEntry, given: string | undefined): string | undefined {
  if (given !== undefined) {
    if (!fs.existsSync(given)) throw new UsageError(`--data ${given}: no such file or folder`);
    return resolve(given);
  }
  const fetched = data && join(dataFolder(), data);
  return fetched && fs.existsSync(fetched) ? fetched : undefined;
}

async function run(name: string, options: LabCommandOptions, context: Context): Promise<void> {
  const { io } = context;
  const entry = await findLab(name);
  const data = dataOf(entry, options.data);
  const { short = false, out = join("runs", "labs", name) } = options;
  const log = (line: string) => io.out.line(io.out.style.dim(line));
  log(`${entry.title}; ${useBackend(options)}`);
  if (data === undefined && entry.data === "fashion-mnist")
    log("On the digits of the package; --data takes a folder with Fashion-MNIST's files.");
  manualSeed(options.seed);
  const started = performance.now();
  await interruptible(context, "Stopping after this step …", async (signal) => {
    const lab = await entry.load();
    const { sentence } = await lab({ short, out, log, signal, ...(data && { data }) });
    io.out.line(sentence);
    log(`${((performance.now() - started) / 1000).toFixed(1)} s; pictures in ${out}`);
  });
}
