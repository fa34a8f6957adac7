/** Fingerprints of source files: a build step whose sources have not changed is not run again. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./process.js";

function listFiles(path: string): string[] {
  const full = join(projectRoot, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full, { recursive: true, encoding: "utf8" })
    .map((name) => join(path, name))
    .filter((file) => !/[\\/]build[\\/]/.test(file))
    .filter((file) => statSync(join(projectRoot, file)).isFile())
    .sort();
}

/** A hash of `facts` and of the names and contents of all files in `paths` (files or folders). */
export function fingerprint(paths: readonly string[], facts: readonly string[] = []): string {
  const hash = createHash("sha256").update(JSON.stringify(facts));
  for (const file of paths.flatMap(listFiles)) {
    const bytes = readFileSync(join(projectRoot, file));
    hash.update(`\n${file} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}
