/**
 * Standard functions to minimise, with their spaces: the same as in scripts/fixtures/makeSearch.py, whose fixture says what
 * Optuna reaches on them.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import {
  choice,
  createStudy,
  integer,
  logInteger,
  logUniform,
  type Parameters,
  type Sampler,
  type SpaceTree,
  uniform,
  when,
} from "gradus/tune";

export interface SearchFunction {
  readonly space: SpaceTree;
  readonly value: (parameters: Parameters) => number;
}

type Numbers = Readonly<Record<string, number>>;

const cube = (dims: number, low: number, high: number): SpaceTree =>
  Object.fromEntries(Array.from({ length: dims }, (_, i) => [`x${i}`, uniform(low, high)]));

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** A function of numbers alone. */
const numeric = (space: SpaceTree, value: (p: Numbers) => number): SearchFunction => ({
  space,
  value: (parameters) => value(parameters as Numbers),
});

function branin({ x, y }: Numbers): number {
  const curve = y! - (5.1 / (4 * Math.PI ** 2)) * x! ** 2 + (5 / Math.PI) * x! - 6;
  return curve ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x!) + 10;
}

const hartmannRates = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const hartmannPlaces = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];

function hartmann6(parameters: Numbers): number {
  const x = Object.values(parameters);
  const bumps = [1, 1.2, 3, 3.2].map((height, i) => {
    const distances = x.map((v, j) => hartmannRates[i]![j]! * (v - hartmannPlaces[i]![j]!) ** 2);
    return height * Math.exp(-sum(distances));
  });
  return -sum(bumps);
}

function ackley(parameters: Numbers): number {
  const x = Object.values(parameters);
  const distance = Math.sqrt(sum(x.map((v) => v * v)) / x.length);
  const waves = sum(x.map((v) => Math.cos(2 * Math.PI * v))) / x.length;
  return -20 * Math.exp(-0.2 * distance) - Math.exp(waves) + 20 + Math.E;
}

const conditional: SearchFunction = {
  space: {
    kind: choice(["flat", "deep"]),
    flat: when("kind", "flat", { x: uniform(-1, 1) }),
    deep: when("kind", "deep", {
      depth: integer(1, 8),
      rate: logUniform(1e-5, 1),
      x: uniform(-1, 1),
    }),
  },
  value({ kind, ...rest }) {
    const p = rest as Numbers;
    if (kind === "flat") return 0.3 + (p["flat.x"]! - 0.2) ** 2;
    const rate = Math.log10(p["deep.rate"]!) + 3;
    return 0.05 * Math.abs(p["deep.depth"]! - 6) + 0.2 * rate ** 2 + (p["deep.x"]! + 0.5) ** 2;
  },
};

const activations: Readonly<Record<string, readonly [best: number, offset: number]>> = {
  relu: [-2, 0.02],
  tanh: [-2.5, 0.1],
  sigmoid: [-1, 0.4],
  gelu: [-2.2, 0],
};

const mixed: SearchFunction = {
  space: {
    rate: logUniform(1e-5, 1),
    width: logInteger(4, 512),
    momentum: uniform(0, 0.99),
    activation: choice(Object.keys(activations)),
    layers: integer(1, 6),
  },
  value({ activation, ...rest }) {
    const p = rest as Numbers;
    const [best, offset] = activations[activation as string]!;
    const [rate, width] = [Math.log10(p.rate!) - best, Math.log2(p.width!) - 7];
    const slow = 0.05 * width ** 2 + 0.5 * (p.momentum! - 0.9) ** 2;
    return rate ** 2 + slow + offset + 0.01 * Math.abs(p.layers! - 3);
  },
};

export const searchFunctions: Readonly<Record<string, SearchFunction>> = {
  sphere: numeric(cube(5, -5.12, 5.12), (p) => sum(Object.values(p).map((v) => v * v))),
  rosenbrock: numeric(cube(3, -2.048, 2.048), ({ x0, x1, x2 }) => {
    const part = (a: number, b: number) => 100 * (b - a * a) ** 2 + (1 - a) ** 2;
    return part(x0!, x1!) + part(x1!, x2!);
  }),
  branin: numeric({ x: uniform(-5, 10), y: uniform(0, 15) }, branin),
  hartmann6: numeric(cube(6, 0, 1), hartmann6),
  ackley: numeric(cube(4, -32.768, 32.768), ackley),
  conditional,
  mixed,
};

export interface SearchFixture {
  readonly optuna: string;
  readonly checkpoints: readonly number[];
  /** By function and sampler: for each checkpoint the best value of every seed. */
  readonly best: Readonly<Record<string, Readonly<Record<string, readonly (readonly number[])[]>>>>;
  readonly places: Readonly<
    Record<string, readonly { readonly parameters: Parameters; readonly value: number }[]>
  >;
  readonly importances: {
    readonly names: readonly string[];
    readonly rows: readonly (readonly (number | string)[])[];
    readonly fanova: Readonly<Record<string, number>>;
  };
  readonly halton: readonly number[];
  readonly pruning: {
    readonly curves: readonly (readonly number[])[];
    /** By pruner and direction: the step at which each trial ended early, or 0. */
    readonly ends: Readonly<Record<string, readonly number[]>>;
  };
  readonly truncated: readonly {
    readonly mean: number;
    readonly sigma: number;
    readonly x: number;
    readonly logDensity: number;
    readonly cumulative: number;
  }[];
}

export function readSearchFixture(): SearchFixture {
  const file = new URL("../fixtures/search.json.gz", import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString());
}

/** The best values that a search has after so many trials. */
export async function bestAfter(
  { space, value }: SearchFunction,
  sampler: Sampler,
  checkpoints: readonly number[],
): Promise<number[]> {
  const study = await createStudy({ space, sampler });
  const trials = checkpoints.at(-1)!;
  await study.optimize(({ parameters }) => value(parameters as Parameters), { trials });
  const values = (await study.trials()).map((trial) => trial.value!);
  return checkpoints.map((count) => Math.min(...values.slice(0, count)));
}
