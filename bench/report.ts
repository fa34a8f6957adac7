/** How measurements are told: one JSON line a workload, side and peer, and tables for people. Read run.ts next. */
import { type Floor, floorOf, type Machine, notePeak } from "./floors.js";
import type { Measured, Side, Timing } from "./measure.js";
import { median, rounded, spread } from "./statistics.js";

/** The names of the fields are those of the JSON lines. */
export interface Row {
  readonly workload: string;
  readonly backend: string;
  readonly mode: string;
  readonly threads: number;
  readonly ms: number | null;
  readonly spread?: number;
  readonly peer: string | null;
  readonly peer_threads?: number;
  readonly peer_ms?: number;
  readonly peer_spread?: number;
  readonly ratio?: number;
  /** The least time that the machine would need, and how many times that the step takes. */
  readonly floor_ms?: number;
  readonly of_floor?: number;
  readonly bound?: Floor["bound"];
  readonly error?: string;
  readonly peer_error?: string;
}

function ownFields({ backend, mode, threads }: Side, { rounds, error }: Timing) {
  if (error !== null) return { backend, mode, threads, ms: null, error };
  return { backend, mode, threads, ms: rounded(median(rounds)), spread: rounded(spread(rounds)) };
}

function peerFields(ms: number | null, [peer, { rounds, error }]: Measured["peers"][number]) {
  const named = { peer: peer.name, peer_threads: peer.threads };
  if (error !== null) return { ...named, peer_error: error };
  const [peerMs, peerSpread] = [rounded(median(rounds)), rounded(spread(rounds))];
  const ratio = ms === null ? {} : { ratio: rounded(ms / peerMs) };
  return { ...named, peer_ms: peerMs, peer_spread: peerSpread, ...ratio };
}

/** What native code or PyTorch reached, and WASM for itself, is at least the machine's peak. */
function notePeaks(
  { workload, sides, peers }: Measured,
  machines: ReadonlyMap<string, Machine>,
): void {
  for (const [{ backend }, { rounds }] of sides)
    notePeak(machines.get(backend), workload.cost, median(rounds));
  for (const [{ name }, { rounds }] of peers)
    if (name.startsWith("torch")) notePeak(machines.get("native"), workload.cost, median(rounds));
}

/** Native code is compared with PyTorch, WASM with all. */
const isCompared = (side: Side, peer: string): boolean =>
  side.backend === "wasm" || peer.startsWith("torch");

export function rowsOf(measured: Measured, machines: ReadonlyMap<string, Machine>): Row[] {
  const { workload, sides, peers } = measured;
  notePeaks(measured, machines);
  return sides.flatMap(([side, timing]): Row[] => {
    const own = ownFields(side, timing);
    const machine = machines.get(side.backend);
    const floor = machine && floorOf(machine, workload.cost);
    const distance = floor && {
      floor_ms: rounded(floor.ms),
      bound: floor.bound,
      ...(own.ms !== null && { of_floor: rounded(own.ms / floor.ms) }),
    };
    const compared = peers.filter(([peer]) => isCompared(side, peer.name));
    const base = { workload: workload.name, ...own, ...distance };
    if (compared.length === 0) return [{ ...base, peer: null }];
    return compared.map((peer) => ({ ...base, ...peerFields(own.ms, peer) }));
  });
}

const milliseconds = (value: number): string =>
  value < 1 ? value.toFixed(3) : value < 100 ? value.toFixed(2) : value.toFixed(0);

const cell = (ms: number | null | undefined, share = 0): string =>
  ms == null ? "" : `${milliseconds(ms)} ±${(100 * share).toFixed(0)}%`;

/** One line a row: header first. */
export function tableCells(rows: readonly Row[]): string[][] {
  const head = [
    "workload",
    "backend",
    "mode",
    "ms",
    "peer",
    "peer's ms",
    "ratio",
    "floor",
    "× floor",
  ];
  const lines = rows.map((row) => [
    row.workload,
    `${row.backend}, ${row.threads} thread${row.threads === 1 ? "" : "s"}`,
    row.mode,
    row.error ? `ERROR: ${row.error}` : cell(row.ms, row.spread),
    row.peer ?? "none",
    row.peer_error ?? cell(row.peer_ms, row.peer_spread),
    row.ratio === undefined ? "" : row.ratio.toFixed(2),
    row.floor_ms === undefined ? "" : milliseconds(row.floor_ms),
    row.of_floor === undefined ? "" : row.of_floor.toFixed(1),
  ]);
  return [head, ...lines];
}

export function textTable(cells: readonly (readonly string[])[]): string {
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  return cells
    .map((line) =>
      line
        .map((text, i) => text.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function markdownTable([head, ...lines]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head!), line(head!.map(() => "---")), ...lines.map(line)].join("\n");
}

/** Puts a text between the markers of a name in a document: `<!-- name -->` and `<!-- /name -->`. */
export function replaceMarked(document: string, name: string, text: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`the document has no ${open} … ${close}`);
  return `${document.slice(0, from + open.length)}\n${text}\n${document.slice(to)}`;
}
