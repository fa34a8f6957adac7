/** Step 7: what all of it comes to, and what to do next. */
import { type Diagnosis, figure, share } from "../diagnosis.js";
import type { Examination, Verdict } from "../examination.js";

export function drawVerdict(exam: Examination): Verdict {
  const { diagnoses, results } = exam;
  const best = [exam.runs[0] ?? exam.trials[0]].find((one) => one && Number.isFinite(one.loss));
  const values = best ? { lr: best.lr } : {};
  const settings = best ? exam.settingsOf(best.lr, best.weightDecay) : {};
  const failed = results.find(({ status }) => status === "failed");
  const problems = diagnoses.filter(({ severity }) => severity === "problem");
  const warnings = diagnoses.filter(({ severity }) => severity === "warning");
  // Of rates the search has said more than the diagnoses.
  const isSaid = ({ symptom }: Diagnosis) => symptom.startsWith("rateToo") && "lr" in values;
  const advice = [...problems, ...warnings].filter((one) => !isSaid(one)).map((one) => one.advice);
  const set = Object.entries(settings).map(([path, value]) => `${path}=${figure(Number(value))}`);
  const use = set.length > 0 ? [`Train with ${set.join(" and ")}.`] : [];
  if (failed) {
    const rest = advice.length > 0 ? advice : failed.details;
    return {
      ...{ status: "problems", settings, advice: rest },
      sentence: `It stops at step ${failed.number} (${failed.title.toLowerCase()}): ${problems[0]?.evidence ?? failed.sentence}`,
    };
  }
  if (problems.length > 0)
    return {
      ...{ status: "problems", settings, advice: [...advice, ...use] },
      sentence: `${problems.length === 1 ? "One thing keeps" : `${problems.length} things keep`} it from learning well: ${problems[0]!.evidence}`,
    };
  if (exam.isOver)
    return {
      status: "stopped",
      settings,
      advice: use,
      sentence: `Not finished: ${exam.stopReason}.`,
    };
  const [run] = exam.runs;
  const reached = run
    ? ` It reached ${run.accuracy === null ? `the loss ${figure(run.loss)}` : `${share(run.accuracy)} accuracy`} in the longer run.`
    : "";
  const remarks =
    warnings.length > 0
      ? ` There ${warnings.length === 1 ? "is a remark" : `are ${warnings.length} remarks`}.`
      : "";
  return {
    ...{ status: "healthy", settings, advice: [...use, ...advice] },
    sentence: `It trains well.${reached}${remarks}`,
  };
}
