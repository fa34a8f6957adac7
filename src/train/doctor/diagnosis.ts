/** What a diagnosis is, and the words for its numbers. Read diagnose.ts next. */
import type { Course } from "./course.js";

/** Everything that is looked for, causes before what follows from them. */
export const symptomNames = [
  ...(["nan", "evaluationMode", "unnormalizedInput", "initialLoss", "symmetricWeights"] as const),
  ...(["frozenLayer", "rateTooHigh", "explodingLoss", "explodingGradients"] as const),
  ...(["deadUnits", "saturatedUnits", "vanishingGradients", "rateTooLow"] as const),
  ...(["updateRatio", "leakage", "shuffledLabels", "flatStart", "lossNotFalling"] as const),
  ...(["underfitting", "overfitting", "plateau"] as const),
] as const;

export type SymptomName = (typeof symptomNames)[number];

/** `problem`: it will not learn like this. `warning`: it could learn better. `note`: worth knowing, may be on purpose. */
export type Severity = "problem" | "warning" | "note";

/** One symptom found in a run. */
export interface Diagnosis {
  readonly symptom: SymptomName;
  readonly severity: Severity;
  /** What was seen, with its numbers, as a sentence. */
  readonly evidence: string;
  /** What to change, as a sentence. */
  readonly advice: string;
  /** The numbers of the evidence by name. */
  readonly values: Readonly<Record<string, number>>;
  /** Modules or parameters concerned. */
  readonly where: readonly string[];
}

/** Looks for one symptom. */
export type Detector = (course: Course) => Diagnosis | null;

/** A diagnosis in the order in which detectors write it. */
export const diagnosis = (
  symptom: SymptomName,
  severity: Severity,
  evidence: string,
  advice: string,
  values: Readonly<Record<string, number>> = {},
  where: readonly string[] = [],
): Diagnosis => ({ symptom, severity, evidence, advice, values, where });

/** Three digits. */
export const figure = (x: number): string => {
  if (!Number.isFinite(x) || x >= Number.MAX_VALUE) return Number.isNaN(x) ? "NaN" : "infinity";
  const isPlain = x === 0 || (Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5);
  if (isPlain) return String(Number(x.toPrecision(3)));
  return x.toExponential(1).replace("e+", "e").replace(".0e", "e");
};

export const share = (x: number): string => `${Math.round(x * 100)}%`;

/** A few names, and how many more. */
export function listed(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).map((name) => name || "the model");
  const rest = names.length - shown.length;
  return rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
}
