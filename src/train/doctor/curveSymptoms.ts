/** What the loss's curve shows by itself: NaN, explosion, a flat start, no fall, a plateau; and rates that are too high or too low. */
import { type Course, greatest } from "./course.js";
import { type Detector, diagnosis, figure } from "./diagnosis.js";

/** Fewer steps tell nothing about a curve. */
const leastSteps = 20;

/** The share of the loss that was learned away, from the first stretch of the run to its last. */
const fallOf = (course: Course): number =>
  1 - course.lossFrom(0.9, 1) / Math.max(course.lossFrom(0, 0.05), course.firstLoss);

const isLong = (course: Course): boolean => course.losses.length >= leastSteps;

/** The share of the loss by which it differs from one batch to the next: what a fall must exceed to be one. */
function noiseOf(course: Course): number {
  const { losses } = course;
  const jumps = losses.slice(1).map((loss, i) => Math.abs(loss - losses[i]!));
  const typical = jumps.reduce((sum, jump) => sum + jump, 0) / jumps.length;
  return typical / course.lossFrom(0, 1) / Math.sqrt(losses.length / 10);
}

export const nan: Detector = ({ steps, failure, losses }) => {
  const bad = steps.find(({ loss }) => !Number.isFinite(loss));
  const isNumeric = failure !== null && /NaN|Infinity|not finite/.test(failure);
  if (!bad && !isNumeric) return null;
  const at = bad?.step ?? (steps.at(-1)?.step ?? 0) + 1;
  const before = losses.at(-1);
  const course = before === undefined ? "" : ` The last finite loss was ${figure(before)}.`;
  const said = failure ? ` ${failure.split("\n")[0]}.` : "";
  const isData = /of the batch is|in the data/.test(failure ?? "");
  const cause = /gives \S+ in [^\n]*?: ([^\n]+)/.exec(failure ?? "")?.[1];
  return diagnosis(
    "nan",
    "problem",
    `The loss or the weights were no longer finite at step ${at}.${course}${said}`,
    isData
      ? "Clean the data: find the examples with missing values, and fill them or leave them out."
      : cause
        ? `Mend the op that made it: ${cause}.`
        : `${/learning rate/.test(failure ?? "") ? "Lower the learning rate; if that does not help, run" : "Run"} it in debug mode (debug: true), which names the op, its module and the cause.`,
    { step: at },
  );
};

/** Far above its beginning for a while, and not only at its first steps. */
export const explodingLoss: Detector = (course) => {
  const { firstLoss, losses } = course;
  const worst = greatest(losses);
  const end = course.lossFrom(0.8, 1);
  if (losses.length < 3 || !(worst > 4 * Math.max(firstLoss, course.chanceLoss))) return null;
  if (!(end > 1.2 * course.chanceLoss) && course.failure === null) return null;
  return diagnosis(
    "explodingLoss",
    "problem",
    `The loss grew from ${figure(firstLoss)} to ${figure(worst)} and ended at ${figure(end)}.`,
    "Lower the learning rate to a tenth, clip the gradients (norm 1), and warm the rate up over the first steps.",
    { first: firstLoss, worst, end },
  );
};

/** Whether a layer's ReLUs were alive at the first look and none of them later: a step was too large for them. */
const haveDied = (course: Course): boolean =>
  course.activations().some(([name, looks]) => {
    const first = course.firstActivation(name)?.dead ?? 1;
    return /relu/i.test(looks[0]!.kind) && first < 0.5 && looks.every(({ dead }) => dead > 0.97);
  });

export const rateTooHigh: Detector = (course) => {
  const { losses, failure } = course;
  if (losses.length === 0) return null;
  const ratio = course.greatestUpdateRatio;
  const lr = greatest(course.steps.map((one) => one.lr));
  const worst = greatest(losses);
  const hasJumped = worst > 4 * Math.max(course.chanceLoss, losses[0]!) && losses.length > 1;
  const isWild = ratio > 0.25;
  const isNumeric = /NaN|Infinity|not finite/.test(failure ?? "");
  const hasDiverged = isNumeric && (hasJumped || isWild);
  const isStuck = isLong(course) && course.lossFrom(0.9, 1) > 0.8 * course.chanceLoss;
  const isKilled = isStuck && haveDied(course);
  if (!hasDiverged && !isKilled && !(isStuck && (hasJumped || isWild))) return null;
  const seen = Number.isNaN(ratio)
    ? ""
    : ` A step changed the weights by ${figure(ratio)} of their size, where about 0.001 is usual.`;
  const killed = isKilled ? " Its units were alive in the beginning and died of it." : "";
  const end = hasDiverged
    ? "until it was no longer finite"
    : `and ended at ${figure(course.lossFrom(0.8, 1))}`;
  return diagnosis(
    "rateTooHigh",
    "problem",
    `With the learning rate ${figure(lr)} the loss went up to ${figure(worst)} ${end}.${seen}${killed}`,
    `Lower the learning rate: try ${figure(lr / 10)} and ${figure(lr / 100)}, or let the range test choose.`,
    { lr, updateRatio: ratio, worst },
  );
};

