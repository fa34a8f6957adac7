/** `gradus embed`: what a trained network makes of examples before its last layer, as NumPy's arrays. */
import * as fs from "node:fs";
import { dirname, extname, resolve } from "node:path";
import type { Command } from "commander";
import type { BackendName } from "../../backend/contract.js";
import { saveNpy, saveNpz } from "../../io/index.js";
import { type EmbeddedRun, embedParts, embedRun } from "../../train/node/index.js";
import { backendNames, useBackend } from "../backend.js";
import { UsageError } from "../errors.js";
import { interruptible } from "../interrupts.js";
import { oneOf } from "../options.js";
import type { Context } from "../program.js";
import { findRun } from "../runs.js";
import { count } from "../terminal/format.js";

interface EmbedCommandOptions {
  readonly data?: string;
  readonly part?: (typeof embedParts)[number];
  readonly module?: string;
  readonly pool: "flatten" | "mean";
  readonly out: string;
  readonly runs: string;
  readonly backend?: BackendName;
}

const examples = `
Examples:
  $ gradus embed lenet-2026-11-23-001                         the run's test part, before the last layer
  $ gradus embed RUN --part train --out train.npz             embeddings and labels in one file
  $ gradus embed RUN --data fashion-mnist                     other pictures, of the same size
  $ gradus embed RUN --module conv2 --pool mean               what the module conv2 gives, averaged over places

A file that ends in .npy gets a second one with the labels beside it, NAME-labels.npy; in an .npz
archive they are called embeddings and labels.`;

/** Adds the command to the program. */
export function addEmbed(program: Command, context: Context): void {
  program
    .command("embed")
    .summary("write the embeddings of examples, as NPY or NPZ")
    .description(
      "Run examples through a trained network up to its last layer and write what goes into it.",
    )
    .argument("<run>", "the run that trained it, by name or path; with --data also a model file")
    .option("--data <path or name>", "other pictures than the run's: a folder, file or data set")
    .option("--part <name>", embedParts.join(", "), oneOf(embedParts))
    .option(
      "--module <name>",
      "the module whose output is wanted, in place of the last layer's input",
    )
    .option(
      "--pool <how>",
      "flatten feature maps, or take their mean",
      oneOf(["flatten", "mean"]),
      "flatten",
    )
    .option("--out <file>", "where to write, .npy or .npz", "embeddings.npy")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option("--backend <name>", backendNames.join(", "), oneOf(backendNames))
    .addHelpText("after", examples)
    .action((run: string, options: EmbedCommandOptions) => embed(run, options, context));
}

/** Refuses before the work what could not be written after it. */
function checkOut(out: string): void {
  if (![".npy", ".npz"].includes(extname(out)))
    throw new UsageError(`--out is ${out}; expected a name that ends in .npy or .npz`);
  const folder = dirname(resolve(out));
  if (!fs.existsSync(folder)) throw new UsageError(`there is no folder ${folder}`);
}

async function embed(run: string, options: EmbedCommandOptions, context: Context): Promise<void> {
  const { data, part, module, pool, out: file, runs } = options;
  const { out } = context.io;
  checkOut(file);
  const path = findRun(run, runs, { orFile: data !== undefined });
  useBackend(options);
  await interruptible(context, "Stopped; nothing was written", async (signal) => {
    const result = await embedRun(path, {
      pool,
      signal,
      onProgress: (done) => out.status(`${count(done)} examples`),
      ...(data !== undefined && { data }),
      ...(part && { part }),
      ...(module !== undefined && { module }),
    });
    out.clearStatus();
    const written = await write(file, result);
    const [rows, width] = result.embeddings.shape as [number, number];
    out.line(`${count(rows)} × ${count(width)} embeddings of ${result.title}`);
    for (const name of written) out.line(`${out.style.dim("written")} ${name}`);
  });
}

async function write(file: string, { embeddings, labels }: EmbeddedRun): Promise<string[]> {
  if (extname(file) === ".npz") {
    await saveNpz(file, [
      ["embeddings", embeddings],
      ...(labels ? [["labels", labels] as const] : []),
    ]);
    return [file];
  }
  saveNpy(file, embeddings);
  if (!labels) return [file];
  const beside = `${file.slice(0, -".npy".length)}-labels.npy`;
  saveNpy(beside, labels);
  return [file, beside];
}
