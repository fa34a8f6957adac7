/** The steps of the recipe in their order; the verdict is drawn from all of them. */
import type { RecipeStep } from "../examination.js";
import { coarseSearchStep } from "./coarseSearch.js";
import { curvesStep } from "./curves.js";
import { initialLossStep } from "./initialLoss.js";
import { longRunsStep } from "./longRuns.js";
import { overfitStep } from "./overfit.js";
import { rateSearchStep } from "./rateSearch.js";

export const recipeSteps: readonly RecipeStep[] = [
  ...[initialLossStep, overfitStep, rateSearchStep],
  ...[coarseSearchStep, longRunsStep, curvesStep],
];
