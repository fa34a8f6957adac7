/**
 * Finds the op that made the first value that is not finite: the step runs eagerly under an observer, and from a bad loss or gradient
 * the way goes back to the op whose inputs were all finite. Read causes.ts for the likely cause, guard.ts for its use while training.
 */
import type { Module } from "../../nn/module.js";
import type { Optimizer } from "../../optim/index.js";
import { type OpObserver, withObserver } from "../../tensor/context.js";
import type { Storage } from "../../tensor/storage.js";
import type { InputGradient, TapeNode } from "../../tensor/tape.js";
import type { Tensor } from "../../tensor/tensor.js";
import { type TrainStepOptions, transformed } from "../loop/trainStep.js";
import { measureBatch } from "../steps.js";
import { causeOf } from "./causes.js";
import { ModuleStack } from "./modules.js";
import { badValue, rangeOf, shortNumber, spellRange, type ValueRange } from "./ranges.js";
import { Snapshot } from "./snapshot.js";

/** Where in a step a value stopped being finite. */
export type AnomalyPlace = "data" | "parameters" | "forward" | "backward" | "update";

/** The origin of a value that is not finite. */
export interface Anomaly {
  readonly place: AnomalyPlace;
  /** What came out. */
  readonly value: "NaN" | "Infinity" | "-Infinity";
  /** The op; null for values that came in so. */
  readonly op: string | null;
  /** The module whose `forward` ran the op, as in `namedModules()` ("" for the model itself); null for the loss, batchTransform and data. */
  readonly module: string | null;
  /** Its class. */
  readonly kind: string | null;
  /** Of the op's inputs; in the backward pass also of the gradients that arrived. */
  readonly inputs: readonly ValueRange[];
  /** The likely cause, and what to do. */
  readonly cause: string;
  /** All of it in one paragraph. */
  readonly message: string;
}

export interface FindAnomalyOptions
  extends Pick<TrainStepOptions, "batchLoss" | "batchTransform" | "loss"> {
  /** With it the update is tried too (and taken back). */
  readonly optimizer?: Optimizer;
  /** Named in the message. */
  readonly step?: number;
}

type Outside = "batchTransform" | "the loss";

/** One op that gave something not finite, or one call that gradients go back through. */
interface Call {
  readonly op: string;
  readonly isBackward: boolean;
  readonly module: { readonly name: string; readonly kind: string } | null;
  /** Where it is, if in no module. */
  readonly outside: Outside;
  readonly inputs: readonly Tensor[];
  readonly arriving: readonly Tensor[];
  readonly output: Tensor;
}

const storageOf = (x: Tensor): Storage => x.storageFor("findAnomaly");

/** Notes each op whose output is not finite. */
class Watcher implements OpObserver {
  readonly #bad = new Map<Storage, Call>();
  readonly #calls = new Map<TapeNode, Call>();
  readonly #stack: ModuleStack;
  isBackward = false;
  outside: Outside = "the loss";

  constructor(model: Module) {
    this.#stack = new ModuleStack(model);
  }

  applied(op: string, inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
    const top = this.#stack.top;
    const module = top ? { name: top.name, kind: top.kind } : null;
    for (const output of outputs) {
      const { isBackward, outside } = this;
      const call = { op, isBackward, module, outside, inputs, arriving: [], output };
      if (output.tape) this.#calls.set(output.tape.node, call);
      this.#note(call);
    }
  }

  differentiated(
    node: TapeNode,
    cotangents: readonly (Tensor | null)[],
    gradients: readonly InputGradient[],
  ): void {
    const forward = this.#calls.get(node);
    const arriving = cotangents.filter((g) => g !== null);
    const { module = null, outside = this.outside } = forward ?? {};
    const about = { op: node.name, isBackward: true, module, outside, arriving };
    for (const [, output] of gradients)
      this.#note({ ...about, inputs: forward?.inputs ?? [], output });
  }

  #note(call: Call): void {
    const storage = storageOf(call.output);
    if (!this.#bad.has(storage) && badValue(call.output)) this.#bad.set(storage, call);
  }

  callOf(x: Tensor): Call | undefined {
    return this.#bad.get(storageOf(x));
  }

  remove(): void {
    this.#stack.remove();
  }
}

