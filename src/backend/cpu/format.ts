/**
 * Numbers of the program format that the encoder and the C++ executor share; docs/program-format.md says what they mean.
 */

import { primitiveNames } from "../../ir/primitives.js";

export const magic = 0x47524144;
export const headerWords = 8;

/** The kernels of encoded programs, numbered by their order. */
export const kernels = [
  "fused",
  "dot",
  "convolution",
  "convolutionInputGrad",
  "convolutionWeightGrad",
  "windowArgMax",
  "gather",
  "scatterAdd",
  "argReduce",
  "randomBits",
  "scan",
  "argSort",
  "indexSelect",
  "indexAdd",
  "scatter",
  "windowSum",
  "windowSumGrad",
  "factor",
  "solve",
  "attention",
  "attentionGrad",
] as const;

export type KernelName = (typeof kernels)[number];

export const kernelCode = (name: KernelName): number => kernels.indexOf(name);

/** FNV-1a over all names that programs have numbers for, so that an engine built from other tables refuses them. */
function fingerprint(names: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const character of names.join()) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return hash & 0x7fffffff;
}

export const version = fingerprint([...kernels, ...primitiveNames]);
