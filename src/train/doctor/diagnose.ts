/**
 * Reads a run's events as somebody does who has seen many: every known symptom, with its numbers and what to change. The detectors
 * are in curveSymptoms.ts, networkSymptoms.ts and dataSymptoms.ts. Read recipe.ts for the doctor's own experiments.
 */
import { Course, type DiagnosedEvent, type DiagnosisFacts } from "./course.js";
import * as curve from "./curveSymptoms.js";
import * as data from "./dataSymptoms.js";
import { type Detector, type Diagnosis, type SymptomName, symptomNames } from "./diagnosis.js";
import * as network from "./networkSymptoms.js";

const detectors: Readonly<Record<SymptomName, Detector>> = {
  deadUnits: network.deadUnits,
  evaluationMode: network.evaluationMode,
  explodingGradients: network.explodingGradients,
  explodingLoss: curve.explodingLoss,
  flatStart: curve.flatStart,
  frozenLayer: network.frozenLayer,
  initialLoss: data.initialLoss,
  leakage: data.leakage,
  lossNotFalling: curve.lossNotFalling,
  nan: curve.nan,
  overfitting: data.overfitting,
  plateau: curve.plateau,
  rateTooHigh: curve.rateTooHigh,
  rateTooLow: curve.rateTooLow,
  saturatedUnits: network.saturatedUnits,
  shuffledLabels: data.shuffledLabels,
  symmetricWeights: network.symmetricWeights,
  underfitting: data.underfitting,
  unnormalizedInput: network.unnormalizedInput,
  updateRatio: network.updateRatio,
  vanishingGradients: network.vanishingGradients,
};

const severities = ["problem", "warning", "note"] as const;

/** What need not be said where something else, as a problem, says it or brings it about. */
const coveredBy: Readonly<Partial<Record<SymptomName, readonly SymptomName[]>>> = {
  initialLoss: ["unnormalizedInput"],
  explodingLoss: ["rateTooHigh"],
  rateTooLow: ["deadUnits", "saturatedUnits", "frozenLayer", "symmetricWeights"],
  lossNotFalling: ["rateTooHigh", "rateTooLow", "shuffledLabels", "symmetricWeights"],
  deadUnits: ["symmetricWeights"],
  updateRatio: ["rateTooHigh", "rateTooLow", "deadUnits", "symmetricWeights"],
  vanishingGradients: ["deadUnits", "symmetricWeights"],
  underfitting: ["lossNotFalling", "shuffledLabels"],
};

/**
 * The symptoms of a run, the gravest first and causes before what follows from them; empty for a healthy run.
 *
 * Symptoms of the network (units, gradients, updates, modes, inputs) need health events, which `fit` emits with `monitor`; those of
 * the data need `facts.classes`, or validation measures.
 *
 * @param events of one run, in their order, as `fit` emits them or a log keeps them.
 * @example
 * ```ts
 * import { diagnose } from "gradus/train";
 * const events = Array.from({ length: 40 }, (_, i) => {
 *   return { type: "step", epoch: 1, step: i + 1, loss: 2.3 + (i % 2) / 100, lr: 1e-9 } as const;
 * });
 * console.log(diagnose(events, { classes: 10 })[0]?.symptom); // → lossNotFalling
 * ```
 */
export function diagnose(
  events: readonly DiagnosedEvent[],
  facts: DiagnosisFacts = {},
): readonly Diagnosis[] {
  const course = new Course(events, facts);
  const found = symptomNames.flatMap((name) => detectors[name](course) ?? []);
  const grave = new Set(
    found.flatMap(({ symptom, severity }) => (severity === "problem" ? [symptom] : [])),
  );
  const isCovered = (symptom: SymptomName): boolean =>
    coveredBy[symptom]?.some((other) => grave.has(other) && !isCovered(other)) ?? false;
  const said = found.filter(({ symptom }) => !isCovered(symptom));
  return severities.flatMap((wanted) => said.filter(({ severity }) => severity === wanted));
}
