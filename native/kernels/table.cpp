// The table of one instruction set's kernels.
#include "isa.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

void runFused(const FusedPlan&, Run&);
void runDot(const DotPlan&, Run&);
void runConvolution(const ConvolutionPlan&, Run&);
void runConvolutionInputGrad(const ConvolutionPlan&, Run&);
void runConvolutionWeightGrad(const ConvolutionPlan&, Run&);
void runWindowArgMax(const WindowPlan&, Run&);
void runGather(const IndexPlan&, Run&);
void runScatterAdd(const IndexPlan&, Run&);
void runArgReduce(const ArgPlan&, Run&);
void runRandomBits(const RandomPlan&, Run&);
void runScan(const ScanPlan&, Run&);
void runArgSort(const SortPlan&, Run&);
void runIndexSelect(const IndexPlan&, Run&);
void runIndexAdd(const IndexPlan&, Run&);
void runScatter(const IndexPlan&, Run&);
void runWindowSum(const WindowPlan&, Run&);
void runWindowSumGrad(const WindowPlan&, Run&);
void runFactor(const FactorPlan&, Run&);
void runSolve(const SolvePlan&, Run&);
void runAttention(const AttentionPlan&, Run&);
void runAttentionGrad(const AttentionPlan&, Run&);

#define GRADUS_NAME_OF(isa) #isa
#define GRADUS_NAME(isa) GRADUS_NAME_OF(isa)

extern const KernelTable kTable;
const KernelTable kTable = {GRADUS_NAME(GRADUS_ISA),
                            runFused,
                            runDot,
                            runConvolution,
                            runConvolutionInputGrad,
                            runConvolutionWeightGrad,
                            runWindowArgMax,
                            runGather,
                            runScatterAdd,
                            runArgReduce,
                            runRandomBits,
                            runScan,
                            runArgSort,
                            runIndexSelect,
                            runIndexAdd,
                            runScatter,
                            runWindowSum,
                            runWindowSumGrad,
                            runFactor,
                            runSolve,
                            runAttention,
                            runAttentionGrad};

}  // namespace GRADUS_ISA
}  // namespace gradus
