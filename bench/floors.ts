/**
 * What the machine can do: the most floating-point operations a second that a large matrix product reaches, and the bytes a
 * second of a pass over memory, for working sets of several sizes. From both follows the least time of a workload.
 */
import { compile, ones, randn } from "gradus";
import { timeSteps } from "./statistics.js";
import type { Cost } from "./workloads/index.js";

export interface Machine {
  /** Operations a second; raised by whatever turns out to reach more. */
  peak: number;
  /** Bytes a second that a pass over so many bytes reaches, smallest first. */
  readonly bandwidths: readonly (readonly [bytes: number, perSecond: number])[];
}

export interface Floor {
  readonly ms: number;
  readonly bound: "arithmetic" | "memory";
}

const best = (times: readonly number[]): number => Math.min(...times);

/** x ← x·s + y over `bytes` of memory: reads both, writes one. */
async function bandwidthAt(bytes: number, seconds: number): Promise<number> {
  const count = Math.floor(bytes / 8);
  const [x, y] = [ones([count]), ones([count])];
  const pass = compile(() => {
    x.assign(x.mul(0.5).add(y));
  });
  await pass();
  const times = await timeSteps(() => pass() as Promise<unknown>, seconds);
  return (12 * count) / (best(times) / 1000);
}

async function peakAt(n: number, seconds: number): Promise<number> {
  const [a, b] = [randn([n, n]), randn([n, n])];
  const product = compile(() => a.matmul(b));
  await product();
  return (2 * n ** 3) / (best(await timeSteps(product, seconds)) / 1000);
}

/** Measures the backend in use, with the threads it has. */
export async function measureMachine(isFast: boolean): Promise<Machine> {
  const sizes = isFast ? [512, 1024, 2048] : [256, 512];
  const peaks: number[] = [];
  for (const n of sizes) peaks.push(await peakAt(n, 0.4));
  const bandwidths: [number, number][] = [];
  for (const bytes of [4e6, 16e6, 64e6, 512e6])
    bandwidths.push([bytes, await bandwidthAt(bytes, 0.25)]);
  return { peak: Math.max(...peaks), bandwidths };
}

/** Takes note of a time that a workload needed: what was reached is possible. */
export function notePeak(machine: Machine | undefined, { flops }: Cost, ms: number): void {
  const reached = flops / (ms / 1000);
  if (machine && reached > machine.peak) machine.peak = reached;
}

/** The bandwidth for a working set: that of the smallest pass that is as large. */
const bandwidthFor = ({ bandwidths }: Machine, bytes: number): number =>
  (bandwidths.find(([size]) => size >= bytes) ?? bandwidths.at(-1)!)[1];

/** The least time that a workload could take: the larger of its arithmetic at the peak and its bytes at the bandwidth. */
export function floorOf(machine: Machine, { flops, bytes }: Cost): Floor {
  const arithmetic = (1000 * flops) / machine.peak;
  const memory = (1000 * bytes) / bandwidthFor(machine, bytes);
  if (arithmetic >= memory) return { ms: arithmetic, bound: "arithmetic" };
  return { ms: memory, bound: "memory" };
}

export function describeMachine({ peak, bandwidths }: Machine): string {
  const passes = bandwidths.map(
    ([bytes, speed]) => `${(speed / 1e9).toFixed(1)} GB/s over ${bytes / 1e6} MB`,
  );
  return `${(peak / 1e9).toFixed(0)} GFLOP/s; ${passes.join(", ")}`;
}
