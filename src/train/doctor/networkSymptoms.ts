/** What the monitor's looks into the network show: units, gradients, updates, modes, inputs. */
import type { ParameterHealth } from "../events.js";
import type { Course } from "./course.js";
import { greatest, least, median } from "./course.js";
import { type Detector, type Diagnosis, diagnosis, figure, listed, share } from "./diagnosis.js";

/** Layers whose share is at least `from` at each of the later looks: the smallest share, and the one they began with. */
function layersWith(course: Course, of: "dead" | "saturated", from: number, isLike: RegExp) {
  return course.activations().flatMap(([name, looks]) => {
    const smallest = least(looks.map((look) => look[of]));
    const first = course.firstActivation(name)?.[of] ?? 0;
    return isLike.test(looks[0]!.kind) && smallest >= from
      ? [{ name, share: smallest, first }]
      : [];
  });
}

/** Units that came to rest while the loss fell far are a remark; units that were never at work, or are all at rest, a problem. */
const severityOf = (
  course: Course,
  found: readonly { readonly share: number; readonly first: number }[],
  { most, atFirst }: { readonly most: number; readonly atFirst: number },
) =>
  found.some(
    ({ share: now, first }) =>
      first >= atFirst || (now >= most && (now >= 0.97 || !course.hasLearned)),
  )
    ? "problem"
    : "warning";

export const deadUnits: Detector = (course) => {
  const found = layersWith(course, "dead", 0.65, /relu/i);
  if (found.length === 0) return null;
  const worst = greatest(found.map((one) => one.share));
  return diagnosis(
    "deadUnits",
    severityOf(course, found, { most: 0.8, atFirst: 0.8 }),
    `Up to ${share(worst)} of the units of ${listed(found.map(({ name }) => name))} give 0 for every example: ` +
      "no gradient reaches them, so they stay dead.",
    "Lower the learning rate, begin with Kaiming weights and biases at 0, or use a leaky ReLU or normalisation before it.",
    { worst },
    found.map(({ name }) => name),
  );
};

export const saturatedUnits: Detector = (course) => {
  const found = layersWith(course, "saturated", 0.5, /./);
  if (found.length === 0) return null;
  const worst = greatest(found.map((one) => one.share));
  return diagnosis(
    "saturatedUnits",
    severityOf(course, found, { most: 0.75, atFirst: 0.5 }),
    `Up to ${share(worst)} of the outputs of ${listed(found.map(({ name }) => name))} are at the ends of the ` +
      "function, where its slope is almost 0.",
    "Begin with smaller weights (Xavier), normalise the inputs or the layer before, lower the learning rate, or use ReLU.",
    { worst },
    found.map(({ name }) => name),
  );
};

export const vanishingGradients: Detector = (course) => {
  const gradients = course.relativeGradients.filter(({ ratio }) => ratio > 0);
  const [first, last] = [gradients[0], gradients.at(-1)];
  if (!first || !last || gradients.length < 2) return null;
  const ratio = first.ratio / last.ratio;
  if (!(ratio < 1e-4) && !(median(gradients.map((one) => one.ratio)) < 1e-8)) return null;
  return diagnosis(
    "vanishingGradients",
    "problem",
    `Measured against its weights, the gradient of ${first.name} is ${figure(ratio)} of that of ${last.name}: ` +
      "it vanishes on its way back.",
    "Use ReLU or its relatives, Kaiming or Xavier weights, normalisation layers or residual connections.",
    { ratio, first: first.ratio, last: last.ratio },
    [first.name],
  );
};

export const explodingGradients: Detector = (course) => {
  const norms = course.gradientNorms;
  if (norms.length === 0) return null;
  const [typical, worst] = [median(norms), greatest(norms)];
  // Of numbers told, gradients are as large as the loss, which may have any unit.
  const scale = course.facts.classes ? 1 : Math.max(1, course.firstLoss || 1);
  if (!(typical > 300 * scale) && !(worst > 3000 * scale && worst > 100 * typical)) return null;
  return diagnosis(
    "explodingGradients",
    worst > 3000 * scale ? "problem" : "warning",
    `The gradients' norm is ${figure(typical)} as a rule and ${figure(worst)} at worst.`,
    "Clip the gradients (norm 1), lower the learning rate, normalise the inputs, and check the scale of the first weights.",
    { typical, worst },
  );
};

const usual = { low: 3e-5, high: 0.1 };

export const updateRatio: Detector = (course) => {
  const { updateRatio: ratio } = course;
  if (!(ratio < usual.low || ratio > usual.high) || ratio === 0) return null;
  const isLow = ratio < usual.low;
  return diagnosis(
    "updateRatio",
    "warning",
    `A step changes the weights by ${figure(ratio)} of their size, in the middle over all layers; about 0.001 is usual.`,
    isLow
      ? "Raise the learning rate, or check the scale of the first weights: they may be too large."
      : "Lower the learning rate, or check the scale of the first weights: they may be too small.",
    { ratio },
  );
};

const isStill = (looks: readonly ParameterHealth[]): boolean =>
  looks.every(({ updateRatio: ratio }) => ratio === 0);
const isZero = (looks: readonly ParameterHealth[]): boolean =>
  looks.every(({ norm }) => norm === 0);

