/**
 * The package as people get it: packed, installed into an empty folder with no compiler at hand, imported, trained with, and
 * type-checked under both ways of resolving modules.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { capture, projectRoot } from "../scripts/lib/process.js";

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const folder = mkdtempSync(join(tmpdir(), "gradus-package-"));
const npm = ["npm", ["--no-audit", "--no-fund", "--prefer-offline"]] as const;
let packed: Packed;
let manifest: Manifest;

async function run(command: string, parameters: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, GRADUS_BACKEND: "" };
  const { code, output } = await capture(command, parameters, { cwd, env });
  assert.equal(code, 0, `${command} ${parameters.join(" ")}: ${output}`);
  return output;
}

/** An empty project with the tarball installed in it. */
async function install(name: string, flags: readonly string[]): Promise<string> {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), '{ "private": true, "type": "module" }\n');
  const tarball = join(folder, packed.filename);
  await run(npm[0], ["install", tarball, ...flags, ...npm[1]], place);
  return place;
}

const program = `
import { backendDescription, compile, manualSeed, nn, optim, tensor } from "gradus";
manualSeed(0);
const model = new nn.Sequential(new nn.Linear(2, 8), new nn.Tanh(), new nn.Linear(8, 1));
const optimizer = new optim.Adam(model.parameters(), { lr: 0.05 });
const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
const y = tensor([[0], [1], [1], [0]]);
const step = compile((x, y) => {
  const loss = model.forward(x).sub(y).square().mean();
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss;
});
let loss = 0;
for (let i = 0; i < 300; i++) loss = (await step(x, y)).item();
console.log(JSON.stringify({ loss, backend: backendDescription() }));
`;

before(async () => {
  const output = await run(
    npm[0],
    ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
    projectRoot,
  );
  [packed] = JSON.parse(output.slice(output.indexOf("["))) as [Packed];
  manifest = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as Manifest;
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("the tarball holds what is needed and nothing that must be built", (context) => {
  const paths = new Set(packed.files.map(({ path }) => path));
  context.diagnostic(
    `tarball ${(packed.size / 1e6).toFixed(2)} MB, unpacked ` +
      `${(packed.unpackedSize / 1e6).toFixed(2)} MB, ${packed.files.length} files`,
  );
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [target] : [target.types!, target.default!],
  );
  const files = ["dist/cli/main.js", "dist/labs/index.js", "dist/wasm/gradus.wasm"];
  const needed = [...targets, "README.md", "LICENSE", ...files];
  const absent = needed.filter((path) => !paths.has(path.replace(/^\.\//, "")));
  assert.deepEqual(absent, []);
  const digits = [...paths].filter((path) => path.startsWith("assets/mnist/"));
  assert.equal(digits.filter((path) => path.endsWith("ubyte.gz")).length, 4);
  const unwanted = [...paths].filter((path) =>
    /\.(node|o|cpp|gyp)$|^(src|native|test)\//.test(path),
  );
  assert.deepEqual(unwanted, []);
  assert.ok(packed.size < 10e6, `the tarball has ${packed.size} bytes`);
});

test("installing runs no script of the package, which depends on three packages", () => {
  const names = Object.keys(manifest.scripts ?? {});
  const hooks = names.filter((name) => /^(pre|post)?(install|prepare|pack)$/.test(name));
  assert.deepEqual(hooks, []);
  assert.deepEqual(Object.keys(manifest.dependencies ?? {}), ["commander", "yaml", "zod"]);
});

test("without optional packages it trains on WASM and says so", async () => {
  const place = await install("bare", ["--omit=optional"]);
  assert.ok(!existsSync(join(place, "node_modules/sharp")));
  writeFileSync(join(place, "program.js"), program);
  const output = await run(process.execPath, ["program.js"], place);
  const { loss, backend } = JSON.parse(output) as { loss: number; backend: string };
  assert.ok(loss < 0.05, `the loss is ${loss}`);
  assert.match(backend, /^WASM/);
  const line = await run(
    process.execPath,
    ["node_modules/gradus/dist/cli/main.js", "--help"],
    place,
  );
  assert.match(line, /gradus/);
  const lab = ["node_modules/gradus/dist/cli/main.js", "lab", "convolutions", "--short"];
  assert.match(
    await run(process.execPath, lab, place),
    /receptive fields are what the formulas say/,
  );
  assert.ok(existsSync(join(place, "runs/labs/convolutions/receptive-fields.svg")));
});

test("every export can be imported where it is installed", async () => {
  const place = await install("whole", []);
  const names = Object.keys(manifest.exports).filter((name) => name !== "./package.json");
  const imports = names.map((name) => `await import("gradus${name.slice(1)}");`).join("\n");
  writeFileSync(join(place, "program.js"), `${imports}\nconsole.log("imported");\n`);
  assert.match(await run(process.execPath, ["program.js"], place), /imported/);
});

test("its types check for consumers, in Node and in a bundled page without Node's types", async () => {
  const place = join(folder, "bare");
  const typed = program.replace("(x, y) =>", "(x: Tensor, y: Tensor): Tensor =>");
  const source = `import { Tensor } from "gradus";\nimport { Linear } from "gradus/nn";\n${typed}
export const layer: Linear = new nn.Linear(1, 1);\n`;
  writeFileSync(join(place, "consumer.ts"), source);
  const compiler = join(projectRoot, "node_modules/typescript/bin/tsc");
  const typeRoots = [join(projectRoot, "node_modules/@types")];
  for (const [module, moduleResolution, ...types] of [
    ["nodenext", "nodenext", "node"],
    ["esnext", "bundler", "node"],
    ["esnext", "bundler"],
  ]) {
    const compilerOptions = {
      module,
      moduleResolution,
      target: "es2022",
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      typeRoots,
      types,
    };
    const config = JSON.stringify({ compilerOptions, files: ["consumer.ts"] });
    writeFileSync(join(place, "tsconfig.json"), config);
    await run(process.execPath, [compiler, "-p", place], place);
  }
});
