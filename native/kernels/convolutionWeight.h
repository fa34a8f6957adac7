// The two ways to compute weight gradients of convolutions: convolutionWeight.cpp for few channels,
// convolutionWeightPanels.cpp for many.
#pragma once
#include "run.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

constexpr int64_t kManyWeights = 32768;

// Few weights: images are cut in parts of their own sums, in a way that only the plan decides.
// Many: weights are cut.
inline int64_t partsOf(const ConvolutionPlan& plan) {
  const int64_t weights = plan.o * (plan.c / plan.groups) * plan.window.kernelSize();
  return weights < kManyWeights ? most(1, least(8, plan.n)) : 1;
}

// Taps of a kernel row that are side by side when channels are innermost.
int64_t tapsInRun(const ConvolutionPlan& plan);
bool suitsPanels(const ConvolutionPlan& plan);
void runPanelWeightGrad(const ConvolutionPlan& plan, Run& run);

}  // namespace GRADUS_ISA
}  // namespace gradus
