/**
 * Numbers of the program format that the encoder and the C++ executor share; docs/program-format.md says what they mean.
 */

export const magic = 0x47524144;
export const version = 1;
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
] as const;

export type KernelName = (typeof kernels)[number];

export const kernelCode = (name: KernelName): number => kernels.indexOf(name);