/** What a call took that was not finite, the NaNs first. */
function badSources({ inputs, arriving, isBackward }: Call): Tensor[] {
  const sources = isBackward && arriving.length > 0 ? [...arriving, ...inputs] : [...inputs];
  const bad = sources.filter((x) => badValue(x));
  return bad.sort((a, b) => Number(hasNaN(b)) - Number(hasNaN(a)));
}

const hasNaN = (x: Tensor): boolean => x.data.some((value) => Number.isNaN(value));

/** Ops that put in what they are told to, such as a mask's -∞. */
const filling = new Set(["maskedFill", "where", "full", "pad", "triu", "tril", "indexFill"]);

/** The way back from a bad tensor: the calls it went through, and the tensor at its beginning if that came from outside. */
function wayBack(watcher: Watcher, from: Tensor) {
  const calls: Call[] = [];
  const seen = new Set<Storage>();
  let leaf: Tensor | null = null;
  for (let at: Tensor | undefined = from; at && !seen.has(storageOf(at)); ) {
    seen.add(storageOf(at));
    const call = watcher.callOf(at);
    if (!call) {
      leaf = at;
      break;
    }
    calls.push(call);
    at = badSources(call)[0];
  }
  return { calls, leaf };
}

const spell = (value: number): Anomaly["value"] =>
  Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

/** Names of tensors that a person knows. */
class Names {
  readonly #names = new Map<Storage, { readonly name: string; readonly place: AnomalyPlace }>();

  constructor(model: Module, batch: readonly Tensor[]) {
    for (const [name, tensor] of model.stateDict())
      this.#names.set(storageOf(tensor), { name, place: "parameters" });
    for (const [i, part] of [...batch.entries()].reverse()) {
      const name = i === 0 ? "input" : batch.length === 2 ? "target" : `part ${i + 1}`;
      this.#names.set(storageOf(part), { name, place: "data" });
    }
  }

  of(x: Tensor) {
    return this.#names.get(storageOf(x));
  }
}

class Finder {
  readonly #model: Module;
  readonly #batch: readonly Tensor[];
  readonly #options: FindAnomalyOptions;
  readonly #names: Names;
  readonly #watcher: Watcher;

  constructor(model: Module, batch: readonly Tensor[], options: FindAnomalyOptions) {
    this.#model = model;
    this.#batch = batch;
    this.#options = options;
    this.#names = new Names(model, batch);
    this.#watcher = new Watcher(model);
  }

