// How a fused kernel will loop: the order of dims, which operands are used in place, the block
// buffers. The loops are in kernels/fused.cpp.
#include <algorithm>

#include "decode.h"

namespace gradus {

namespace {

// Rows shorter than this are joined into blocks that span rows.
constexpr int64_t kRowModeInner = 128;
// Block buffers of one kernel should stay in the L1 cache.
constexpr int64_t kBlockBytes = 24 * 1024;
constexpr int64_t kMinBlock = 256, kMaxBlock = 1024;

void permute(int rank, const int* order, int64_t* list) {
  int64_t copy[kMaxRank];
  std::copy(list, list + rank, copy);
  for (int i = 0; i < rank; i++) list[i] = copy[order[i]];
}

bool isContiguous(const FusedPlan& plan, const int64_t* strides) {
  int64_t step = 1;
  for (int d = plan.rank - 1; d >= 0; d--) {
    if (plan.dims[d] != 1 && strides[d] != step) return false;
    step *= plan.dims[d];
  }
  return true;
}

bool isSplat(const FusedPlan& plan, const int64_t* strides) {
  for (int d = 0; d < plan.rank; d++)
    if (plan.dims[d] != 1 && strides[d] != 0) return false;
  return true;
}

// Kept dims go outside reduced ones, but for kept dims after the last reduced one, which stay
// innermost.
void orderDims(FusedPlan& plan, const bool* reduced, std::vector<int64_t>& reductionStrides) {
  int lastReduced = -1;
  for (int d = 0; d < plan.rank; d++)
    if (reduced[d]) lastReduced = d;
  const bool columns = lastReduced < plan.rank - 1;
  plan.fold = columns ? FoldKind::kColumns : FoldKind::kSegments;
  plan.keptOuter = plan.folded = plan.keptInner = 1;
  int order[kMaxRank], at = 0;
  for (int d = 0; d < lastReduced; d++)
    if (!reduced[d]) order[at++] = d, plan.keptOuter *= plan.dims[d];
  for (int d = 0; d <= lastReduced; d++)
    if (reduced[d]) order[at++] = d, plan.folded *= plan.dims[d];
  for (int d = lastReduced + 1; d < plan.rank; d++) order[at++] = d, plan.keptInner *= plan.dims[d];
  permute(plan.rank, order, plan.dims);
  for (FusedInput& input : plan.inputs) permute(plan.rank, order, input.strides);
  for (FusedOutput& output : plan.outputs) permute(plan.rank, order, output.strides);
  for (size_t i = 0; i < plan.reductions.size(); i++) {
    int64_t* strides = &reductionStrides[i * kMaxRank];
    permute(plan.rank, order, strides);
    int64_t kept[kMaxRank];
    for (int d = 0; d < plan.rank; d++) kept[d] = reduced[order[d]] ? 1 : plan.dims[d];
    plan.reductions[i].walk = joinDims(plan.rank, kept, strides);
  }
}

void chooseAccess(FusedPlan& plan) {
  bool allContiguous = true;
  for (const FusedInput& input : plan.inputs)
    allContiguous &= input.at.buffer >= 0 &&
                     (isSplat(plan, input.strides) || isContiguous(plan, input.strides));
  for (const FusedOutput& output : plan.outputs)
    allContiguous &= isContiguous(plan, output.strides);
  plan.inner = plan.dims[plan.rank - 1];
  plan.rowMode = !allContiguous && plan.inner >= kRowModeInner;
  const auto inPlace = [&](const int64_t* strides) {
    return plan.rowMode ? strides[plan.rank - 1] == 1 : isContiguous(plan, strides);
  };
  for (FusedInput& input : plan.inputs) {
    input.walk = joinDims(plan.rank, plan.dims, input.strides);
    if (input.at.buffer < 0)
      input.access = Access::kIndex;
    else if (isSplat(plan, input.strides))
      input.access = Access::kSplat;
    else
      input.access = inPlace(input.strides) ? Access::kInPlace : Access::kGather;
  }
  for (FusedOutput& output : plan.outputs) {
    output.walk = joinDims(plan.rank, plan.dims, output.strides);
    output.contiguous = inPlace(output.strides);
  }
}

constexpr int32_t kForever = INT32_MAX;

// The step that reads each register last; kForever where the end of the block does.
std::vector<int32_t> lastUses(const FusedPlan& plan) {
  std::vector<int32_t> last(static_cast<size_t>(plan.registers), -1);
  for (size_t i = 0; i < plan.steps.size(); i++)
    for (int32_t operand : plan.steps[i].operands)
      last[static_cast<size_t>(operand)] = static_cast<int32_t>(i);
  for (const FusedOutput& output : plan.outputs) last[static_cast<size_t>(output.reg)] = kForever;
  for (const FusedReduction& r : plan.reductions) last[static_cast<size_t>(r.reg)] = kForever;
  return last;
}

void chooseDirect(FusedPlan& plan, const std::vector<int32_t>& last) {
  const auto inputs = static_cast<int32_t>(plan.inputs.size());
  const int32_t firstStep = inputs + static_cast<int32_t>(plan.constants.size());
  std::vector<bool> taken(static_cast<size_t>(plan.registers), false);
  for (FusedOutput& output : plan.outputs) {
    const int32_t reg = output.reg;
    const bool gathered = reg < inputs && (plan.inputs[reg].access == Access::kGather ||
                                           plan.inputs[reg].access == Access::kIndex);
    output.direct = output.contiguous && (gathered || reg >= firstStep) && !taken[reg];
    if (!output.direct) continue;
    taken[reg] = true;
    const int32_t producer = gathered ? -1 : reg - firstStep;
    for (int32_t i = 0; i < inputs; i++)
      if (plan.inputs[i].access == Access::kInPlace && last[i] > producer)
        output.hazards.push_back(plan.inputs[i].at);
  }
}

void assignSlots(FusedPlan& plan, const std::vector<int32_t>& last) {
  plan.slotOf.assign(static_cast<size_t>(plan.registers), -1);
  std::vector<int32_t> unused;
  const auto take = [&] {
    if (unused.empty()) return plan.slots++;
    const int32_t slot = unused.back();
    unused.pop_back();
    return slot;
  };
  size_t reg = 0;
  for (FusedInput& input : plan.inputs) {
    input.slot = input.access == Access::kInPlace ? -1 : take();
    plan.slotOf[reg++] = input.slot;
  }
  for (FusedConstant& constant : plan.constants) plan.slotOf[reg++] = constant.slot = take();
  const size_t firstStep = reg;
  const auto isTemporary = [&](size_t r) {
    return r >= firstStep || (r < plan.inputs.size() && (plan.inputs[r].access == Access::kGather ||
                                                         plan.inputs[r].access == Access::kIndex));
  };
  for (size_t i = 0; i < plan.steps.size(); i++) {
    const FusedStep& step = plan.steps[i];
    plan.slotOf[reg++] = take();
    for (int j = 0; j < 3; j++) {
      const auto operand = static_cast<size_t>(step.operands[j]);
      const bool repeated = (j > 0 && step.operands[j] == step.operands[0]) ||
                            (j > 1 && step.operands[j] == step.operands[1]);
      if (!repeated && isTemporary(operand) && last[operand] == static_cast<int32_t>(i))
        unused.push_back(plan.slotOf[operand]);
    }
    if (last[firstStep + i] < 0) unused.push_back(plan.slotOf[firstStep + i]);
  }
}

}  // namespace

void planFused(FusedPlan& plan, const bool* reducedDims, const std::vector<int64_t>& strides) {
  std::vector<int64_t> reductionStrides = strides;
  bool reduced[kMaxRank] = {};
  std::copy(reducedDims, reducedDims + plan.rank, reduced);
  if (plan.rank == 0) {
    // One element: a dim of size 1, whose strides were set to 0.
    plan.rank = 1;
    plan.dims[0] = 1;
  }
  plan.fold = FoldKind::kNone;
  plan.keptOuter = plan.folded = plan.keptInner = 1;
  if (!plan.reductions.empty()) orderDims(plan, reduced, reductionStrides);
  chooseAccess(plan);
  const std::vector<int32_t> last = lastUses(plan);
  chooseDirect(plan, last);
  assignSlots(plan, last);
  plan.slotBytes = 1;
  for (uint8_t width : plan.widthOf) plan.slotBytes = std::max<int64_t>(plan.slotBytes, width);
  const int64_t fitting = kBlockBytes / (plan.slotBytes * std::max<int64_t>(plan.slots, 1));
  plan.block = std::clamp(fitting / 64 * 64, kMinBlock, kMaxBlock);
  // Vector kernels may touch a whole vector at the end of a block buffer.
  plan.slotBytes = plan.slotBytes * plan.block + static_cast<int64_t>(kAlignment);
}

}  // namespace gradus
