/**
 * `npm run release`: makes the tarballs to publish in npm/: the addon for this platform as a package of its own, and
 * Gradus with every such package in npm/ of the same version among its optional dependencies. Run it on each platform
 * with `--native`, gather the folders npm/native-*, then run it once without. Publishes nothing.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { build } from "./build.js";
import { addonFile, capture, isMain, projectRoot } from "./lib/process.js";

type Json = Record<string, unknown>;

interface Manifest extends Json {
  readonly name: string;
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

function writeManifest(folder: string, manifest: Json): void {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function npm(cwd: string, ...parameters: string[]): Promise<string> {
  const { code, output } = await capture("npm", parameters, { cwd });
  if (code !== 0) throw new Error(`npm ${parameters.join(" ")}: ${output}`);
  return output;
}

/** `npm pack` may print warnings before its JSON. */
const parsePacked = (output: string) =>
  (JSON.parse(output.slice(output.search(/^\[/m))) as [{ filename: string; files: Json[] }])[0];

async function pack(folder: string, destination: string): Promise<string> {
  const flags = ["--json", "--ignore-scripts", "--pack-destination", destination];
  return join(destination, parsePacked(await npm(folder, "pack", ...flags)).filename);
}

/** Makes the package that holds the addon for this platform, and gives its folder. */
function stageNative(out: string, version: string): string {
  const platform = `${process.platform}-${process.arch}`;
  const folder = join(out, `native-${platform}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const addon = join(projectRoot, addonFile);
  if (!existsSync(addon)) throw new Error(`there is no ${addonFile}: a C++ compiler is needed`);
  copyFileSync(addon, join(folder, "gradus.node"));
  copyFileSync(join(projectRoot, "LICENSE"), join(folder, "LICENSE"));
  writeManifest(folder, {
    name: `@gradus/native-${platform}`,
    version,
    description: `The native code of Gradus for ${platform}, compiled.`,
    license: "MIT",
    author: "The Gradus authors",
    os: [process.platform],
    cpu: [process.arch],
    ...(process.platform === "linux" ? { libc: ["glibc"] } : {}),
    engines: { node: ">=20.19.0" },
    main: "gradus.node",
    files: ["gradus.node"],
  });
  return folder;
}

/** Without what only serves development: scripts, tools, and the condition that names the sources. */
function publishedManifest(manifest: Manifest, natives: readonly Manifest[]): Json {
  const { scripts, devDependencies, ...kept } = manifest;
  const dropSource = (entry: unknown): unknown => {
    if (typeof entry !== "object" || entry === null) return entry;
    const rest = Object.entries(entry).filter(([name]) => name !== "gradus-source");
    return Object.fromEntries(rest.map(([name, value]) => [name, dropSource(value)]));
  };
  const optional = natives.map(({ name, version }) => [name, version]);
  return {
    ...kept,
    exports: dropSource(manifest.exports),
    imports: dropSource(manifest.imports),
    optionalDependencies: { ...manifest.optionalDependencies, ...Object.fromEntries(optional) },
  };
}

async function stageMain(out: string, natives: readonly Manifest[]): Promise<string> {
  const folder = join(out, "gradus");
  rmSync(folder, { recursive: true, force: true });
  const { files } = parsePacked(
    await npm(projectRoot, "pack", "--dry-run", "--json", "--ignore-scripts"),
  );
  for (const path of files.map((file) => String(file.path))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(projectRoot, path), join(folder, path));
  }
  writeManifest(folder, publishedManifest(readManifest(projectRoot), natives));
  return folder;
}

/** Makes the tarballs in `out` and gives their paths, the main package last. */
export async function release(out: string, nativeOnly = false): Promise<string[]> {
  const { version } = readManifest(projectRoot);
  stageNative(out, version);
  const folders = readdirSync(out)
    .filter((name) => /^native-[\w-]+$/.test(name))
    .map((name) => join(out, name));
  const stale = folders.find((folder) => readManifest(folder).version !== version);
  if (stale) throw new Error(`${stale} is not of version ${version}: remove it or build it anew`);
  if (!nativeOnly) folders.push(await stageMain(out, folders.map(readManifest)));
  const tarballs: string[] = [];
  for (const folder of folders) tarballs.push(await pack(folder, out));
  return tarballs;
}

if (isMain(import.meta.url)) {
  try {
    await build();
    const tarballs = await release(join(projectRoot, "npm"), process.argv.includes("--native"));
    console.log("Made, to be published in this order:");
    for (const tarball of tarballs) console.log(`  npm publish --access public ${tarball}`);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
