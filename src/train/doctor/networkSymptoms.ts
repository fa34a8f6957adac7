/** What the monitor's looks into the network show: units, gradients, updates, modes, inputs. */
import type { Course } from "./course.js";
import { median } from "./course.js";
import { type Detector, type Diagnosis, diagnosis, figure, listed, share } from "./diagnosis.js";

/** Layers whose share is at least `least` at each of the later looks; the share is the smallest. */
function layersWith(course: Course, of: "dead" | "saturated", least: number, isLike: RegExp) {
  return course.activations().flatMap(([name, looks]) => {
    const smallest = Math.min(...looks.map((look) => look[of]));
    return isLike.test(looks[0]!.kind) && smallest >= least ? [{ name, share: smallest }] : [];
  });
}

export const deadUnits: Detector = (course) => {
  const found = layersWith(course, "dead", 0.5, /relu/i);
  if (found.length === 0) return null;
  const worst = Math.max(...found.map((one) => one.share));
  return diagnosis(
    "deadUnits",
    worst >= 0.7 ? "problem" : "warning",
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
  const worst = Math.max(...found.map((one) => one.share));
  return diagnosis(
    "saturatedUnits",
    worst >= 0.75 ? "problem" : "warning",
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
  const [typical, worst] = [median(norms), Math.max(...norms)];
  if (!(typical > 300) && !(worst > 3000 && worst > 100 * typical)) return null;
  return diagnosis(
    "explodingGradients",
    worst > 3000 ? "problem" : "warning",
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

/** Parameters that do not move, by the reason that shows. */
function frozenBy(course: Course) {
  const unused: string[] = [];
  const forgotten: string[] = [];
  const still: string[] = [];
  const off: string[] = [];
  const dead = new Set(
    course.activations().flatMap(([, looks]) => (looks.some((one) => one.dead === 1) ? [1] : [])),
  );
  for (const [name, looks] of course.parameters()) {
    const hasGradient = looks.some(({ gradientNorm }) => gradientNorm !== null);
    if (!looks.some(({ trainable }) => trainable)) (hasGradient ? forgotten : off).push(name);
    else if (!hasGradient) unused.push(name);
    else if (looks.every((one) => one.updateRatio === 0) && dead.size === 0) still.push(name);
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
    std > 10 || isFar ? "problem" : "warning",
    `The inputs have the mean ${figure(mean)} and the standard deviation ${figure(std)} ` +
      `(from ${figure(Math.min(...inputs.map(({ min }) => min)))} to ${figure(Math.max(...inputs.map(({ max }) => max)))}).`,
    "Normalise them with the training data's statistics, to mean 0 and standard deviation 1, the same for validation.",
    { mean, std },
  );
};
