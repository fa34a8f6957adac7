/** Compiles the labs, file by file, to dist/labs. They import the package by its name, so they share its modules with whoever runs them. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { projectRoot } from "./lib/process.js";

export async function buildLabs(): Promise<undefined> {
  rmSync(join(projectRoot, "dist/labs"), { recursive: true, force: true });
  const files = readdirSync(join(projectRoot, "labs"), { recursive: true, encoding: "utf8" });
  await build({
    absWorkingDir: projectRoot,
    entryPoints: files.filter((file) => file.endsWith(".ts")).map((file) => join("labs", file)),
    outdir: "dist/labs",
    outbase: "labs",
    bundle: false,
    format: "esm",
    platform: "node",
    target: "es2022",
    logLevel: "warning",
  });
}
