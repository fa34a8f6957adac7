#!/usr/bin/env node
/** The program `gradus`. Read program.ts for its commands. */
import { basename, relative, sep } from "node:path";
import { runCommandLine } from "./program.js";
import { shellWord } from "./terminal/format.js";
import { processIo } from "./terminal/screen.js";

/** How to call this program again from here. */
function programName(): string {
  const script = process.argv[1] ?? "";
  if (basename(script) === "gradus")
    return script.includes(`${sep}node_modules${sep}`) ? "npx gradus" : "gradus";
  const path = relative(process.cwd(), script);
  return `node ${shellWord(path)}`;
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  io: processIo(),
  program: programName(),
});
