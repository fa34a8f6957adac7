/**
 * How a training step's cost grows with its size, beside PyTorch's: time a sample against the batch of LeNet, and against the
 * width and the depth of the GPT. Prints one JSON line a point and draws docs/images/scaling.svg:
 *
 *     npm run bench:scaling -- [--seconds 0.3] [--only batch,width,depth] [--python PROGRAM,…] [--no-draw]
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { manualSeed } from "gradus";
import { drawPanel, type Line, type Point } from "../src/train/draw/chart.js";
import { drawing, look } from "../src/train/draw/svg.js";
import { Peer, startTorch } from "./peers/client.js";
import { median, rounded, timeSteps } from "./statistics.js";
import type { Workload } from "./workloads/index.js";
import { gptWorkload, lenetWorkload } from "./workloads/training.js";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "0.3" },
    only: { type: "string", default: "batch,width,depth" },
    torch: { type: "string", default: "../shared/bench/torch_baseline.py" },
    python: { type: "string", default: "python3,/usr/bin/python3" },
    "no-draw": { type: "boolean", default: false },
  },
});

/** One curve: a workload for each size, and what to tell PyTorch. */
interface Curve {
  readonly name: string;
  readonly title: string;
  readonly xLabel: string;
  readonly sizes: readonly number[];
  readonly batch: (size: number) => number;
  readonly workload: (size: number) => Workload;
  readonly command: (size: number) => {
    readonly workload: string;
    readonly [name: string]: string | number;
  };
}

const gptBatch = 12;

const curves: readonly Curve[] = [
  {
    name: "batch",
    title: "LeNet: time a sample against the batch",
    xLabel: "log₂ of the batch",
    sizes: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    batch: (size) => size,
    workload: (size) => lenetWorkload(size),
    command: (size) => ({ workload: "lenet", batch: size }),
  },
  {
    name: "width",
    title: "GPT: time a sample against the width",
    xLabel: "log₂ of the width",
    sizes: [32, 64, 128, 256],
    batch: () => gptBatch,
    workload: (size) => gptWorkload(gptBatch, { width: size }),
    command: (size) => ({ workload: "gpt", width: size, layers: 4 }),
  },
  {
    name: "depth",
    title: "GPT: time a sample against the depth",
    xLabel: "log₂ of the layers",
    sizes: [1, 2, 4, 8],
    batch: () => gptBatch,
    workload: (size) => gptWorkload(gptBatch, { layers: size }),
    command: (size) => ({ workload: "gpt", width: 128, layers: size }),
  },
];

interface Sample {
  readonly size: number;
  /** Milliseconds a sample. */
  readonly own: number;
  readonly peer: number | null;
}

const seconds = Number(options.seconds);

async function measurePoint(curve: Curve, size: number, peer: Peer | null): Promise<Sample> {
  const workload = curve.workload(size);
  manualSeed(0);
  const { step } = workload.prepare("compiled", workload.start());
  for (let i = 0; i < 3; i++) await step();
  const samples = curve.batch(size);
  const own = median(await timeSteps(step, seconds)) / samples;
  if (!peer) return { size, own, peer: null };
  await peer.ask({ command: "prepare", ...curve.command(size) });
  const { times } = await peer.ask({ command: "time", seconds });
  return { size, own, peer: median(times!) / samples };
}

async function measureCurve(curve: Curve, peer: Peer | null): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const size of curve.sizes) {
    const sample = await measurePoint(curve, size, peer);
    samples.push(sample);
    const { own, peer: peerMs } = sample;
    const ratio = peerMs && { peer_ms: rounded(peerMs), ratio: rounded(own / peerMs) };
    console.log(JSON.stringify({ curve: curve.name, size, ms_per_sample: rounded(own), ...ratio }));
  }
  return samples;
}

function linesOf(samples: readonly Sample[], peerName: string | null): Line[] {
  const points = (value: (sample: Sample) => number | null): Point[] =>
    samples.flatMap((sample) => {
      const y = value(sample);
      return y === null ? [] : [[Math.log2(sample.size), y] as const];
    });
  return [
    { name: "Gradus, compiled", points: points(({ own }) => own), colour: look.blue, dots: true },
    { name: peerName ?? "", points: points(({ peer }) => peer), colour: look.orange, dots: true },
  ];
}

const found = await startTorch({
  baseline: options.torch,
  python: options.python,
  threads: availableParallelism(),
});
const peer = found instanceof Peer ? found : null;
if (typeof found === "string") console.log(`PyTorch is absent: ${found}`);
const panels: string[] = [];
const [width, height, gap] = [400, 340, 20];
try {
  for (const curve of curves) {
    if (!options.only.split(",").includes(curve.name)) continue;
    const lines = linesOf(await measureCurve(curve, peer), peer?.name ?? null);
    const { title, xLabel } = curve;
    const panel = {
      title,
      xLabel,
      lines,
      yKind: "log",
      note: "milliseconds, logarithmic",
    } as const;
    const frame = { left: gap + panels.length * (width + gap), top: gap, width, height };
    panels.push(drawPanel(panel, frame));
  }
} finally {
  peer?.stop();
}
if (!options["no-draw"]) {
  const file = new URL("../docs/images/scaling.svg", import.meta.url);
  const title = "Time a sample against batch, width and depth";
  writeFileSync(
    file,
    drawing(panels.length * (width + gap) + gap, height + 2 * gap, title, panels),
  );
}
