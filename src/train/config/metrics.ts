/** The metrics that a configuration can name. Read ../metrics.ts for what they measure. */
import { accuracy, type Metric } from "../metrics.js";
import { type Choices, choice } from "./choices.js";

export const metrics = {
  accuracy: choice("share of examples whose class is right", {}, (): Metric => accuracy),
} satisfies Choices<void, Metric>;
