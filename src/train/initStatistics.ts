/**
 * What an initialisation does to a deep network: the spread of activations and of gradients, layer by layer. Read
 * draw/initStatistics.ts for the picture.
 */
import { ValueError } from "../core/errors.js";
import * as nn from "../nn/index.js";
import { noGrad } from "../tensor/context.js";
import { zerosLike } from "../tensor/create.js";
import { Generator, randn } from "../tensor/random.js";
import { Tensor } from "../tensor/tensor.js";

/** Moments of many numbers, and how they are spread. */
export interface Spread {
  readonly mean: number;
  readonly std: number;
  /** Share of exact zeros: dead units of relu. */
  readonly zeros: number;
  readonly least: number;
  readonly greatest: number;
  /** Counts in bins of equal width from least to greatest, without exact zeros, which would dwarf the rest. */
  readonly counts: readonly number[];
}

/** One module's output and the gradient that arrives there. */
export interface LayerStatistics {
  readonly name: string;
  readonly kind: string;
  readonly activation: Spread;
  readonly gradient: Spread;
}

const bins = 40;

/** Moments and histogram of numbers. */
export function spreadOf(values: ArrayLike<number>): Spread {
  const n = values.length;
  let [sum, zeros, least, greatest] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < n; i++) {
    const x = values[i]!;
    sum += x;
    zeros += Number(x === 0);
    least = Math.min(least, x);
    greatest = Math.max(greatest, x);
  }
  const mean = sum / n;
  let squares = 0;
  const counts = new Array<number>(bins).fill(0);
  const width = (greatest - least) / bins;
  for (let i = 0; i < n; i++) {
    const x = values[i]!;
    squares += (x - mean) ** 2;
    if (x === 0) continue;
    const bin = width > 0 ? Math.min(bins - 1, Math.floor((x - least) / width)) : 0;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { mean, std: Math.sqrt(squares / n), zeros: zeros / n, least, greatest, counts };
}

export interface LayerStatisticsOptions {
  /** What is differentiated; default the sum of the output times standard normal numbers. */
  readonly loss?: (output: Tensor) => Tensor;
  /** Of these numbers; default 0. */
  readonly seed?: number;
  /** Whether a module is looked at; default: those without parts. */
  readonly filter?: (module: nn.Module, name: string) => boolean;
}

const isLeaf = (module: nn.Module): boolean => module.namedChildren().next().done === true;

/**
 * Runs a model on a batch, forward and backward, and measures the output of each of its modules and the gradient of the loss
 * with regard to it, in the order of the calls. The model's own gradients are left as they were.
 *
 * @throws ValueError if no module was looked at.
 * @example
 * ```ts
 * import { nn, randn } from "gradus";
 * import { layerStatistics } from "gradus/train";
 * const net = new nn.Sequential(new nn.Linear(64, 64), new nn.ReLU());
 * const [linear, relu] = layerStatistics(net, randn([100, 64]));
 * console.log(linear?.kind, relu?.kind, (relu?.activation.zeros ?? 0) > 0.4); // → Linear ReLU true
 * ```
 */
export function layerStatistics(
  model: nn.Module,
  x: Tensor,
  { loss, seed = 0, filter = isLeaf }: LayerStatisticsOptions = {},
): LayerStatistics[] {
  const seen: { name: string; kind: string; output: Tensor; probe: Tensor }[] = [];
  const hooks = [...model.namedModules()].flatMap(([name, module]) => {
    if (!filter(module, name)) return [];
    return module.registerForwardHook((_, output) => {
      if (!(output instanceof Tensor)) return undefined;
      // Nothing is added, but what arrives here is this leaf's gradient.
      const probe = zerosLike(output, { requiresGrad: true });
      seen.push({ name, kind: module.constructor.name, output: output.detach(), probe });
      return output.add(probe);
    });
  });
  const before = model.parameters().map((p) => [p, p.grad] as const);
  try {
    const output = (model as { forward(x: Tensor): unknown }).forward(x) as Tensor;
    const { shape, dtype } = output;
    const noise = () => randn([...shape], { dtype, generator: new Generator(seed) });
    (loss ? loss(output) : output.mul(noise()).sum()).backward();
  } finally {
    for (const hook of hooks) hook.remove();
    for (const [p, grad] of before) p.grad = grad;
  }
  if (seen.length === 0) throw new ValueError("layerStatistics", "no module gave a tensor");
  return seen.map(({ name, kind, output, probe }) => ({
    ...{ name, kind, activation: spreadOf(output.data) },
    gradient: spreadOf(probe.grad?.data ?? zerosLike(probe).data),
  }));
}

/**
 * Initialisations that can be compared; `small` and `large` are normal with standard deviation 0.01 and 0.2, `truncNormal` is Kaiming's cut
 * off at two standard deviations, `sparse` has nine zeros in ten and the same variance of outputs, `constant` is 1 / width.
 */
