/** `gradus info`: which backend is in use and why, and what else the machine has. */
import type { Command } from "commander";
import { backendDescription, setBackend } from "../../backend/select.js";
import { backendNames } from "../backend.js";
import type { Context } from "../program.js";

const label = (text: string): string => text.padEnd(14);

/** Adds the command to the program. */
export function addInfo(program: Command, context: Context): void {
  program
    .command("info")
    .alias("backends")
    .summary("show which backend is in use, and why")
    .description("Show the backend in use and why, the other backends, and optional packages.")
    .addHelpText(
      "after",
      `
Examples:
  $ gradus info
  $ GRADUS_BACKEND=wasm gradus info         as programs see it with this setting`,
    )
    .action(() => showInfo(context));
}

function showInfo({ io, version }: Context): void {
  const { out } = io;
  const { style } = out;
  const { platform, arch, versions } = process;
  out.line(`${style.bold(`Gradus ${version}`)}, Node ${versions.node}, ${platform} ${arch}`);
  out.line();
  // Asked first: looking at the others changes what is in use.
  out.line(`${style.dim(label("In use"))}${backendDescription()}`);
  for (const name of backendNames) out.line(`${style.dim(label(name))}${describe(name)}`);
  out.line();
  out.line(`${style.dim(label("Pictures"))}${describeSharp()}`);
}

function describe(name: (typeof backendNames)[number]): string {
  try {
    setBackend(name);
    return backendDescription();
  } catch (error) {
    return `not available: ${(error as Error).message.replace(/^\w+: /, "")}`;
  }
}

function describeSharp(): string {
  try {
    import.meta.resolve("sharp");
    return "PNG, JPEG, WebP, GIF, TIFF, AVIF are read with sharp";
  } catch {
    return "cannot be read: npm install sharp";
  }
}
