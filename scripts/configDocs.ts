/**
 * `npm run docs:config`: writes docs/configuration-keys.md, every key of a configuration, and assets/run.schema.json, the same for
 * editors, from the schema. test/configDocs.test.ts checks that both are up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { choiceName, expectedOf } from "../src/train/config/problems.js";
import { type JsonSchema, strictJsonSchema } from "../src/train/config/schema.js";
import { configJsonSchema } from "../src/train/index.js";
import { isMain, projectRoot } from "./lib/process.js";

const head = `# Every key of a configuration

Written from the schema by \`npm run docs:config\`; [configuration.md](configuration.md) says how to write one. A choice is a name (\`optim: adam\`) or a name with
options (\`optim: { name: adam, lr: 1e-3 }\`). What has no default and is not marked optional must be given.
`;

const code = (value: unknown): string => `\`${JSON.stringify(value)}\``;

/** Whether a schema is a choice by name, or a list of them. */
const isChoice = ({ oneOf }: JsonSchema): boolean =>
  oneOf?.every((member) => choiceName(member) !== undefined) ?? false;

function valueOf(schema: JsonSchema): string {
  if (isChoice(schema)) return "a choice, below";
  const list = schema.anyOf?.find(({ items }) => items && isChoice(items));
  if (list)
    return `${expectedOf(schema.anyOf!.find((m) => m !== list)!)}, or a list of choices, below`;
  if (schema.items && isChoice(schema.items)) return "a list of choices, below";
  return expectedOf(schema).replaceAll("|", "\\|");
}

function row(key: string, schema: JsonSchema, required: readonly string[]): string {
  const { default: standard } = schema;
  const last = standard !== undefined ? code(standard) : required.includes(key) ? "" : "optional";
  return `| \`${key}\` | ${valueOf(schema)} | ${last} | ${schema.description ?? ""} |`;
}

const table = (rows: readonly string[]): string =>
  ["| key | value | default | |", "|---|---|---|---|", ...rows].join("\n");

function objectTable({ properties = {}, required = [] }: JsonSchema, prefix = ""): string[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const own = row(
      prefix + key,
      schema,
      required.map((name) => prefix + name),
    );
    return schema.type === "object" && schema.properties && !isChoice(schema)
      ? [own, ...objectTable(schema, `${prefix}${key}.`)]
      : [own];
  });
}

/** The options of every name of a choice; those that all of them share come first, once. */
function choiceSection(path: string, schema: JsonSchema): string[] {
  const members = schema.oneOf!;
  const keysOf = (member: JsonSchema) => Object.keys(member.properties ?? {});
  const shared = keysOf(members[0]!).filter(
    (key) =>
      key !== "name" &&
      members.length > 2 &&
      members.filter((member) => keysOf(member).includes(key)).length >= members.length - 1 &&
      members.every((member) => {
        const own = member.properties?.[key];
        return !own || JSON.stringify(own) === JSON.stringify(members[0]!.properties![key]);
      }),
  );
  const common = shared.map((key) => row(key, members[0]!.properties![key]!, []));
  const sections = members.map((member) => {
    const { name: _, ...properties } = member.properties!;
    const own = Object.fromEntries(
      Object.entries(properties).filter(([key]) => !shared.includes(key)),
    );
    const title = `**${String(choiceName(member))}**: ${member.description ?? ""}`;
    const rows = objectTable({ ...member, properties: own });
    return rows.length > 0 ? `${title}\n\n${table(rows)}` : title;
  });
  const first = common.length > 0 ? [`All take, besides their own:\n\n${table(common)}`] : [];
  return [`## ${path}`, ...first, ...sections];
}

/** Every choice in a schema by its path. */
function choicesIn(schema: JsonSchema, path: string): [string, JsonSchema][] {
  if (isChoice(schema)) {
    const inner = choicesIn({ properties: schema.oneOf![0]!.properties ?? {} }, path);
    return [[path, schema], ...inner];
  }
  const parts: [string, JsonSchema][] = [];
  for (const member of schema.anyOf ?? []) parts.push(...choicesIn(member, path));
  if (schema.items) parts.push(...choicesIn(schema.items, path));
  for (const [key, value] of Object.entries(schema.properties ?? {}))
    parts.push(...choicesIn(value, path ? `${path}.${key}` : key));
  return parts;
}

/** The text of docs/configuration-keys.md. */
export function configurationText(): string {
  const schema = strictJsonSchema();
  const sections = choicesIn(schema, "").flatMap(([path, choice]) => choiceSection(path, choice));
  return `${[head.trimEnd(), "## The whole", table(objectTable(schema)), ...sections].join("\n\n")}\n`;
}

/** The text of assets/run.schema.json. */
export const schemaText = (): string => `${JSON.stringify(configJsonSchema())}\n`;

/** The generated files by their paths. */
export const generatedFiles = (): Readonly<Record<string, string>> => ({
  "docs/configuration-keys.md": configurationText(),
  "assets/run.schema.json": schemaText(),
});

if (isMain(import.meta.url))
  for (const [path, text] of Object.entries(generatedFiles())) {
    const file = join(projectRoot, path);
    const isNew = readFileSync(file, { encoding: "utf8", flag: "a+" }) !== text;
    if (isNew) writeFileSync(file, text);
    console.log(`${path}: ${isNew ? "written" : "unchanged"}`);
  }