  find(): Anomaly | null {
    const { optimizer } = this.#options;
    const watcher = this.#watcher;
    try {
      return withObserver(watcher, () => {
        this.#model.zeroGrad();
        watcher.outside = "batchTransform";
        const batch = transformed(this.#batch, this.#options);
        watcher.outside = "the loss";
        const { loss: value } = measureBatch(this.#model, batch, this.#options);
        if (badValue(value)) return this.#explain(value);
        watcher.isBackward = true;
        value.backward();
        const bad = [...this.#model.namedParameters()].findLast(
          ([, p]) => p.grad && badValue(p.grad),
        );
        if (bad) return this.#explain(bad[1].grad!);
        return optimizer ? this.#tryUpdate(optimizer) : null;
      });
    } finally {
      watcher.remove();
    }
  }

  #explain(from: Tensor): Anomaly {
    const { calls, leaf } = wayBack(this.#watcher, from);
    const known = leaf && this.#names.of(leaf);
    if (leaf && known) return this.#cameIn(leaf, known);
    const last = calls.at(-1)!;
    // What was filled in on purpose is not the fault, but what made NaN of it.
    const isFilled = leaf !== null || filling.has(last.op);
    const culprit = isFilled ? (calls.findLast((call) => hasNaN(call.output)) ?? last) : last;
    return this.#ofCall(culprit);
  }

  #cameIn(leaf: Tensor, { name, place }: { name: string; place: AnomalyPlace }): Anomaly {
    const { index, value } = badValue(leaf)!;
    const perExample = leaf.size / (leaf.shape[0] ?? 1);
    const where =
      place === "data"
        ? `${spell(value)} in the data: the ${name} of example ${Math.floor(index / perExample)} of the ` +
          `batch holds it, at element ${index % perExample}`
        : `${name} holds ${spell(value)} already before this step, at element ${index}`;
    const advice =
      place === "data"
        ? "clean the data, or fill what is missing"
        : "what made it came earlier; begin again from a checkpoint before that, in debug mode";
    const inputs = [rangeOf(name, leaf)];
    const about = { op: null, module: null, kind: null, inputs, value: spell(value), place };
    return { ...about, cause: advice, message: `${this.#at}${where}; ${advice}` };
  }

  #ofCall({ op, isBackward, module, outside, inputs, arriving, output }: Call): Anomaly {
    const ranges = inputs.map((x, i) => rangeOf(this.#names.of(x)?.name ?? `input ${i}`, x));
    const gradients = arriving.map((g) => rangeOf("gradient that arrives", g));
    const cause = causeOf({ op, isBackward, inputs: ranges, arriving: gradients });
    const value = spell(badValue(output)!.value);
    const owner = module
      ? `in ${module.name ? `${module.name} (${module.kind})` : `the model itself (${module.kind})`}`
      : `in ${outside}`;
    const all = [...ranges, ...gradients];
    const what = `${op} gives ${value} ${owner}${isBackward ? ", in the backward pass" : ""}`;
    const parts = [`${this.#at}${what}: ${cause}`, ...all.map(spellRange)];
    return {
      ...{ place: isBackward ? "backward" : "forward", value, op, inputs: all, cause },
      ...{ module: module?.name ?? null, kind: module?.kind ?? null },
      message: parts.join("\n  "),
    };
  }

  get #at(): string {
    const { step } = this.#options;
    return step === undefined ? "" : `step ${step}: `;
  }

  #tryUpdate(optimizer: Optimizer): Anomaly | null {
    const gradients = new Map(
      [...this.#model.namedParameters()].map(([name, p]) => [name, p.grad] as const),
    );
    optimizer.step();
    const bad = [...this.#model.namedParameters()].find(([, p]) => badValue(p));
    if (!bad) return null;
    const [name, p] = bad;
    const gradient = gradients.get(name);
    const { lr } = optimizer.paramGroups[0]!;
    const op = optimizer.constructor.name;
    const cause = `the update overflows with the learning rate ${shortNumber(lr)}; lower it`;
    const value = spell(badValue(p)!.value);
    const inputs = gradient ? [rangeOf(`gradient of ${name}`, gradient)] : [];
    const what = `${this.#at}${op} makes ${name} ${value}: ${cause}`;
    const module = name.split(".").slice(0, -1).join(".");
    const found = this.#model.namedModules();
    const kind = [...found].find(([path]) => path === module)?.[1].constructor.name ?? null;
    const message = [what, ...inputs.map(spellRange)].join("\n  ");
    return { place: "update", value, op, module, kind, inputs, cause, message };
  }
}

/**
 * Runs a training step op by op and finds where a value that is not finite comes from: the op, its module, forward, backward or update,
 * the ranges of its inputs, and the likely cause. Infinities that are put in on purpose, such as a mask's, are no fault unless they make a
 * NaN of the loss or of a gradient. Everything is left as it was: weights, running statistics, gradients, random numbers.
 *
 * @returns null where loss, gradients and update are all finite.
 * @example
 * ```ts
 * import { nn, ones, type Tensor, tensor } from "gradus";
 * import { findAnomaly } from "gradus/train";
 * class Net extends nn.Module {
 *   fc = new nn.Linear(2, 2);
 *   forward(x: Tensor) {
 *     return this.fc.forward(x).relu().log();
 *   }
 * }
 * const net = new Net();
 * net.fc.weight.assign(tensor([[-1, -1], [-1, -1]]));
 * net.fc.bias!.assign(tensor([0, 0]));
 * const found = findAnomaly(net, [ones([1, 2]), tensor([0], { dtype: "int32" })]);
 * console.log(found?.op, found?.place); // → log forward
 * console.log(found?.cause.startsWith("log of 0")); // → true
 * ```
 */
export function findAnomaly(
  model: Module,
  batch: readonly Tensor[],
  options: FindAnomalyOptions = {},
): Anomaly | null {
  const before = new Snapshot(model, options.optimizer);
  try {
    return new Finder(model, batch, options).find();
  } finally {
    before.restore();
  }
}
