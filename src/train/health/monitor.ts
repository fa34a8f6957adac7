/**
 * A training step that also tells what goes on inside the network: before the step, a compiled look at the same batch takes norms,
 * gradients and activations and changes nothing; then the step itself runs, the same program as ever. Read modules.ts for hooks,
 * ../doctor/diagnose.ts for what is made of the numbers.
 */
import { isFloat } from "../../core/dtype.js";
import type { Module } from "../../nn/module.js";
import { amax } from "../../ops/index.js";
import type { Optimizer } from "../../optim/index.js";
import { type OpObserver, withObserver } from "../../tensor/context.js";
import { compile, noGrad, Tensor } from "../../tensor/index.js";
import type { ActivationHealth, HealthEvent, ParameterHealth } from "../events.js";
import {
  makeTrainStep,
  type StepOutcome,
  type TrainStep,
  type TrainStepOptions,
  transformed,
} from "../loop/trainStep.js";
import { measureBatch } from "../steps.js";
import { isLeafModule, ModuleStack, modulesInMode } from "./modules.js";

/** What a {@link HealthEvent} holds besides its place in the run. */
export type Health = Omit<HealthEvent, "type" | "epoch" | "step">;

export interface MonitoredStepOptions extends TrainStepOptions {
  /** The step to watch; default the one that `fit` makes of these options. */
  readonly step?: TrainStep;
}

/** What a watched step gives: what the step itself gave, and the health. */
export interface MonitoredOutcome {
  readonly outcome: StepOutcome;
  readonly health: Health;
}

/** Functions that end at bounds, by the lower-case name of op or class. */
const bounds: Readonly<Record<string, readonly [low: number, high: number]>> = {
  tanh: [-1, 1],
  sigmoid: [0, 1],
  hardtanh: [-1, 1],
  hardsigmoid: [0, 1],
  softsign: [-1, 1],
};
/** Functions looked at also where a `forward` calls them without a module. */
const watchedOps = new Set([...Object.keys(bounds), "relu", "relu6", "leakyRelu", "elu", "gelu"]);

interface Output {
  readonly name: string;
  readonly kind: string;
  readonly value: Tensor;
  /** Which dim tells the units apart. */
  readonly unitDim: number;
}

/** Collects outputs while a model runs: those of modules without parts, and those of activation functions called elsewhere. */
class Outputs implements OpObserver {
  readonly found: Output[] = [];
  readonly #counts = new Map<string, number>();
  readonly #stack: ModuleStack;
  /** Of the last layer with weights: its units are channels, or the last dim. */
  #isByChannel = true;

  constructor(model: Module) {
    this.#stack = new ModuleStack(model, ({ name, kind, module }, output) => {
      if (!(output instanceof Tensor) || !isFloat(output.dtype) || !isLeafModule(module)) return;
      if (/^(Linear|Embedding|LayerNorm|RMSNorm)/.test(kind)) this.#isByChannel = false;
      if (/^(Conv|BatchNorm|GroupNorm|InstanceNorm)/.test(kind)) this.#isByChannel = true;
      const last = this.found.at(-1);
      if (last?.value !== output) this.#add(name, kind, output);
      // The module's name says more than that of the op in it; what hands its input on, as dropout in evaluation, says nothing.
      else if (watchedOps.has(last.kind))
        this.found[this.found.length - 1] = { ...last, name, kind };
    });
  }

  applied(op: string, _: readonly Tensor[], [value]: readonly Tensor[]): void {
    if (!watchedOps.has(op) || !value || !isFloat(value.dtype)) return;
    const inside = this.#stack.top?.name;
    const path = inside ? `${inside}.${op}` : op;
    const count = (this.#counts.get(path) ?? 0) + 1;
    this.#counts.set(path, count);
    this.#add(count === 1 ? path : `${path}${count}`, op, value);
  }

  #add(name: string, kind: string, value: Tensor): void {
    const { length } = value.shape;
    if (length === 0 || value.size === 0) return;
    const unitDim = length >= 4 || (length === 3 && this.#isByChannel) ? 1 : length - 1;
    this.found.push({ name, kind, value, unitDim });
  }

  remove(): void {
    this.#stack.remove();
  }
}

const normOf = (x: Tensor): Tensor => x.square().sum().sqrt();

function activationOf({ name, kind, value, unitDim }: Output) {
  const mean = value.mean();
  const others = value.shape.flatMap((_, i) => (i === unitDim ? [] : [i]));
  const highest = others.length > 0 ? amax(value.abs(), others) : value.abs();
  const range = bounds[kind.toLowerCase()];
  const statistics = {
    mean,
    std: value.sub(mean).square().mean().sqrt(),
    dead: highest.eq(0).to("float32").mean(),
  };
  if (!range) return { name, kind, ...statistics };
  const [low, high] = range;
  const room = (high - low) / 100;
  const isAtEnd = value.lt(low + room).logicalOr(value.gt(high - room));
  return { name, kind, ...statistics, saturated: isAtEnd.to("float32").mean() };
}

