/**
 * All labs: the topics of lectures 2 to 8, and the experiments on whole data sets. `gradus lab` lists and runs them. Read lab.ts for what
 * a lab is.
 */
import type { Lab } from "./lab.js";

export interface LabEntry {
  readonly name: string;
  /** What it belongs to: "02" to "08", or "experiments". */
  readonly group: string;
  /** What it shows, in a few words. */
  readonly title: string;
  /** The data set that it is meant for; default the digits that come with the package. Pictures in MNIST's files do as well as Fashion-MNIST. */
  readonly data?: "fashion-mnist" | "cifar10";
  readonly load: () => Promise<Lab>;
}

const [fashion, cifar] = ["fashion-mnist", "cifar10"] as const;

const lectures: readonly LabEntry[] = [
  {
    ...{ name: "neighbours", group: "02", title: "Nearest neighbours: distances, k, examples" },
    load: async () => (await import("./02-neighbours-linear/neighbours.js")).neighbours,
  },
  {
    ...{ name: "linear-classifier", group: "02", title: "Softmax regression, SVM, perceptron" },
    load: async () => (await import("./02-neighbours-linear/linearClassifier.js")).linearClassifier,
  },
  {
    ...{ name: "losses", group: "03", title: "Losses and penalties: hinge, softmax, L1, L2" },
    load: async () => (await import("./03-losses-optimisation/losses.js")).losses,
  },
  {
    ...{ name: "gradients", group: "03", title: "Gradient check; gradient against random steps" },
    load: async () => (await import("./03-losses-optimisation/gradients.js")).gradients,
  },
  {
    ...{ name: "two-layers", group: "04", title: "Two-layer networks and features" },
    load: async () => (await import("./04-networks-backpropagation/twoLayers.js")).twoLayers,
  },
  {
    ...{ name: "backpropagation", group: "04", title: "Gradients by hand and by the engine" },
    load: async () =>
      (await import("./04-networks-backpropagation/backpropagation.js")).backpropagation,
  },
  {
    ...{ name: "convolutions", group: "05", title: "Sizes, weights and receptive fields" },
    load: async () => (await import("./05-convolutions/convolutions.js")).convolutions,
  },
  {
    ...{ name: "activations", group: "06", title: "Activations, their slopes, deep networks" },
    load: async () => (await import("./06-activations-initialisation/activations.js")).activations,
  },
  {
    ...{ name: "initialisation", group: "06", title: "First weights: too small, too large, right" },
    load: async () =>
      (await import("./06-activations-initialisation/initialisation.js")).initialisation,
  },
  {
    ...{ name: "batch-norm", group: "06", title: "Batch norm in training and in evaluation" },
    load: async () => (await import("./06-activations-initialisation/batchNorm.js")).batchNorm,
  },
  {
    ...{ name: "optimizers", group: "07", title: "Ten optimizers on a valley and on a network" },
    load: async () => (await import("./07-optimizers-schedules/optimizers.js")).optimizers,
  },
  {
    ...{ name: "schedules", group: "07", title: "Schedules of the learning rate" },
    load: async () => (await import("./07-optimizers-schedules/schedules.js")).schedules,
  },
  {
    ...{ name: "regularisation", group: "08", title: "What helps on few examples" },
    load: async () => (await import("./08-regularisation/regularisation.js")).regularisation,
  },
  {
    ...{ name: "search", group: "08", title: "Search: grid, random draws, TPE; what matters" },
    load: async () => (await import("./08-practice/search.js")).search,
  },
];

const group = "experiments";

const experiments: readonly LabEntry[] = [
  {
    ...{ name: "fashion-neighbours", group, title: "Nearest neighbours", data: fashion },
    load: async () => (await import("./experiments/nearestNeighbours.js")).nearestNeighbours,
  },
  {
    ...{ name: "fashion-softmax", group, title: "Softmax regression", data: fashion },
    load: async () => (await import("./experiments/softmaxRegression.js")).softmaxRegression,
  },
  {
    ...{ name: "fashion-hog-svm", group, title: "SVM on histograms of gradients", data: fashion },
    load: async () => (await import("./experiments/hogSvm.js")).hogSvm,
  },
  {
    ...{ name: "fashion-two-layers", group, title: "Two-layer network", data: fashion },
    load: async () => (await import("./experiments/twoLayerNetwork.js")).twoLayerNetwork,
  },
  {
    ...{ name: "fashion-cnn", group, title: "Small convolutional network", data: fashion },
    load: async () => (await import("./experiments/convolutionalNetwork.js")).convolutionalNetwork,
  },
  {
    ...{
      name: "fashion-ensemble",
      group,
      title: "Five networks that answer together",
      data: fashion,
    },
    load: async () => (await import("./experiments/ensemble.js")).ensemble,
  },
  {
    ...{ name: "cifar-softmax", group, title: "Softmax regression on pixels", data: cifar },
    load: async () => (await import("./experiments/cifarSoftmax.js")).cifarSoftmax,
  },
  {
    ...{ name: "cifar-features", group, title: "Two layers on gradients and hues", data: cifar },
    load: async () => (await import("./experiments/cifarFeatures.js")).cifarFeatures,
  },
  {
    ...{ name: "cifar-resnet", group, title: "Residual network", data: cifar },
    load: async () => (await import("./experiments/residualNetwork.js")).residualNetwork,
  },
  {
    ...{
      name: "cifar-regularisers",
      group,
      title: "Mixup, cutmix, dropout and others",
      data: cifar,
    },
    load: async () => (await import("./experiments/regularisers.js")).regularisers,
  },
];

export const labs: readonly LabEntry[] = [...lectures, ...experiments];
