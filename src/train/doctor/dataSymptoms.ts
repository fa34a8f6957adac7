/** What loss and measures say about data, labels and the model's size: the first loss, chance, gaps. */
import { type Course, greatest, least } from "./course.js";
import { type Detector, diagnosis, figure, share } from "./diagnosis.js";

export const initialLoss: Detector = (course) => {
  const { facts, firstLoss, isFromStart } = course;
  if (!isFromStart || !facts.classes || facts.classes < 2 || !Number.isFinite(firstLoss))
    return null;
  const expected = Math.log(facts.classes);
  const ratio = firstLoss / expected;
  if (ratio > 0.6 && ratio < 1.5) return null;
  const values = { first: firstLoss, expected };
  const seen = `The first loss is ${figure(firstLoss)}; ${facts.classes} classes guessed at evenly cost ln ${facts.classes} = ${figure(expected)}.`;
  return ratio >= 1.5
    ? diagnosis(
        "initialLoss",
        ratio > 3 ? "problem" : "warning",
        `${seen} The untrained network is sure of wrong answers.`,
        "Begin with smaller weights (Kaiming before ReLU, Xavier before tanh, the last layer smaller still), normalise the inputs, and check that the loss is a mean over the examples.",
        values,
      )
    : diagnosis(
        "initialLoss",
        "warning",
        `${seen} An untrained network cannot know so much.`,
        "Check that the target is not among the inputs, that the classes are in balance, and whether the weights were trained before.",
        values,
      );
};

/** How far above chance an accuracy must be before it is more than luck: four standard errors, for there are many epochs. */
function luckOf({ facts, validationExamples }: Course): number {
  const p = 1 / (facts.classes ?? 2);
  return p + 4 * Math.sqrt((p * (1 - p)) / Math.max(validationExamples, 1));
}

/** Nothing in the network explains that it learns nothing: steps of a usual size, units alive. */
function isSound(course: Course): boolean {
  const { updateRatio } = course;
  const isDead = course.activations().some(([, looks]) => looks.some(({ dead }) => dead > 0.9));
  return updateRatio > 2e-4 && updateRatio < 0.1 && course.greatestUpdateRatio < 0.25 && !isDead;
}

export const shuffledLabels: Detector = (course) => {
  const losses = course.pairs("loss");
  const last = losses.at(-1);
  const { chanceLoss, facts } = course;
  if (!last || !facts.classes || course.losses.length < 60 || course.failure) return null;
  const best = least(losses.map(({ validation }) => validation));
  const accuracies = course.pairs("accuracy").map(({ validation }) => validation);
  const isLucky = accuracies.length === 0 || greatest(accuracies) <= luckOf(course);
  const hasLearned = 1 - last.train / chanceLoss > 0.05;
  if (!(best > 0.98 * chanceLoss) || !isLucky || !(hasLearned || isSound(course))) return null;
  const reached = accuracies.length > 0 ? ` (accuracy at most ${share(greatest(accuracies))})` : "";
  const where = hasLearned
    ? `The training loss fell to ${figure(last.train)}, but on validation data`
    : `The steps are of a usual size and ${facts.overfits ? "a few batches can be learned by heart" : "the units are alive"}, but`;
  const what = hasLearned
    ? "It learns by heart only."
    : "The inputs say nothing about the targets.";
  return diagnosis(
    "shuffledLabels",
    "problem",
    `${where} the model is no better than guessing: the validation loss never went below ${figure(best)}${reached}. ${what}`,
    "Look at some examples with their labels: they have probably lost each other (shuffled or sorted apart, shifted by one, or read from another file).",
    { train: last.train, best, chance: chanceLoss },
  );
};

export const overfitting: Detector = (course) => {
  const losses = course.pairs("loss");
  const [last, accuracy] = [losses.at(-1), course.pairs("accuracy").at(-1)];
  if (!last || losses.length < 2 || shuffledLabels(course)) return null;
  const best = least(losses.map(({ validation }) => validation));
  const bestAt = losses.findIndex(({ validation }) => validation === best);
  const gap = accuracy ? accuracy.train - accuracy.validation : Number.NaN;
  const hasRisen = last.validation > 1.25 * best && last.train < losses[bestAt]!.train;
  const isApart = accuracy ? gap > 0.12 : last.validation > 2 * last.train && hasRisen;
  if (!isApart && !(hasRisen && last.validation > 2 * last.train && !(gap < 0.04))) return null;
  const spelled = accuracy
    ? `accuracy ${share(accuracy.train)} on training and ${share(accuracy.validation)} on validation data`
    : `loss ${figure(last.train)} on training and ${figure(last.validation)} on validation data`;
  const risen = hasRisen
    ? ` The validation loss was best (${figure(best)}) after epoch ${bestAt + 1} and rose to ${figure(last.validation)} since.`
    : "";
  return diagnosis(
    "overfitting",
    "warning",
    `The gap is wide: ${spelled}.${risen}`,
    "More data or augmentation, more weight decay or dropout, a smaller model, or stop early at the best epoch.",
    { gap, train: last.train, validation: last.validation, best },
  );
};

export const underfitting: Detector = (course) => {
  const losses = course.pairs("loss");
  const last = losses.at(-1);
  if (!last || losses.length < 3 || course.losses.length < 60) return null;
  const { chanceLoss } = course;
  const fall = course.lossFrom(0.5, 0.6) - course.lossFrom(0.9, 1);
  const isSettled = fall < 0.05 * chanceLoss;
  const isPoor = last.train > 0.5 * chanceLoss && last.train < 0.97 * chanceLoss;
  if (!isPoor || !isSettled || last.validation > 1.1 * last.train) return null;
  return diagnosis(
    "underfitting",
    "warning",
    `The loss is ${figure(last.train)} on training and ${figure(last.validation)} on validation data, and hardly falls any more; ` +
      `guessing costs ${figure(chanceLoss)}. The model does not fit even what it is trained on.`,
    "A larger model, less weight decay, dropout and augmentation, or a better learning rate.",
    { train: last.train, validation: last.validation, chance: chanceLoss },
  );
};

export const leakage: Detector = (course) => {
  const { sharedExamples } = course.facts;
  if (sharedExamples !== undefined && sharedExamples > 0.01)
    return diagnosis(
      "leakage",
      "problem",
      `${share(sharedExamples)} of the validation examples are among the training examples too.`,
      "Split the data before anything is copied or augmented, and keep what belongs together (one patient, one scene) on one side.",
      { shared: sharedExamples },
    );
  return null;
};
