/**
 * Parameters that training leaves as they are, chosen by name. A frozen parameter has no gradient, so that compiled steps
 * compute none for it and optimizers pass it by. Read layerwise.ts for learning rates by depth.
 */
import type { Module, Parameter } from "../../nn/module.js";
import { RunningNorm } from "../../nn/norm.js";
import { allParameterNames, checkPatterns, type NamePatterns } from "./names.js";

export interface FreezeOptions {
  /**
   * What becomes of a batch norm (or an instance norm that keeps statistics) all of whose parameters are frozen: "eval"
   * (default) normalises with the statistics that it has and keeps them, "train" goes on with the batch's.
   */
  readonly batchNorm?: "eval" | "train";
}

/** How much of one part of a model is trained, in numbers (elements of parameters). */
export interface TrainablePart {
  /** Name of the part: a child of the model, or a parameter of its own. */
  readonly name: string;
  readonly trainable: number;
  readonly frozen: number;
}

/** How much of a model is trained. */
export interface TrainableReport {
  readonly trainable: number;
  readonly frozen: number;
  readonly parts: readonly TrainablePart[];
  /** Names of the parameters that are trained. */
  readonly names: readonly string[];
  /** Names of the modules that stay in eval mode. */
  readonly heldInEval: readonly string[];
}

type Norm = readonly [name: string, norm: RunningNorm];

const normsOf = (model: Module): Norm[] =>
  [...model.namedModules()].filter(
    (entry): entry is [string, RunningNorm] =>
      entry[1] instanceof RunningNorm && entry[1].runningMean !== null,
  );

/** The parameters and the norms that are meant, or an error where a pattern means nothing. */
function choose(op: string, model: Module, patterns: NamePatterns) {
  const parameters = [...allParameterNames(model)];
  const norms = normsOf(model);
  const names = [...parameters, ...norms].map(([name]) => name);
  const matches = checkPatterns(op, patterns, [...new Set(names)]);
  const isMeant = ([name, norm]: Norm) =>
    matches(name) || [...norm.namedParameters()].some(([own]) => matches(`${name}.${own}`));
  return {
    parameters: new Set<Parameter>(
      parameters.filter(([name]) => matches(name)).map(([, parameter]) => parameter),
    ),
    norms: norms.filter(isMeant).map(([, norm]) => norm),
  };
}

const isFrozen = (norm: RunningNorm): boolean =>
  norm.parameters().every(({ requiresGrad }) => !requiresGrad);

/**
 * Freezes the parameters that the patterns mean (default all): they require no gradient and lose the one they have. Batch
 * norms that are frozen whole stay in eval mode besides, also after `model.train()`.
 *
 * @throws ValueError for a pattern that fits no name; nothing is frozen then.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { freeze } from "gradus/train";
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * const { trainable, frozen } = freeze(model, "0");
 * console.log(trainable, frozen); // → 18 40
 * ```
 */
export function freeze(
  model: Module,
  patterns: NamePatterns = "*",
  { batchNorm = "eval" }: FreezeOptions = {},
): TrainableReport {
  const { parameters, norms } = choose("freeze", model, patterns);
  for (const parameter of parameters) {
    parameter.requiresGrad = false;
    parameter.grad = null;
  }
  if (batchNorm === "eval") for (const norm of norms) if (isFrozen(norm)) norm.holdEval();
  return trainableReport(model);
}

/**
 * Lets the parameters that the patterns mean (default all) be trained again; batch norms among them follow the model's mode
 * again.
 *
 * @throws ValueError for a pattern that fits no name; nothing changes then.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { freeze, unfreeze } from "gradus/train";
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * freeze(model);
 * console.log(unfreeze(model, "2.*").names); // → [ '2.weight', '2.bias' ]
 * ```
 */
export function unfreeze(model: Module, patterns: NamePatterns = "*"): TrainableReport {
  const { parameters, norms } = choose("unfreeze", model, patterns);
  for (const parameter of parameters) parameter.requiresGrad = true;
  const { training } = model;
  for (const norm of norms) if (norm.isHeldInEval) norm.holdEval(false).train(training);
  return trainableReport(model);
}

/**
 * Counts what is trained and what is frozen, in all and by part.
 *
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { trainableReport } from "gradus/train";
 * console.log(trainableReport(new nn.Linear(3, 2)).trainable); // → 8
 * ```
 */
export function trainableReport(model: Module): TrainableReport {
  const children = [...model.namedChildren()].map(([name]) => name);
  const partOf = (name: string) =>
    children.find((child) => name === child || name.startsWith(`${child}.`)) ?? name;
  const parts = new Map<string, { name: string; trainable: number; frozen: number }>();
  const names: string[] = [];
  for (const [name, parameter] of model.namedParameters()) {
    const part = parts.get(partOf(name)) ?? { name: partOf(name), trainable: 0, frozen: 0 };
    parts.set(part.name, part);
    part[parameter.requiresGrad ? "trainable" : "frozen"] += parameter.size;
    if (parameter.requiresGrad) names.push(name);
  }
  const held = [...model.namedModules()].filter(([, { isHeldInEval }]) => isHeldInEval);
  const rows = [...parts.values()];
  return {
    trainable: rows.reduce((sum, { trainable }) => sum + trainable, 0),
    frozen: rows.reduce((sum, { frozen }) => sum + frozen, 0),
    parts: rows,
    names,
    heldInEval: held.map(([name]) => name),
  };
}

/**
 * The report as a table for people.
 *
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { describeTrainable, freeze } from "gradus/train";
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * console.log(describeTrainable(freeze(model, "0")).split("\n").at(-1)); // → 18 of 58 parameters are trained
 * ```
 */
export function describeTrainable(report: TrainableReport): string {
  const { trainable, frozen, parts, heldInEval } = report;
  const count = (n: number) => n.toLocaleString("en-US");
  const width = Math.max(...parts.map(({ name }) => name.length), 4);
  const rows = parts.map((part) => {
    const state = [
      part.trainable > 0 && `${count(part.trainable)} trained`,
      part.frozen > 0 && `${count(part.frozen)} frozen`,
    ];
    return `${part.name.padEnd(width)}  ${state.filter(Boolean).join(", ")}`;
  });
  if (heldInEval.length > 0) rows.push(`in eval mode: ${heldInEval.join(", ")}`);
  return [
    ...rows,
    `${count(trainable)} of ${count(trainable + frozen)} parameters are trained`,
  ].join("\n");
}
