/**
 * The recipe for training a network, run by the machine: seven steps from the first loss to a verdict (after A. Karpathy, "A Recipe for
 * Training Neural Networks", 2019, and the course's list). Each step is a file in steps/; read examination.ts for what they share.
 */
import type { ExperimentBuilder } from "../experiment.js";
import { Examination } from "./examination.js";
import { recipeSteps } from "./steps/index.js";
import { drawVerdict } from "./steps/verdict.js";
import type { DoctorOptions, DoctorReport, StepResult } from "./types.js";

const verdictStatus = { healthy: "passed", problems: "failed", stopped: "skipped" } as const;

/**
 * Examines an experiment: (1) the first loss against the theoretical one, the data; (2) a few batches learned by heart; (3) a
 * learning-rate range test; (4) a coarse search over rate and weight decay; (5) longer runs of the best; (6) their curves read by
 * {@link diagnose}; (7) a verdict. It stops early where a step fails, when `signal` is aborted or the budget is used up, and says so.
 * The same experiment gives the same report (times aside), as long as the budget lasts.
 *
 * @throws what the builder throws, and ValueError for options out of range. Runs that diverge are findings, not errors.
 * @example
 * ```ts
 * import { data, manualSeed, nn, optim, randn } from "gradus";
 * import { type Experiment, examine } from "gradus/train";
 * async function build(changes: Readonly<Record<string, unknown>> = {}): Promise<Experiment> {
 *   manualSeed(0);
 *   const x = randn([64, 4]);
 *   const y = x.narrow(1, 0, 1).squeeze(1).gt(0).to("int32");
 *   const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 2));
 *   const lr = Number(changes["optim.lr"] ?? 1e-2);
 *   const weightDecay = Number(changes["optim.weightDecay"] ?? 0);
 *   const optimizer = new optim.Adam(model.parameters(), { lr, weightDecay });
 *   const train = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 16 });
 *   return { model, classes: 2, options: { optimizer, train, epochs: 5 } };
 * }
 * const report = await examine(build, { quick: true });
 * console.log(report.steps.map(({ number, status }) => `${number} ${status}`)[0]); // → 1 passed
 * ```
 */
export async function examine(
  build: ExperimentBuilder,
  options: DoctorOptions = {},
): Promise<DoctorReport> {
  const exam = new Examination(build, options);
  try {
    for (const [i, step] of recipeSteps.entries()) {
      const result = await exam.run(i + 1, step);
      if (result.status === "failed" || exam.isOver) break;
    }
    const verdict = drawVerdict(exam);
    const closing: StepResult = {
      ...{ number: 7, name: "verdict", title: "Verdict", details: verdict.advice, seconds: 0 },
      status: verdictStatus[verdict.status],
      sentence: verdict.sentence,
    };
    await exam.emit({ type: "begin", number: 7, name: closing.name, title: closing.title });
    exam.results.push(closing);
    await exam.emit({ type: "end", result: closing });
    return exam.report(verdict);
  } finally {
    exam.close();
  }
}
