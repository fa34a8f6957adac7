/**
 * A loader whose pictures are changed at random, batch by batch, by a compiled program. The changes depend on seed, epoch and
 * batch alone: a resumed run sees the same pictures. Read augmentations.ts for what there is.
 */
import { exampleGenerator } from "../../data/order.js";
import { compile, noGrad } from "../../tensor/index.js";
import { Generator } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";
import { normalize } from "../../vision/transforms/color.js";
import type { Transform } from "../../vision/transforms/index.js";
import { shiftImages } from "../augment.js";
import { mapBatches } from "../mapBatches.js";
import type { BatchSource } from "../steps.js";
import { type Draws, transforms } from "./augmentations.js";
import { type Chosen, makeChosen } from "./choices.js";
import type { Normalization } from "./data.js";

type Finish = (x: Tensor) => Tensor;

/** A loader whose first part goes through transforms; float pictures [B, C, H, W] from 0 to 1. */
function transformed(
  source: BatchSource,
  chosen: readonly Chosen[],
  seed: number,
  finish: Finish,
): BatchSource {
  const generator = new Generator();
  const chain = chosen.map((one) => makeChosen<Draws, Transform>(transforms, one, { generator }));
  const run = compile((x: Tensor) =>
    noGrad(() => finish(chain.reduce((y, transform) => transform.forward(y), x))),
  );
  return mapBatches(source, async ([images, ...rest], { epoch, batch }) => {
    generator.setState(exampleGenerator({ seed, epoch }, batch).getState());
    return [await run(images!), ...rest];
  });
}

export interface AugmentOptions {
  readonly seed: number;
  /** What comes after the last change. */
  readonly normalization?: Normalization;
}

/** Whether changes need pictures from 0 to 1, to be normalised after. */
export const needsUnitRange = (chosen: readonly Chosen[]): boolean =>
  chosen.some(({ name }) => name !== "shift");

/** A loader with changes of its pictures, in their order. */
export function augmentBatches(
  source: BatchSource,
  chosen: readonly Chosen[],
  { seed, normalization }: AugmentOptions,
): BatchSource {
  const last = chosen.findLastIndex(({ name }) => name !== "shift");
  const finish: Finish = (x) =>
    normalization ? normalize(x, normalization.mean, normalization.std) : x;
  let result = source;
  for (let i = 0; i < chosen.length; ) {
    const one = chosen[i]!;
    if (one.name === "shift") {
      result = shiftImages(result, { pixels: Number(one.pixels), seed });
      i++;
      continue;
    }
    const next = chosen.findIndex(({ name }, at) => at > i && name === "shift");
    const end = next < 0 ? chosen.length : next;
    result = transformed(result, chosen.slice(i, end), seed + i, last < end ? finish : (x) => x);
    i = end;
  }
  return result;
}
