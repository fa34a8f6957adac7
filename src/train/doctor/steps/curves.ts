/** Step 6: the curves of the best run, and what the monitor saw in it, read for symptoms. Read verdict.ts next. */
import { diagnose } from "../diagnose.js";
import type { Examination, RecipeStep, StepOutcome } from "../examination.js";

async function run(exam: Examination): Promise<StepOutcome> {
  const [best] = exam.runs;
  if (!best) return { status: "skipped", sentence: "There is no run to read." };
  // The rate of this run is the doctor's own choice; what was wrong with the configured one is known.
  const found = diagnose(best.events, exam.facts);
  exam.addDiagnoses(found);
  const details = found.map(({ evidence, advice }) => `${evidence} ${advice}`);
  const [problems, others] = [
    found.filter(({ severity }) => severity === "problem").length,
    found.filter(({ severity }) => severity !== "problem").length,
  ];
  const counted = [
    problems > 0 && `${problems} problem${problems === 1 ? "" : "s"}`,
    others > 0 && `${others} remark${others === 1 ? "" : "s"}`,
  ].filter((part) => part !== false);
  return {
    status: problems > 0 || others > 0 ? "warned" : "passed",
    sentence:
      found.length === 0 ? "The curves are healthy." : `The curves show ${counted.join(" and ")}.`,
    details,
  };
}

export const curvesStep: RecipeStep = { name: "curves", title: "Reading the curves", run };
