/** All workloads that `npm run bench` times: those of the PyTorch baseline, under its names. */
import type { Workload } from "./contract.js";
import { kernelWorkloads } from "./kernels.js";
import { trainingWorkloads } from "./training.js";

export type { Cost, Mode, Prepared, Start, Workload } from "./contract.js";

export const allWorkloads = (): Workload[] => [...trainingWorkloads(), ...kernelWorkloads()];
