// Convolutions and input gradients as products of gathered patches, for many channels.
#pragma once
#include "run.h"

namespace gradus {
namespace GRADUS_ISA {

bool suitsPatches(const ConvolutionPlan& plan, bool inputGrad);
void runPatches(const ConvolutionPlan& plan, Run& run, bool inputGrad);

}  // namespace GRADUS_ISA
}  // namespace gradus
