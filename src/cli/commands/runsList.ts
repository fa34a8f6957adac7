/** `gradus runs list`: a table of runs, sorted and filtered. Read ../terminal/table.ts for how it is drawn. */
import { type Command, InvalidArgumentError } from "commander";
import { isLowerBetter, type RunRecord, type RunStatus } from "../../train/index.js";
import { listRuns } from "../../train/node/index.js";
import { UsageError } from "../errors.js";
import { oneOf, whole } from "../options.js";
import type { Context } from "../program.js";
import { duration, plural, suggestion } from "../terminal/format.js";
import {
  headlineOf,
  measureText,
  progressText,
  statusText,
  timeText,
} from "../terminal/runText.js";
import type { Screen } from "../terminal/screen.js";
import { type Column, printable, printableJson, printTable } from "../terminal/table.js";

interface ListOptions {
  readonly runs: string;
  readonly sort: string;
  readonly reverse?: boolean;
  readonly status?: RunStatus;
  readonly model?: string;
  readonly where: readonly Condition[];
  readonly columns: readonly string[];
  readonly measure?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

const statuses: readonly RunStatus[] = [
  ...(["finished", "running", "stopped", "interrupted", "failed", "empty"] as const),
];

/** What a setting must be: `optim.lr<0.01`. */
interface Condition {
  readonly setting: string;
  readonly sign: string;
  readonly value: string;
}

function parseCondition(text: string, before: readonly Condition[]): Condition[] {
  const match = /^([^=<>!]+)(<=|>=|!=|=|<|>)(.*)$/.exec(text);
  if (!match)
    throw new InvalidArgumentError("Expected a setting and its value, such as optim.lr=0.01.");
  return [...before, { setting: match[1]!.trim(), sign: match[2]!, value: match[3]!.trim() }];
}

const signs: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

/** Numbers by size, all else as texts. */
function compareValues(a: unknown, b: unknown): number {
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

/** Adds the subcommand, which is also what `gradus runs` alone does. */
export function addRunsList(runs: Command, context: Context): void {
  runs
    .command("list", { isDefault: true })
    .summary("list runs (the default)")
    .description("List the runs in a folder, the newest first.")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option("--sort <by>", "newest, name, status, epochs, time, a measure or a setting", "newest")
    .option("--reverse", "the other way round")
    .option("--status <status>", `only ${statuses.join(", ")}`, oneOf(statuses))
    .option("--model <name>", "only runs of this model")
    .option("--where <condition>", "only where a setting is so: lr<0.01", parseCondition, [])
    .option("--columns <settings>", "settings to show, with commas between", splitNames, [])
    .option("--measure <name>", "the measure to show (default: accuracy, else the loss)")
    .option("--limit <n>", "at most so many", whole(1))
    .option("--json", "print JSON for other programs")
    .action((options: ListOptions) => list(options, context));
}

const splitNames = (text: string): string[] => text.split(",").map((name) => name.trim());

function list(options: ListOptions, { io, program }: Context): void {
  const all = listRuns(options.runs);
  const chosen = sorted(all.filter(chooser(all, options)), all, options);
  const shown = chosen.slice(0, options.limit);
  if (options.json) {
    io.out.line(printableJson(shown.map(toJson)));
    return;
  }
  if (all.length === 0) {
    io.out.line(`There are no runs in ${options.runs}. Make one: ${program} train lenet`);
    return;
  }
  if (shown.length === 0) {
    io.out.line(`None of the ${plural(all.length, "run")} in ${options.runs} is so.`);
    return;
  }
  showTable(io.out, shown, options);
  const left = all.length - shown.length;
  if (left > 0) io.out.line(io.out.style.dim(`and ${plural(left, "other run")}`));
}

/** The full path of a setting that may be given by its last part. */
export function settingOf(run: RunRecord, name: string): string | undefined {
  if (Object.hasOwn(run.settings, name)) return name;
  return Object.keys(run.settings).find((path) => path.endsWith(`.${name}`));
}

const valueOf = (run: RunRecord, name: string): unknown => {
  const path = settingOf(run, name);
  return path === undefined ? undefined : run.settings[path];
};

function checkSetting(runs: readonly RunRecord[], name: string, option: string): void {
  if (runs.length === 0 || runs.some((run) => settingOf(run, name) !== undefined)) return;
  const known = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  const hint = suggestion(name, known) || `; there are ${known.slice(0, 12).join(", ")}`;
  throw new UsageError(`${option}: no run has a setting "${name}"${hint}`);
}

function chooser(all: readonly RunRecord[], options: ListOptions): (run: RunRecord) => boolean {
  for (const { setting } of options.where) checkSetting(all, setting, "--where");
  for (const name of options.columns) checkSetting(all, name, "--columns");
  return (run) => {
    if (options.status && run.status !== options.status) return false;
    if (options.model && run.model !== options.model) return false;
    return options.where.every(({ setting, sign, value }) => {
      const has = valueOf(run, setting);
      return has !== undefined && signs[sign]!(compareValues(has, value));
    });
  };
}

type Order = (a: RunRecord, b: RunRecord) => number;

const orders: Readonly<Record<string, Order>> = {
  newest: (a, b) => (b.created ?? 0) - (a.created ?? 0),
  name: (a, b) => compareValues(a.name, b.name),
  status: (a, b) => statuses.indexOf(a.status) - statuses.indexOf(b.status),
  epochs: (a, b) => b.epoch - a.epoch,
  time: (a, b) => b.seconds - a.seconds,
};

function orderBy(all: readonly RunRecord[], by: string): Order {
  if (Object.hasOwn(orders, by)) return orders[by]!;
  if (all.some((run) => headlineOf(run, by)))
    return (a, b) => {
      const [x, y] = [headlineOf(a, by)?.value, headlineOf(b, by)?.value];
      // Runs without the measure come last.
      if (x === undefined || y === undefined)
        return Number(x === undefined) - Number(y === undefined);
      return isLowerBetter(by) ? x - y : y - x;
    };
  const known = all.flatMap(({ settings, best }) => [
    ...Object.keys(settings),
    ...Object.keys(best.validation),
  ]);
  if (all.length > 0 && all.every((run) => settingOf(run, by) === undefined)) {
    const choices = [...Object.keys(orders), ...new Set(known)];
    const hint = suggestion(by, choices) || `; there are ${choices.slice(0, 12).join(", ")}`;
    throw new UsageError(`--sort ${by}: no run has that${hint}`);
  }
  return (a, b) => compareValues(valueOf(a, by), valueOf(b, by));
}

function sorted(
  runs: readonly RunRecord[],
  all: readonly RunRecord[],
  { sort, reverse }: ListOptions,
): readonly RunRecord[] {
  const order = orderBy(all, sort);
  return runs.toSorted((a, b) => (reverse ? -order(a, b) : order(a, b)));
}

function showTable(screen: Screen, runs: readonly RunRecord[], options: ListOptions): void {
  const { style } = screen;
  const best = runs.map((run) => {
    const found = headlineOf(run, options.measure);
    if (!found) return "";
    const value = style.bold(measureText(found.measure, found.value));
    return `${value} ${found.part === "train" ? "train " : ""}${printable(found.measure, 24)}`;
  });
  const settings = options.columns.map(
    (name): Column => ({
      title: name,
      cells: runs.map((run) => printable(String(valueOf(run, name) ?? ""), 30)),
      right: true,
    }),
  );
  printTable(screen, [
    { title: "run", cells: runs.map(({ name }) => style.bold(printable(name, 60))) },
    { title: "status", cells: runs.map(({ status }) => statusText(status, style)) },
    { title: "epochs", cells: runs.map(progressText), right: true, rank: 2 },
    { title: "best", cells: best, right: true },
    ...settings,
    { title: "time", cells: runs.map(({ seconds }) => duration(seconds)), right: true, rank: 3 },
    { title: "model", cells: runs.map(({ model }) => printable(model ?? "", 24)), rank: 4 },
    { title: "begun", cells: runs.map(({ created }) => timeText(created)), rank: 1 },
  ]);
}

/** A run without its curves, and times as texts. */
export function toJson({ losses: _, rates: __, health: ___, ...run }: RunRecord): object {
  const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());
  return { ...run, created: iso(run.created), changed: iso(run.changed) };
}
