/**
 * A compiled step asks for no memory after warm-up: the engine's own counter stands still, and JavaScript keeps nothing. What
 * a call still makes for a moment (its promise, its lists of arrays, the tensor of the loss) is counted too.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { currentEngine } from "../src/backend/select.js";
import { compile, manualSeed, nn, optim, type Tensor } from "../src/index.js";
import { backends, use } from "./support/backends.js";
import { labels, numbers, SmallConvNet } from "./support/models.js";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

const warmUp = 40;
const steps = 200;
/** What one call may make for a moment, in bytes of the JavaScript heap. */
const momentary = 24 * 1024;

function makeStep(): () => Promise<Tensor> {
  manualSeed(0);
  const model = new SmallConvNet();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const [x, y] = [numbers("x", [8, 1, 8, 8]), labels("y", 8, 5)];
  const step = compile((images: Tensor, targets: Tensor) => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(images), targets);
    loss.backward();
    optimizer.step();
    return loss;
  });
  return () => step(x, y);
}

interface Heap {
  readonly used: number;
  readonly arrays: number;
}

async function settledHeap(): Promise<Heap> {
  // Arrays and finalizers are let go between turns of the event loop.
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { used: heapUsed, arrays: arrayBuffers };
}

/**
 * What so many steps leave behind, at least, over several spells: the compiler of JavaScript keeps notes of its own in the
 * first ones, while what a step keeps is kept in all.
 */
async function keptBySteps(step: () => Promise<Tensor>): Promise<Heap> {
  let least: Heap = { used: Number.POSITIVE_INFINITY, arrays: Number.POSITIVE_INFINITY };
  for (let spell = 0; spell < 8; spell++) {
    const before = await settledHeap();
    for (let i = 0; i < steps; i++) await step();
    const after = await settledHeap();
    const arrays = Math.min(least.arrays, after.arrays - before.arrays);
    least = { used: Math.min(least.used, after.used - before.used), arrays };
  }
  return least;
}

/** Bytes that a call makes: the least growth of the heap over a few calls, during which nothing was collected. */
async function bytesOfCall(step: () => Promise<Tensor>): Promise<number> {
  const calls = 8;
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 6; tries++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) await step();
    const grown = process.memoryUsage().heapUsed - before;
    if (grown > 0) least = Math.min(least, grown / calls);
  }
  return least;
}

// The interpreter, which is for checking, allocates as it likes.
for (const place of backends.filter(({ backend }) => backend !== "interpreter")) {
  test(`a compiled step allocates nothing after warm-up on ${place.backend}`, async (t) => {
    use(place);
    const step = makeStep();
    for (let i = 0; i < warmUp; i++) await step();
    const before = currentEngine()!.memory();
    const kept = await keptBySteps(step);
    const { allocations, arenaBytes, programs } = currentEngine()!.memory();
    assert.deepEqual([allocations, arenaBytes], [before.allocations, before.arenaBytes]);
    // Programs that only the set-up used may be collected meanwhile.
    assert.ok(programs <= before.programs, `${programs} programs after ${before.programs}`);
    assert.ok(kept.used < 64 * steps, `JavaScript kept ${kept.used} bytes after ${steps} steps`);
    assert.ok(kept.arrays <= 0, `typed arrays of ${kept.arrays} bytes were kept`);
    const made = await bytesOfCall(step);
    t.diagnostic(
      `${Math.round(made)} bytes of JavaScript heap a call, ${kept.used} kept by ${steps}`,
    );
    assert.ok(made < momentary, `a call made ${made} bytes`);
  });
}