export const initNames = [
  ...(["default", "small", "large", "xavierNormal", "xavierUniform", "kaimingNormal"] as const),
  ...(["kaimingUniform", "lecunNormal", "lecunUniform", "orthogonal", "lsuv"] as const),
  ...(["truncNormal", "sparse", "constant"] as const),
] as const;
export type InitName = (typeof initNames)[number];

export const initNonlinearities = [
  ...(["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"] as const),
] as const;

export interface InitStatisticsOptions {
  readonly init: InitName;
  /** Default relu. */
  readonly nonlinearity?: nn.init.Nonlinearity;
  /** Linear layers, each with the nonlinearity after it; default 8. */
  readonly layers?: number;
  /** Units of each layer and of the input; default 256. */
  readonly width?: number;
  /** Examples, standard normal; default 256. */
  readonly batch?: number;
  readonly seed?: number;
}

const activations: Readonly<Record<nn.init.Nonlinearity, () => nn.Layer>> = {
  linear: () => new nn.Identity(),
  sigmoid: () => new nn.Sigmoid(),
  tanh: () => new nn.Tanh(),
  relu: () => new nn.ReLU(),
  leakyRelu: () => new nn.LeakyReLU(),
  selu: () => new nn.SELU(),
};

/** A normal distribution that is cut off at two standard deviations has 0.8796 of its spread left. */
function cutOff(std: number): { readonly std: number; readonly a: number; readonly b: number } {
  const whole = std / 0.8796256610342398;
  return { std: whole, a: -2 * whole, b: 2 * whole };
}

function initialise(
  weight: Tensor,
  init: InitName,
  nonlinearity: nn.init.Nonlinearity,
  generator: Generator,
): void {
  const gain = nn.init.calculateGain(nonlinearity);
  const width = weight.shape[1]!;
  const rules: Partial<Record<InitName, () => Tensor>> = {
    default: () => nn.init.kaimingUniform(weight, { a: Math.sqrt(5), generator }),
    small: () => nn.init.normal(weight, 0, 0.01, { generator }),
    // For 256 units about what 0.05 is for 4096: some three times the spread that is kept.
    large: () => nn.init.normal(weight, 0, 0.2, { generator }),
    xavierNormal: () => nn.init.xavierNormal(weight, { generator }),
    xavierUniform: () => nn.init.xavierUniform(weight, { generator }),
    kaimingNormal: () => nn.init.kaimingNormal(weight, { nonlinearity, a: 0.01, generator }),
    kaimingUniform: () => nn.init.kaimingUniform(weight, { nonlinearity, a: 0.01, generator }),
    lecunNormal: () => nn.init.lecunNormal(weight, { generator }),
    lecunUniform: () => nn.init.lecunUniform(weight, { generator }),
    orthogonal: () => nn.init.orthogonal(weight, { gain, generator }),
    lsuv: () => nn.init.orthogonal(weight, { generator }),
    truncNormal: () =>
      nn.init.truncNormal(weight, { ...cutOff(gain / Math.sqrt(width)), generator }),
    sparse: () =>
      nn.init.sparse(weight, { sparsity: 0.9, std: gain / Math.sqrt(0.1 * width), generator }),
    constant: () => nn.init.constant(weight, 1 / width),
  };
  rules[init]!();
}

/**
 * The spread of activations and gradients through a deep network without biases, for one initialisation and nonlinearity: one entry for
 * each nonlinearity's output.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { initStatistics } from "gradus/train";
 * const rows = initStatistics({ init: "small", nonlinearity: "tanh", layers: 4, width: 64 });
 * console.log(rows.length, (rows[3]?.activation.std ?? 1) < 1e-3); // → 4 true
 * ```
 */
export function initStatistics(options: InitStatisticsOptions): LayerStatistics[] {
  const { init, nonlinearity = "relu", layers = 8, width = 256, batch = 256, seed = 0 } = options;
  for (const [name, value] of Object.entries({ layers, width, batch }))
    if (!Number.isInteger(value) || value < 1 || value > 10_000)
      throw new ValueError("initStatistics", `${name} must be from 1 to 10000, got ${value}`);
  if (!initNames.includes(init))
    throw new ValueError("initStatistics", `init must be one of ${initNames.join(", ")}`);
  if (!Object.hasOwn(activations, nonlinearity))
    throw new ValueError(
      "initStatistics",
      `nonlinearity must be one of ${initNonlinearities.join(", ")}`,
    );
  const generator = new Generator(seed);
  const net = new nn.Sequential(
    ...Array.from({ length: layers }, () => [
      new nn.Linear(width, width, { bias: false }),
      activations[nonlinearity](),
    ]).flat(),
  );
  const x = randn([batch, width], { generator });
  noGrad(() => {
    for (const part of net)
      if (part instanceof nn.Linear) initialise(part.weight, init, nonlinearity, generator);
    if (init === "lsuv") nn.init.lsuv(net, x, { orthogonal: false });
  });
  const isActivation = (module: nn.Module) => isLeaf(module) && !(module instanceof nn.Linear);
  return layerStatistics(net, x, { seed, filter: isActivation });
}
