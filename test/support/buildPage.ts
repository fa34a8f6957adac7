/** Pages of tests, built by Vite as a user's would be. Read chromium.ts for the browser that opens them. */
import { join } from "node:path";
import { build, type InlineConfig } from "vite";
import { projectRoot } from "../../scripts/lib/process.js";

/** Builds the `index.html` in a folder of the project into another folder. */
export async function buildPage(
  from: string,
  into: string,
  options: Pick<InlineConfig, "base" | "resolve" | "worker"> = {},
): Promise<void> {
  await build({
    root: projectRoot,
    configFile: false,
    logLevel: "warn",
    ...options,
    build: {
      outDir: into,
      emptyOutDir: false,
      target: "es2022",
      minify: false,
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: { input: join(projectRoot, from, "index.html") },
    },
  });
}
