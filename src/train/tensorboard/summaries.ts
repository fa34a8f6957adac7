/** What TensorBoard is shown of a run: scalars from events, and settings as a table. Read events.ts for how they are written. */
import type { Measures } from "../events.js";
import type { LoggedEvent } from "../runs/loggedEvents.js";
import { withoutMatrices } from "../runs/measures.js";
import type { FlatSettings } from "../runs/settings.js";
import type { Hyperparameters, SummaryValue } from "./events.js";

/** Measures as `loss/train`: TensorBoard groups by what stands before the slash. */
const measureValues = (measures: Measures, part: string): SummaryValue[] =>
  Object.entries(withoutMatrices(measures)).map(([name, scalar]) => ({
    tag: `${name}/${part}`,
    scalar,
  }));

/** The scalars of an event; none where it brings none. */
export function scalarsOf(event: LoggedEvent): SummaryValue[] {
  switch (event.type) {
    case "step":
      return [
        { tag: "loss/step", scalar: event.loss },
        { tag: "lr", scalar: event.lr },
        ...(event.gradientNorm === undefined
          ? []
          : [{ tag: "gradientNorm/all", scalar: event.gradientNorm }]),
      ];
    case "epoch":
      return [
        ...measureValues(event.train, "train"),
        { tag: "epoch", scalar: event.epoch },
        { tag: "epochSeconds", scalar: event.seconds },
      ];
    case "evaluation":
      return measureValues(event.measures, "validation");
    case "health":
      return [
        ...event.parameters.flatMap(({ name, norm, gradientNorm, updateRatio }) => [
          { tag: `norm/${name}`, scalar: norm },
          ...(gradientNorm === null ? [] : [{ tag: `gradientNorm/${name}`, scalar: gradientNorm }]),
          { tag: `updateRatio/${name}`, scalar: updateRatio },
        ]),
        ...event.activations.flatMap(({ name, mean, std, dead, saturated }) =>
          Object.entries({ mean, std, dead, saturated }).map(([key, scalar]) => ({
            tag: `activation.${key}/${name}`,
            scalar,
          })),
        ),
      ];
    default:
      return [];
  }
}

/** Settings as the hyperparameters' table takes them: without those that have no value. */
export const hyperparametersOf = (settings: FlatSettings): Hyperparameters =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );

/** A text as a cell of a Markdown table. */
const cell = (text: string): string =>
  text.replace(/[\\|`*_[\]<>&#~]/g, (sign) => `\\${sign}`).replace(/\s+/g, " ");

/** Settings as a Markdown table, which TensorBoard draws. */
export function settingsTable(settings: FlatSettings): string {
  const rows = Object.entries(settings).map(
    ([name, value]) => `| ${cell(name)} | ${cell(String(value))} |`,
  );
  return ["| setting | value |", "|---|---|", ...rows].join("\n");
}
