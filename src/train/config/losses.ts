/** The losses that a configuration can name. Read models.ts next. */
import * as z from "zod";
import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  huberLoss,
  l1Loss,
  mseLoss,
  multiMarginLoss,
  smoothL1Loss,
} from "../../ops/index.js";
import type { Loss } from "../steps.js";
import { type Choices, choice, positive, share } from "./choices.js";

export const losses = {
  bceWithLogits: choice(
    "binary cross-entropy of scores, for targets from 0 to 1",
    {},
    (): Loss => (output, target) => binaryCrossEntropyWithLogits(output, target),
  ),
  crossEntropy: choice(
    "cross-entropy of the softmax of scores",
    { labelSmoothing: share().default(0).describe("share of the target spread over all classes") },
    ({ labelSmoothing }): Loss =>
      labelSmoothing === 0
        ? (output, target) => crossEntropy(output, target)
        : (output, target) => crossEntropy(output, target, { labelSmoothing }),
  ),
  huber: choice(
    "squares near 0, a line outside of delta",
    { delta: positive().default(1) },
    ({ delta }): Loss =>
      (output, target) =>
        huberLoss(output, target, { delta }),
  ),
  l1: choice("mean absolute error", {}, (): Loss => (output, target) => l1Loss(output, target)),
  mse: choice("mean squared error", {}, (): Loss => (output, target) => mseLoss(output, target)),
  multiMargin: choice(
    "multi-class hinge loss",
    { margin: z.number().default(1) },
    ({ margin }): Loss =>
      (output, target) =>
        multiMarginLoss(output, target, { margin }),
  ),
  smoothL1: choice(
    "squares below beta, a line above",
    { beta: positive().default(1) },
    ({ beta }): Loss =>
      (output, target) =>
        smoothL1Loss(output, target, { beta }),
  ),
} satisfies Choices<void, Loss>;