export const symmetricWeights: Detector = (course) => {
  const seen = course.parameters().filter(([name]) => !/bias$/.test(name));
  const zero = seen.flatMap(([name, looks]) =>
    looks.length > 1 && isZero(looks) && isStill(looks) && looks[0]!.trainable ? [name] : [],
  );
  const alike = course.facts.alikeWeights ?? [];
  const where = [...new Set([...zero, ...alike])];
  if (where.length === 0) return null;
  return diagnosis(
    "symmetricWeights",
    "problem",
    zero.length > 0
      ? `${listed(zero)} ${zero.length === 1 ? "was" : "were"} 0 at every look: no gradient gets through layers of zeros.`
      : `The units of ${listed(alike)} are all alike: they get the same gradient, stay alike, and count as a single unit.`,
    "Begin with random weights (Kaiming before ReLU, Xavier before tanh); only biases, and the last layer, may begin at 0.",
    { layers: where.length },
    where,
  );
};

/** Parameters that do not move, by the reason that shows. */
function frozenBy(course: Course) {
  const unused: string[] = [];
  const forgotten: string[] = [];
  const still: string[] = [];
  const off: string[] = [];
  const dead = new Set(
    course.activations().flatMap(([, looks]) => (looks.some((one) => one.dead === 1) ? [1] : [])),
  );
  // Steps that are too small for float32 to add move nothing either.
  const isRounded = course.updateRatio < 1e-5;
  for (const [name, looks] of course.parameters()) {
    const hasGradient = looks.some(({ gradientNorm }) => gradientNorm !== null);
    if (!looks.some(({ trainable }) => trainable)) (hasGradient ? forgotten : off).push(name);
    else if (!hasGradient) unused.push(name);
    else if (isStill(looks) && !isZero(looks) && !isRounded && dead.size === 0) still.push(name);
  }
  return { unused, forgotten, still, off };
}

export const frozenLayer: Detector = (course): Diagnosis | null => {
  const { unused, forgotten, still, off } = frozenBy(course);
  const broken = [...unused, ...forgotten, ...still];
  if (broken.length > 0) {
    const reasons = [
      unused.length > 0 &&
        `no gradient reaches ${listed(unused)}: the forward pass does not use it, or cuts it off with detach() or noGrad()`,
      forgotten.length > 0 && `the optimizer was not given ${listed(forgotten)}`,
      still.length > 0 && `${listed(still)} did not change in any step that was looked at`,
    ].filter((reason) => reason !== false);
    return diagnosis(
      "frozenLayer",
      "problem",
      `Parameters do not train: ${reasons.join("; ")}.`,
      "Give the optimizer model.parameters(), let the loss depend on all of them, and see that no group's learning rate is 0.",
      { frozen: broken.length },
      broken,
    );
  }
  if (off.length === 0) return null;
  const all = course.parameters();
  const firstTrained = all.findIndex(([, looks]) => looks.some(({ trainable }) => trainable));
  // A body that is frozen up to some layer is how one transfers; what lies behind trained layers is not.
  const isBody = all.findLastIndex(([name]) => off.includes(name)) < firstTrained;
  return diagnosis(
    "frozenLayer",
    isBody ? "note" : "problem",
    `${off.length} of ${all.length} parameters are frozen (requiresGrad is false)` +
      `${isBody ? "" : ", though layers before them train"}: ${listed(off)}.`,
    "Unless that is on purpose, call requiresGrad(true) on the module and give its parameters to the optimizer.",
    { frozen: off.length },
    off,
  );
};

export const evaluationMode: Detector = (course) => {
  const names = [...new Set(course.health.flatMap(({ evalModules }) => evalModules))];
  if (names.length > 0)
    return diagnosis(
      "evaluationMode",
      "problem",
      `${listed(names)} ${names.length === 1 ? "was" : "were"} in evaluation mode while training: dropout drops ` +
        "nothing there, and batch norm uses running statistics that it never updates.",
      "Call model.train() before training, also after each evaluation, and do not call eval() in a forward.",
      { modules: names.length },
      names,
    );
  if (course.facts.isEvaluationSteady === false)
    return diagnosis(
      "evaluationMode",
      "problem",
      "In evaluation the same batch gives another loss each time: something stays random or in training mode there.",
      "Give functional.dropout and batchNorm { training: this.training }, and call model.eval() before evaluating.",
    );
  return null;
};

export const unnormalizedInput: Detector = ({ health, facts }) => {
  const seen = health.flatMap(({ input }) => (input ? [input] : []));
  const inputs = facts.input ? [facts.input, ...seen] : seen;
  if (inputs.length === 0) return null;
  const [mean, std] = [median(inputs.map((x) => x.mean)), median(inputs.map((x) => x.std))];
  const isFar = Math.abs(mean) > 4 * std && Math.abs(mean) > 0.1;
  if (!(std > 10 || std < 0.02 || isFar) || (std === 0 && mean === 0)) return null;
  return diagnosis(
    "unnormalizedInput",
    std > 10 || std < 0.005 || isFar ? "problem" : "warning",
    `The inputs have the mean ${figure(mean)} and the standard deviation ${figure(std)} ` +
      `(from ${figure(least(inputs.map(({ min }) => min)))} to ${figure(greatest(inputs.map(({ max }) => max)))}).`,
    "Normalise them with the training data's statistics, to mean 0 and standard deviation 1, the same for validation.",
    { mean, std },
  );
};