const inputOf = (x: Tensor) => {
  if (!isFloat(x.dtype) || x.size === 0) return null;
  const mean = x.mean();
  return { mean, std: x.sub(mean).square().mean().sqrt(), min: x.amin(), max: x.amax() };
};

/** A compiled look at a batch that leaves everything as it was. */
function makeLook(model: Module, optimizer: Optimizer, options: TrainStepOptions) {
  const parameters = [...model.namedParameters()];
  const { metrics: _, ...withoutMetrics } = options;
  return compile(
    (given: readonly Tensor[]) => {
      const batch = transformed(given, options);
      const outputs = new Outputs(model);
      try {
        const { loss } = withObserver(outputs, () => measureBatch(model, batch, withoutMetrics));
        optimizer.zeroGrad();
        for (const [, p] of parameters) p.grad = null;
        loss.backward();
      } finally {
        outputs.remove();
      }
      return noGrad(() => ({
        parameters: parameters.map(([, p]) => ({
          norm: normOf(p),
          gradient: p.grad && normOf(p.grad),
        })),
        activations: outputs.found.map(activationOf),
        input: inputOf(batch[0]!),
      }));
    },
    { commit: false },
  );
}

/** JSON has no other numbers: what is not finite becomes the largest. */
const numberOf = (x: number): number => (Number.isFinite(x) ? x : Number.MAX_VALUE);

const item = (x: Tensor): number => numberOf(x.item());

/** ‖after − before‖ / ‖before‖. */
function changeOf(before: ArrayLike<number>, after: ArrayLike<number>): number {
  let [change, size] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    change += (after[i]! - before[i]!) ** 2;
    size += before[i]! ** 2;
  }
  if (change === 0) return 0;
  return size === 0 ? Number.MAX_VALUE : numberOf(Math.sqrt(change / size));
}

/**
 * A training step that also gives the numbers of a {@link HealthEvent}: of each parameter its norm, its gradient's norm and the ratio of the
 * step's change to it; of each layer's output mean, standard deviation, dead units and saturation; of the input mean, standard
 * deviation and range; and which layers are in eval mode.
 *
 * What it takes is read from the state before the step, with the random numbers that the step will draw, and changes nothing; the update
 * itself is done by the very step that it watches, so it is the same bit for bit. It takes about twice a step's time.
 *
 * Gradients are those of the loss of the step's last batch, before any clipping.
 *
 * @example
 * ```ts
 * import { manualSeed, nn, optim, randn, tensor } from "gradus";
 * import { makeMonitoredStep } from "gradus/train";
 * manualSeed(0);
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * const step = makeMonitoredStep(model, new optim.SGD(model.parameters(), { lr: 0.1 }), {});
 * const batch = [randn([3, 4]), tensor([0, 1, 1], { dtype: "int32" })];
 * const { health } = await step([batch]);
 * console.log(health.activations.map(({ kind }) => kind)); // → [ 'Linear', 'ReLU', 'Linear' ]
 * ```
 */
export function makeMonitoredStep(
  model: Module,
  optimizer: Optimizer,
  { step, ...options }: MonitoredStepOptions,
): (batches: readonly (readonly Tensor[])[]) => Promise<MonitoredOutcome> {
  const run = step ?? makeTrainStep(model, optimizer, options);
  const look = makeLook(model, optimizer, options);
  const parameters = [...model.namedParameters()];
  return async (batches) => {
    const seen = await look(batches.at(-1)!);
    const evalModules = modulesInMode(model, false);
    const before = parameters.map(([, p]) => p.data.slice());
    const outcome = await run(batches);
    const optimized = new Set(optimizer.paramGroups.flatMap(({ params }) => params));
    const health: Health = {
      parameters: parameters.map(([name, p], i): ParameterHealth => {
        const { norm, gradient } = seen.parameters[i]!;
        return {
          name,
          trainable: p.requiresGrad && optimized.has(p),
          norm: item(norm),
          gradientNorm: gradient && item(gradient),
          updateRatio: changeOf(before[i]!, p.data),
        };
      }),
      activations: seen.activations.map(
        ({ name, kind, mean, std, dead, ...rest }): ActivationHealth => ({
          ...{ name, kind, mean: item(mean), std: item(std), dead: item(dead) },
          saturated: "saturated" in rest ? item(rest.saturated) : 0,
        }),
      ),
      ...(seen.input && {
        input: {
          mean: item(seen.input.mean),
          std: item(seen.input.std),
          min: item(seen.input.min),
          max: item(seen.input.max),
        },
      }),
      evalModules,
    };
    return { outcome, health };
  };
}
