/** Single kernels: matrix products, alone and in a chain, and 3×3 convolutions. Read index.ts next. */
import { compile, nn, randn, type Tensor } from "gradus";
import { type Mode, need, type Prepared, type Start, type Workload } from "./contract.js";

/** How many values of a result are compared beside its mean size. */
const samples = 16;
/** Products of a chain. */
export const chainLength = 100;

/** The mean size of a result's elements, and some of them spread over it, as shares of that. */
export function digest(values: ArrayLike<number>): number[] {
  let size = 0;
  for (let i = 0; i < values.length; i++) size += Math.abs(values[i]!);
  const mean = size / values.length;
  const at = (i: number) => Math.floor((i * (values.length - 1)) / (samples - 1));
  return [mean, ...Array.from({ length: samples }, (_, i) => values[at(i)]! / mean)];
}

interface KernelOptions extends Pick<Workload, "name" | "what" | "cost"> {
  readonly inputs: readonly (readonly [name: string, shape: readonly number[], scale: number])[];
  readonly call: (a: Tensor, b: Tensor) => Tensor;
  readonly tolerance?: number;
}

function kernel({ inputs, call, tolerance = 1e-4, ...rest }: KernelOptions): Workload {
  return {
    ...rest,
    tolerance,
    start: (): Start =>
      new Map(inputs.map(([name, shape, scale]) => [`data.${name}`, randn([...shape]).mul(scale)])),
    prepare(mode: Mode, start: Start): Prepared {
      const [a, b] = inputs.map(([name]) => need(start, `data.${name}`)) as [Tensor, Tensor];
      const compiled = mode === "compiled" ? compile(call) : null;
      const step = compiled ? () => compiled(a, b) : async () => call(a, b);
      return { step, check: async () => digest((await step()).data) };
    },
  };
}

export const matmulWorkload = (n: number): Workload =>
  kernel({
    name: `matmul-${n}`,
    what: `float32 matrix product, ${n} cubed`,
    inputs: [
      ["a", [n, n], 1],
      ["b", [n, n], 1],
    ],
    call: (a, b) => a.matmul(b),
    cost: { flops: 2 * n ** 3, bytes: 12 * n * n },
  });

/** What small products cost where the price of a call is shared: as within a network. */
export const chainWorkload = (n: number): Workload =>
  kernel({
    name: `matmul-${n}-chain`,
    what: `${chainLength} float32 matrix products, ${n} cubed, each of the last one's result`,
    inputs: [
      ["a", [n, n], 1],
      ["b", [n, n], 1 / Math.sqrt(n)],
    ],
    call: (a, b) => {
      let x = a;
      for (let i = 0; i < chainLength; i++) x = x.matmul(b);
      return x;
    },
    tolerance: 1e-3,
    cost: { flops: chainLength * 2 * n ** 3, bytes: 8 * n * n * (chainLength + 1) },
  });

export const convolutionWorkload = (channels: number, size: number, batch = 64): Workload =>
  kernel({
    name: `conv-${channels}-${size}`,
    what: `3×3 convolution forward, ${batch}×${channels}×${size}×${size} to ${channels} channels, padding 1`,
    inputs: [
      ["x", [batch, channels, size, size], 1],
      ["w", [channels, channels, 3, 3], 1],
    ],
    call: (x, w) => nn.functional.conv2d(x, w, null, { padding: 1 }),
    cost: {
      flops: 2 * batch * channels * channels * 9 * size * size,
      bytes: 4 * (2 * batch * channels * size * size + 9 * channels * channels),
    },
  });

export const kernelWorkloads = (): Workload[] => [
  matmulWorkload(64),
  chainWorkload(64),
  ...[256, 512, 1024, 2048].map(matmulWorkload),
  convolutionWorkload(64, 32),
  convolutionWorkload(256, 8),
];
