/**
 * Writes docs/ops.md, the table of all ops, from the samples beside them: `npm run docs:ops`. test/docsOps.test.ts fails when
 * the file is not what this gives. Read lib/torchName.ts next.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DType, dtypeTable } from "../src/core/dtype.js";
import * as gradus from "../src/index.js";
import type { OpSamples } from "../src/tensor/defineOp.js";
import { hasFirst, hasSecond } from "../test/support/coverage.js";
import { opFiles } from "../test/support/opFiles.js";
import { type Result, runEager } from "../test/support/runCase.js";
import { allCases, allOps, type Case, sampleSets } from "../test/support/samples.js";
import { isMain, projectRoot } from "./lib/process.js";
import { torchName } from "./lib/torchName.js";

export const opsFile = "docs/ops.md";

/** Every dtype in its order. */
const dtypes = Object.keys(dtypeTable) as DType[];

interface Row {
  readonly op: OpSamples;
  readonly family: string;
  readonly dtypes: readonly DType[];
  readonly order: 0 | 1 | 2;
}

/** The set of samples that each op is in. */
const setOf = new Map(
  Object.entries(sampleSets).flatMap(([name, list]) => list().map(({ op }) => [op, name] as const)),
);

/** The file that defines an op, or else the one whose samples try it, without its ending. */
function familyOf({ op }: OpSamples): string {
  const name = op.split(" ")[0]!;
  const files = Object.entries(opFiles);
  const defining = files.find(([file, module]) => name in module && !file.includes("Samples"));
  const [file] = defining ?? files.find(([, module]) => setOf.get(op)! in module)!;
  return file.replace(/(Samples)?\.ts$/, "");
}

/** The dtypes of the inputs, or of the results where there are none; the table raises float32 to float64. */
function dtypesOf(cases: readonly Case[], results: readonly Result[]): DType[] {
  const taken = cases.flatMap(({ inputs }) => inputs.map(({ dtype }) => dtype));
  const given = results.flatMap(({ outputs }) => outputs.map(({ dtype }) => dtype));
  const found = new Set<string>(taken.length > 0 ? taken : given);
  if (taken.includes("float32")) found.add("float64");
  return dtypes.filter((dtype) => found.has(dtype));
}

function rowOf(op: OpSamples): Row {
  const cases = allCases.filter((one) => one.op === op);
  const results = cases.map((one) => runEager(one, "float64"));
  const flows = cases.map(
    (one, i) => hasFirst(one) && results[i]!.outputs.some((y) => y.requiresGrad),
  );
  const isTwice = cases.some((one, i) => flows[i] && hasSecond(one, results[i]!));
  const order = isTwice ? 2 : flows.includes(true) ? 1 : 0;
  return { op, family: familyOf(op), dtypes: dtypesOf(cases, results), order };
}

/** How it is called: `f(x)`, `F.f(x)` (from nn.functional) or `x.f()`. */
function formsOf(op: string): string {
  const name = op.split(" ")[0]!;
  const method = name === "variance" ? "var" : name;
  const forms = [
    name in gradus && `${name}()`,
    name in gradus.nn.functional && `F.${name}()`,
    method in gradus.Tensor.prototype && `x.${method}()`,
  ];
  const used = forms.filter((form) => form !== false).map((form) => `\`${form}\``);
  return used.join(", ") + op.slice(name.length);
}

const torchOf = ({ op, samples }: OpSamples): string =>
  torchName(
    op,
    samples.flatMap(({ torch }) => torch ?? []),
  );

function printRow({ op, dtypes, order }: Row): string {
  const runs = op.eagerOnly === undefined ? "eager, compiled" : "eager";
  const cells = [formsOf(op.op), torchOf(op), dtypes.join(" "), order, "all", runs];
  return `| ${cells.join(" | ")} |`;
}

