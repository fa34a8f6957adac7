/** `gradus data`: what data sets there are, getting and checking them. Read dataShow.ts for pictures. */
import * as fs from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { GradusError } from "../../core/errors.js";
import { dataFolder, getData, isHere, verifyData } from "../../data/node/cache.js";
import { DownloadError } from "../../data/node/download.js";
import { findRemote, type RemoteDataset, remoteDatasets } from "../../data/node/registry.js";
import { briefly, exitCodes, UsageError } from "../errors.js";
import { interruptible } from "../interrupts.js";
import type { Context } from "../program.js";
import { suggestion } from "../terminal/format.js";
import { bar } from "../terminal/style.js";
import { addDataShow } from "./dataShow.js";

const examples = `
Examples:
  $ gradus data list                        what can be fetched, and what is here
  $ gradus data get fashion-mnist           fetch it; goes on where it was stopped
  $ gradus data verify fashion-mnist        compare every byte with the official sums
  $ gradus data show cifar10                pictures of every class, and how many there are

The folder is GRADUS_DATA, or gradus/data in your folder for caches; processes share it.`;

interface FolderOption {
  readonly root?: string;
}

/** Adds the command to the program. */
export function addData(program: Command, context: Context): void {
  const data = program
    .command("data")
    .summary("fetch, check and look at data sets")
    .description("Fetch data sets from their official addresses, check and look at them.")
    .addHelpText("after", examples);
  const rootOption = ["--root <folder>", "the folder of data sets"] as const;
  data
    .command("list")
    .description("List the data sets that can be fetched, and which are here.")
    .option(...rootOption)
    .action((options: FolderOption) => list(options, context));
  data
    .command("get")
    .description("Fetch a data set, or what is missing of it.")
    .argument("<name>", "which; see gradus data list")
    .option(...rootOption)
    .action((name: string, options: FolderOption) => get(name, options, context));
  data
    .command("verify")
    .description("Compare the files of a data set with their official sizes and sums.")
    .argument("[name]", "which; default all that are here")
    .option(...rootOption)
    .action((name: string | undefined, options: FolderOption) => verify(name, options, context));
  addDataShow(data, context);
  for (const command of data.commands) command.copyInheritedSettings(program);
}

const megabytes = (bytes: number): string =>
  `${(bytes / 1e6).toLocaleString("en-US", { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;

function stateOf(dataset: RemoteDataset, root: string): "here" | "in part" | "" {
  if (isHere(dataset, root)) return "here";
  const folder = join(root, dataset.name);
  return fs.existsSync(folder) && fs.readdirSync(folder).length > 0 ? "in part" : "";
}

function list({ root = dataFolder() }: FolderOption, { io }: Context): void {
  const { out } = io;
  out.line(`${out.style.dim("Folder")}  ${root}`);
  out.line();
  for (const dataset of remoteDatasets) {
    const state = stateOf(dataset, root).padEnd(8);
    const bytes = dataset.files.reduce((sum, { size = 0 }) => sum + size, 0);
    const byHand = dataset.byHand ? `; ${dataset.byHand}` : "";
    const name = out.style.bold(dataset.name.padEnd(14));
    const more = out.style.dim(`${megabytes(bytes)}${byHand}`);
    out.line(`${name}${out.style.good(state)} ${dataset.title}  ${more}`);
  }
}

function findDataset(name: string): RemoteDataset {
  const dataset = findRemote(name);
  if (dataset) return dataset;
  const names = remoteDatasets.map((known) => known.name);
  const hint = suggestion(name, names) || `; there are ${names.join(", ")}`;
  throw new UsageError(`no data set "${name}"${hint}`);
}

async function get(name: string, { root }: FolderOption, context: Context): Promise<void> {
  const { out, err } = context.io;
  const dataset = findDataset(name);
  let file = "";
  const fetching = (signal: AbortSignal) =>
    getData(dataset, {
      ...(root && { root }),
      signal,
      onFile(next) {
        file = next;
        out.line(`${out.style.dim("fetching")} ${next}`);
      },
      onUnpack(next) {
        file = next;
        out.line(`${out.style.dim("unpacking")} ${next}`);
      },
      onUnpacked: (files) => out.status(`${file}  ${files.toLocaleString("en-US")} files`),
      onRetry(reason, milliseconds) {
        out.clearStatus();
        const when = milliseconds > 0 ? `; trying again in ${milliseconds / 1000} s` : "";
        err.line(`${file}: ${reason}${when}`);
      },
      onWait: () => err.line("Another process is fetching it: waiting …"),
      onProgress(done, total) {
        const share = total ? `${bar(done / total, 24, out.style)} of ${megabytes(total)}` : "";
        out.status(`${file}  ${megabytes(done)} ${share}`);
      },
    }).catch((error: unknown) => {
      throw error instanceof DownloadError ? withHint(error, dataset, root) : error;
    });
  const stopping = "Stopping … run again to go on (once more to leave at once)";
  await interruptible(context, stopping, async (signal) => {
    const folder = await fetching(signal);
    out.line(`${out.style.good("here")} ${folder}  ${out.style.dim(dataset.licence)}`);
  });
}

/** What helps where the network is what is missing: files that came another way. */
const withHint = (error: DownloadError, { name }: RemoteDataset, root = dataFolder()): Error =>
  new GradusError("", `${briefly(error)}, or put the files into ${join(root, name)} yourself`);

async function verify(
  name: string | undefined,
  { root = dataFolder() }: FolderOption,
  context: Context,
): Promise<void> {
  const { out } = context.io;
  const wanted =
    name === undefined
      ? remoteDatasets.filter((dataset) => stateOf(dataset, root) !== "")
      : [findDataset(name)];
  if (wanted.length === 0) out.line(`no data sets in ${root}`);
  for (const dataset of wanted)
    for (const { name: file, problem } of await verifyData(dataset, { root })) {
      const path = join(dataset.name, file);
      if (problem) context.setExitCode(exitCodes.failure);
      out.line(
        problem
          ? `${out.style.bad("bad")}  ${path} ${problem}`
          : `${out.style.good("good")} ${path}`,
      );
    }
}
