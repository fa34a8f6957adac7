/** The room of linear classifiers: perceptron, multiclass SVM, softmax regression, their penalties and their templates. */
export { LinearClassifier, type LinearClassifierOptions, type LinearLoss } from "./classifier.js";
export {
  type ClassifierFitOptions,
  classifierAccuracy,
  type EpochReport,
  fitClassifier,
  type Objective,
  predictClasses,
} from "./fit.js";
export {
  type HingeOptions,
  multiclassHinge,
  type Penalty,
  type PenaltyOptions,
  weightPenalty,
} from "./losses.js";
export {
  Perceptron,
  type PerceptronFit,
  type PerceptronOptions,
  type PerceptronRule,
} from "./perceptron.js";
export { templateImages } from "./templates.js";
