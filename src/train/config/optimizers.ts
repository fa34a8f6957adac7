/** The optimizers that a configuration can name. Defaults are those of `optim`, which are PyTorch's. */
import * as z from "zod";
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  Lion,
  NAdam,
  type Optimizer,
  type Params,
  RAdam,
  RMSprop,
  SGD,
} from "../../optim/index.js";
import type { GroupOptions } from "../../optim/optimizer.js";
import { Tensor } from "../../tensor/tensor.js";
import { type Choices, type Chosen, choice, makeChosen, switchedOff } from "./choices.js";

const lr = (standard: number) =>
  z.number().min(0).default(standard).describe("learning rate, the highest of its schedule");
const weightDecay = (standard = 0) => z.number().min(0).default(standard);
const rate = () => z.number().min(0).lt(1);
const betas = (first: number, second: number) =>
  z.tuple([rate(), rate()]).default([first, second]).describe("decay rates of its running means");
const eps = (standard: number) => z.number().min(0).default(standard);
const momentum = () => z.number().min(0).default(0);

const adam = { lr: lr(1e-3), betas: betas(0.9, 0.999), eps: eps(1e-8), amsgrad: switchedOff() };
const decoupled = { decoupledWeightDecay: switchedOff() };

export const optimizers = {
  adadelta: choice(
    "Adadelta (Zeiler, 2012)",
    { lr: lr(1), rho: rate().default(0.9), eps: eps(1e-6), weightDecay: weightDecay() },
    (options, params: Params) => new Adadelta(params, options),
  ),
  adagrad: choice(
    "Adagrad (Duchi et al., 2011)",
    {
      lr: lr(1e-2),
      lrDecay: z.number().min(0).default(0),
      weightDecay: weightDecay(),
      initialAccumulatorValue: z.number().min(0).default(0),
      eps: eps(1e-10),
    },
    (options, params: Params) => new Adagrad(params, options),
  ),
  adam: choice(
    "Adam (Kingma and Ba, 2015), the decay in the gradient",
    { ...adam, weightDecay: weightDecay() },
    (options, params: Params) => new Adam(params, options),
  ),
  adamax: choice(
    "Adam with the largest gradient in the place of the mean square",
    { lr: lr(2e-3), betas: betas(0.9, 0.999), eps: eps(1e-8), weightDecay: weightDecay() },
    (options, params: Params) => new Adamax(params, options),
  ),
  adamw: choice(
    "Adam with decoupled decay (Loshchilov and Hutter, 2019)",
    { ...adam, weightDecay: weightDecay(0.01) },
    (options, params: Params) => new AdamW(params, options),
  ),
  lion: choice(
    "Lion (Chen et al., 2023)",
    { lr: lr(1e-4), betas: betas(0.9, 0.99), weightDecay: weightDecay() },
    (options, params: Params) => new Lion(params, options),
  ),
  nadam: choice(
    "Adam with Nesterov's momentum (Dozat, 2016)",
    {
      lr: lr(2e-3),
      betas: betas(0.9, 0.999),
      eps: eps(1e-8),
      weightDecay: weightDecay(),
      momentumDecay: z.number().min(0).default(4e-3),
      ...decoupled,
    },
    (options, params: Params) => new NAdam(params, options),
  ),
  radam: choice(
    "Adam with rectified variance (Liu et al., 2020)",
    {
      lr: lr(1e-3),
      betas: betas(0.9, 0.999),
      eps: eps(1e-8),
      weightDecay: weightDecay(),
      ...decoupled,
    },
    (options, params: Params) => new RAdam(params, options),
  ),
  rmsprop: choice(
    "RMSprop (Hinton, 2012)",
    {
      lr: lr(1e-2),
      alpha: z.number().min(0).default(0.99),
      eps: eps(1e-8),
      weightDecay: weightDecay(),
      momentum: momentum(),
      centered: switchedOff(),
    },
    (options, params: Params) => new RMSprop(params, options),
  ),
  sgd: choice(
    "stochastic gradient descent, with momentum if it is given",
    {
      lr: lr(1e-3),
      momentum: momentum(),
      dampening: z.number().min(0).default(0),
      weightDecay: weightDecay(),
      nesterov: switchedOff(),
    },
    (options, params: Params) => new SGD(params, options),
  ),
} satisfies Choices<Params, Optimizer>;

/** What every optimizer takes besides its own options. */
export const optimizerCommon = {
  decay: z
    .enum(["all", "weights"])
    .default("all")
    .describe("what decays: all parameters, or only weights, of two or more dims"),
};

const isGroups = (
  list: readonly Tensor[] | readonly GroupOptions[],
): list is readonly GroupOptions[] => list.length > 0 && !(list[0] instanceof Tensor);

/** A group in two, of which only weights decay. */
function partGroup(group: GroupOptions): GroupOptions[] {
  const all = [...group.params];
  const weights = { ...group, params: all.filter((p) => p.ndim > 1) };
  const others = { ...group, params: all.filter((p) => p.ndim <= 1), weightDecay: 0 };
  return [weights, others].filter(({ params }) => params.length > 0);
}

/** Makes the optimizer of a model's parameters, in groups with learning rates of their own if they are given so. */
export function makeOptimizer(
  chosen: Chosen,
  parameters: readonly Tensor[] | readonly GroupOptions[],
): Optimizer {
  const { decay, ...own } = chosen;
  const groups = isGroups(parameters) ? parameters : [{ params: parameters }];
  const params = decay === "weights" ? groups.flatMap(partGroup) : groups;
  return makeChosen<Params, Optimizer>(optimizers, own as Chosen, params);
}
