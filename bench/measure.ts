/**
 * Measures one workload: brings both sides to the same start, makes sure that they compute the same, and times them in turn.
 * Read workloads/index.ts for what is measured, run.ts for how it is told.
 */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BackendName, manualSeed, setBackend, tensor } from "gradus";
import { loadSafetensors, saveSafetensors } from "gradus/io";
import { type Peer, PeerError } from "./peers/client.js";
import { disagreement, median, timeSteps } from "./statistics.js";
import type { Mode, Prepared, Start, Workload } from "./workloads/index.js";

/** A backend and mode of ours. */
export interface Side {
  readonly backend: BackendName;
  readonly mode: Mode;
  readonly threads: number;
}

/** Medians of the rounds in ms, or why there are none. */
export interface Timing {
  readonly rounds: number[];
  error: string | null;
}

export interface Measured {
  readonly workload: Workload;
  readonly sides: readonly (readonly [Side, Timing])[];
  readonly peers: readonly (readonly [Peer, Timing])[];
}

export interface MeasureOptions {
  readonly rounds: number;
  /** For each side in each round. */
  readonly seconds: number;
}

interface Reference {
  readonly start: Start;
  readonly file: string;
  /** What the first steps must give. */
  numbers: readonly number[] | null;
}

/** A step of so many ms is timed in the first round only. */
const tooSlowToRepeat = 3000;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message.split("\n")[0]! : String(error);

function loadStart(file: string): Start {
  const entries = [...loadSafetensors(file).tensors];
  return new Map(
    entries.map(([name, { data, shape, dtype }]) => [name, tensor(data, { shape, dtype })]),
  );
}

/** PyTorch gives the start where it is; else we do. */
async function reference(workload: Workload, torch: Peer | undefined): Promise<Reference> {
  const file = join(tmpdir(), `gradus-bench-${process.pid}.safetensors`);
  if (torch) {
    await torch.ask({ command: "prepare", workload: workload.name, start: file });
    const { check } = await torch.ask({ command: "check" });
    return { start: loadStart(file), file, numbers: check! };
  }
  manualSeed(0);
  const start = workload.start();
  saveSafetensors(file, start);
  return { start, file, numbers: null };
}

async function preparePeer(
  peer: Peer,
  { name, tolerance }: Workload,
  { file, numbers }: Reference,
) {
  const timing: Timing = { rounds: [], error: null };
  try {
    await peer.ask({ command: "prepare", workload: name, start: file });
    const { check } = await peer.ask({ command: "check" });
    timing.error = numbers && disagreement(check!, numbers, tolerance);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    timing.error = messageOf(error);
  }
  return timing;
}

interface PreparedSide {
  readonly side: Side;
  readonly timing: Timing;
  readonly prepared: Prepared | null;
}

async function prepareSide(side: Side, workload: Workload, from: Reference): Promise<PreparedSide> {
  const timing: Timing = { rounds: [], error: null };
  try {
    setBackend(side.backend);
    const prepared = workload.prepare(side.mode, from.start);
    const numbers = await prepared.check();
    timing.error = from.numbers && disagreement(numbers, from.numbers, workload.tolerance);
    from.numbers ??= numbers;
    return { side, timing, prepared };
  } catch (error) {
    timing.error = messageOf(error);
    return { side, timing, prepared: null };
  }
}

/** One round of one side: the median of its steps, unless it failed or takes too long to be asked again. */
async function round(timing: Timing, time: () => Promise<readonly number[]>): Promise<void> {
  if (timing.error !== null || timing.rounds[0]! > tooSlowToRepeat) return;
  timing.rounds.push(median(await time()));
}

async function timeRounds(
  sides: readonly PreparedSide[],
  peers: readonly (readonly [Peer, Timing])[],
  { rounds, seconds }: MeasureOptions,
): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    for (const [peer, timing] of peers)
      await round(timing, async () => (await peer.ask({ command: "time", seconds })).times!);
    for (const { side, timing, prepared } of sides)
      await round(timing, () => {
        setBackend(side.backend);
        return timeSteps(() => prepared!.step(), seconds);
      });
  }
}

/** Measures a workload; the first of the peers is PyTorch, if it is among them. */
export async function measure(
  workload: Workload,
  wanted: readonly Side[],
  all: readonly Peer[],
  options: MeasureOptions,
): Promise<Measured> {
  const torch = all.find(({ name }) => name.startsWith("torch"));
  const from = await reference(workload, torch);
  try {
    const peers: [Peer, Timing][] = torch ? [[torch, { rounds: [], error: null }]] : [];
    const sides: PreparedSide[] = [];
    for (const side of wanted) sides.push(await prepareSide(side, workload, from));
    for (const peer of all)
      if (peer !== torch) peers.push([peer, await preparePeer(peer, workload, from)]);
    await timeRounds(sides, peers, options);
    return { workload, sides: sides.map(({ side, timing }) => [side, timing]), peers };
  } finally {
    rmSync(from.file, { force: true });
  }
}
