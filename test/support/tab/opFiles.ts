/** The modules of src/ops by file name, as the bundler finds them. Stands for ../opFiles.ts in a browser. */
/// <reference types="vite/client" />

const modules = import.meta.glob<object>(["/src/ops/*.ts", "!/src/ops/index.ts"], { eager: true });

export const opFiles: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries(modules).map(([path, module]) => [path.split("/").at(-1)!, module]),
);