function printFamily(family: string, rows: readonly Row[]): string {
  return `### ${family}

| Gradus | PyTorch | dtypes | gradients | backends | runs |
|---|---|---|---|---|---|
${rows.map(printRow).join("\n")}
`;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

interface Hole {
  readonly op: string;
  readonly reason: string;
}

function printHoles(title: string, holes: readonly Hole[]): string {
  const lines = Array.from(
    groupBy(holes, ({ reason }) => reason),
    ([reason, found]) => {
      const names = [
        ...new Set(found.map(({ op }) => `\`${op.split(" ")[0]}\`${op.replace(/^\S+/, "")}`)),
      ];
      return `- ${reason}: ${names.join(", ")}`;
    },
  );
  return `### ${title}\n\n${lines.join("\n")}\n`;
}

const withoutFirst = "no float goes into its samples, or none comes out";
const withoutSecond = "its samples are at kinks, or give float32 from whatever goes in";

/** Everything that the tests leave out, by what it is. */
function findHoles(rows: readonly Row[]): Record<string, Hole[]> {
  const one = ({ op }: Row, reason: string | undefined): Hole[] =>
    reason === undefined ? [] : [{ op: op.op, reason }];
  return {
    "Eager only: refused by `compile`": rows.flatMap((row) => one(row, row.op.eagerOnly)),
    "No gradient": rows.flatMap((row) =>
      one(row, row.order === 0 ? (row.op.noGradient ?? withoutFirst) : undefined),
    ),
    "No second gradient": rows.flatMap((row) =>
      one(row, row.order === 1 ? (row.op.noSecondGradient ?? withoutSecond) : undefined),
    ),
    "Calls that PyTorch has no equal of": rows.flatMap(({ op }) =>
      op.samples.flatMap(({ torch, reason }) =>
        torch === null ? [{ op: op.op, reason: reason! }] : [],
      ),
    ),
  };
}

function printCounts(rows: readonly Row[]): string {
  const count = (wanted: (row: Row) => boolean) => rows.filter(wanted).length;
  const samples = rows.flatMap(({ op }) => op.samples);
  const refused = rows.flatMap(({ op }) => op.bad ?? []);
  const compared = samples.filter(({ torch }) => torch !== null);
  const forms = new Set(rows.map(({ op }) => op.op.split(" ")[0]));
  return `| | |
|---|---|
| ops | ${forms.size}, ${rows.length} with their variants |
| calls tried | ${samples.length}; ${compared.length} of them against PyTorch's numbers |
| calls that must be refused | ${refused.length} |
| with gradients of gradients | ${count(({ order }) => order === 2)} |
| with gradients only | ${count(({ order }) => order === 1)} |
| without gradients | ${count(({ order }) => order === 0)} |
| compiled as well as eager | ${count(({ op }) => op.eagerOnly === undefined)} |
`;
}

/** The whole text of docs/ops.md. */
export function opsTable(): string {
  gradus.setBackend("interpreter");
  const rows = allOps.map(rowOf);
  const families = [...groupBy(rows, ({ family }) => family)].sort(([a], [b]) => (a < b ? -1 : 1));
  const holes = Object.entries(findHoles(rows));
  return `# The ops

Made by \`npm run docs:ops\` from the samples beside the ops in src/ops; do not edit. Every sample runs in the tests on the
interpreter, on native code and on WASM, also in a browser's tab; there is no op that one of these lacks.

- **PyTorch**: the function that the op equals, in values, dtypes and gradients (\`F\` is \`torch.nn.functional\`); "none", and
  what its first sample is compared with, where PyTorch has no such function.
- **dtypes**: those of the inputs that the samples try, or of the result where nothing goes in. PyTorch's int64 counts as int32.
- **gradients**: 2, those of gradients too, against central differences; 1, the first only; 0, none.
- **runs**: whether \`compile\` takes it.

${printCounts(rows)}
## By family

${families.map(([family, list]) => printFamily(family, list)).join("\n")}
## Holes and differences

${holes.map(([title, found]) => printHoles(title, found)).join("\n")}`;
}

if (isMain(import.meta.url)) {
  mkdirSync(join(projectRoot, "docs"), { recursive: true });
  writeFileSync(join(projectRoot, opsFile), opsTable());
}
