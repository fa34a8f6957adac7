/** The modules of src/ops by file name. tab/opFiles.ts is the same in a browser, where there are no folders. */
import { readdirSync } from "node:fs";

const folder = new URL("../../src/ops/", import.meta.url);

async function importAll(): Promise<Record<string, object>> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && name !== "index.ts");
  const modules = await Promise.all(
    files.sort().map(async (name): Promise<[string, object]> => {
      return [name, await import(new URL(name, folder).href)];
    }),
  );
  return Object.fromEntries(modules);
}

export const opFiles: Readonly<Record<string, object>> = await importAll();