export const rateTooLow: Detector = (course) => {
  const { updateRatio } = course;
  if (!isLong(course)) return null;
  const fall = fallOf(course);
  if (!(fall < 0.3)) return null;
  const lr = greatest(course.steps.map((one) => one.lr));
  const isSlow = updateRatio < 2e-4;
  const isCrawling =
    Number.isNaN(updateRatio) &&
    fall > Math.max(0.02, 2 * noiseOf(course)) &&
    fall < 0.15 &&
    isSteady(course);
  if (!isSlow && !isCrawling) return null;
  const seen = isSlow
    ? ` Each step changes the weights by ${figure(updateRatio)} of their size, where about 0.001 is usual.`
    : " It falls along a straight line, as if it had only begun.";
  return diagnosis(
    "rateTooLow",
    "problem",
    `With the learning rate ${figure(lr)} the loss fell by only ${figure(fall * 100)}% over ` +
      `${course.losses.length} steps.${seen}`,
    `Raise the learning rate: try ${figure(lr * 10)} and ${figure(lr * 100)}, or let the range test choose.`,
    { lr, updateRatio, fall },
  );
};

/** Whether the second half of the run brought as much as the first. */
function isSteady(course: Course): boolean {
  const [start, middle, end] = [
    course.lossFrom(0, 0.2),
    course.lossFrom(0.4, 0.6),
    course.lossFrom(0.8, 1),
  ];
  return middle < start && middle - end > 0.5 * (start - middle);
}

export const flatStart: Detector = (course) => {
  if (course.losses.length < 2 * leastSteps || !course.isFromStart) return null;
  const { losses } = course;
  const start = course.lossFrom(0, 0.05);
  const end = course.lossFrom(0.9, 1);
  const flat = losses.findIndex((_, i) => {
    const next = losses.slice(i, i + 5);
    return next.every((loss) => loss < start - 0.1 * (start - end));
  });
  const until = flat < 0 ? losses.length : flat;
  const drift = Math.abs(1 - course.lossFrom(0.05, Math.max(until / losses.length, 0.1)) / start);
  if (until < Math.max(leastSteps, losses.length * 0.25) || !(end < 0.7 * start) || drift > 0.05)
    return null;
  return diagnosis(
    "flatStart",
    "warning",
    `The loss stayed at ${figure(start)} for the first ${until} of ${losses.length} steps and fell only then, to ` +
      `${figure(end)}.`,
    "Check the first weights (Kaiming for ReLU, Xavier for tanh): when the loss lies flat before it falls, the initialisation is the prime suspect. Normalisation layers help too.",
    { start, end, flatSteps: until },
  );
};

export const lossNotFalling: Detector = (course) => {
  if (!isLong(course)) return null;
  const fall = fallOf(course);
  const end = course.lossFrom(0.9, 1);
  const lr = greatest(course.steps.map((one) => one.lr));
  // A pretrained model may have nothing left to learn.
  if (!(fall < Math.max(0.03, noiseOf(course))) || !(end > 0.5 * course.chanceLoss)) return null;
  return diagnosis(
    "lossNotFalling",
    "problem",
    `After ${course.losses.length} steps at the learning rate ${figure(lr)} the loss is ${figure(end)}; it began at ` +
      `${figure(course.firstLoss)}${course.facts.classes ? `, and guessing costs ${figure(course.chanceLoss)}` : ""}.`,
    "See whether the network can learn a few examples by heart: if it can, search the learning rate by a range test; if not, look for a bug in data, labels, loss or gradients.",
    { first: course.firstLoss, end, fall, lr },
  );
};

/** Fell, then lay flat for the rest of the run far from 0. */
export const plateau: Detector = (course) => {
  const isShort = course.epochs.length < 3 && course.validationExamples > 0;
  if (course.losses.length < 4 * leastSteps || isShort) return null;
  const start = course.firstLoss;
  const [middle, late, end] = [
    course.lossFrom(0.4, 0.6),
    course.lossFrom(0.6, 0.8),
    course.lossFrom(0.8, 1),
  ];
  const isFlat = middle - end < 0.03 * start && late - end < 0.015 * start && end > 0.95 * middle;
  if (!(end < 0.9 * start) || !isFlat || !(end > 0.3 * start)) return null;
  return diagnosis(
    "plateau",
    "warning",
    `The loss fell from ${figure(start)} to ${figure(middle)} by the middle of the run and lies at ${figure(end)} since.`,
    "Lower the learning rate there (a schedule, or reduce on plateau); if that changes nothing the model is too small or too strongly regularised.",
    { start, middle, end },
  );
};
