// The kernels of one instruction set, and the choice among those that the machine can run.
#pragma once
#include "run.h"

namespace gradus {

struct KernelTable {
  const char* name;
  void (*fused)(const FusedPlan&, Run&);
  void (*dot)(const DotPlan&, Run&);
  void (*convolution)(const ConvolutionPlan&, Run&);
  void (*convolutionInputGrad)(const ConvolutionPlan&, Run&);
  void (*convolutionWeightGrad)(const ConvolutionPlan&, Run&);
  void (*windowArgMax)(const WindowPlan&, Run&);
  void (*gather)(const IndexPlan&, Run&);
  void (*scatterAdd)(const IndexPlan&, Run&);
  void (*argReduce)(const ArgPlan&, Run&);
  void (*randomBits)(const RandomPlan&, Run&);
  void (*scan)(const ScanPlan&, Run&);
  void (*argSort)(const SortPlan&, Run&);
  void (*indexSelect)(const IndexPlan&, Run&);
  void (*indexAdd)(const IndexPlan&, Run&);
  void (*scatter)(const IndexPlan&, Run&);
  void (*windowSum)(const WindowPlan&, Run&);
  void (*windowSumGrad)(const WindowPlan&, Run&);
  void (*factor)(const FactorPlan&, Run&);
  void (*solve)(const SolvePlan&, Run&);
  void (*attention)(const AttentionPlan&, Run&);
  void (*attentionGrad)(const AttentionPlan&, Run&);
};

// The tables that this machine can run, best first; null after the last.
const KernelTable* const* availableTables();

const KernelTable& currentTable();

// False if the machine cannot run it.
bool selectTable(const char* name);

}  // namespace gradus
