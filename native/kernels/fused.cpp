// The loop of fused kernels: for each block, inputs are found or copied, pointwise functions run
// one after the other on block buffers that stay in the L1 cache, and outputs are written.
// Reductions are in fusedReduce.cpp.
#include "fused.h"

namespace gradus {
namespace GRADUS_ISA {

FusedThread::FusedThread(const FusedPlan& plan, const FusedMemory& memory, char* scratch)
    : plan_(plan), memory_(memory) {
  auto* ready = reinterpret_cast<int64_t*>(scratch);
  registers_ = reinterpret_cast<char**>(scratch + kAlignment);
  const int64_t pointers = ceilDiv(plan.registers * 8, kAlignment) * kAlignment;
  slots_ = scratch + kAlignment + pointers;
  if (*ready == 0) prepare();
  *ready = 1;
}

int64_t FusedThread::scratchBytes(const FusedPlan& plan) {
  const int64_t pointers = ceilDiv(plan.registers * 8, kAlignment) * kAlignment;
  return kAlignment + pointers + plan.slots * plan.slotBytes;
}

// What stays the same for all blocks of a run: addresses of block buffers, single values,
// constants.
void FusedThread::prepare() {
  const int64_t n = least(plan_.block, plan_.total);
  for (int32_t r = 0; r < plan_.registers; r++)
    registers_[r] = plan_.slotOf[r] < 0 ? nullptr : slot(plan_.slotOf[r]);
  for (size_t i = 0; i < plan_.inputs.size(); i++) {
    const FusedInput& input = plan_.inputs[i];
    if (input.access != Access::kSplat) continue;
    withWidth(bytesOf(input.dtype), [&](auto* type) {
      using E = std::remove_pointer_t<decltype(type)>;
      copyRun<E>(reinterpret_cast<E*>(slot(input.slot)), 1,
                 reinterpret_cast<const E*>(memory_.inputs[i]), 0, n);
    });
  }
  for (const FusedConstant& constant : plan_.constants)
    fillConstant(slot(constant.slot), constant.dtype, constant.value, n);
}

// The element of a contiguous operand at which a block starts; in row mode `index` is that of the
// row.
GRADUS_INLINE int64_t FusedThread::place(const int64_t* strides, int64_t start,
                                         const int64_t* index) const {
  if (!plan_.rowMode) return start;
  int64_t sum = 0;
  for (int d = 0; d < plan_.rank; d++) sum += index[d] * strides[d];
  return sum;
}

void FusedThread::readInput(size_t number, int64_t start, int64_t n, const int64_t* index) {
  const FusedInput& input = plan_.inputs[number];
  const char* base = memory_.inputs[number];
  const int width = bytesOf(input.dtype);
  char*& reg = registers_[number];
  if (input.access == Access::kInPlace) {
    reg = const_cast<char*>(base) + place(input.strides, start, index) * width;
  } else if (input.access == Access::kIndex) {
    auto* to = reinterpret_cast<int32_t*>(reg);
    forRuns(input.walk, start, n, [&](int64_t done, int64_t offset, int64_t count) {
      const auto first = static_cast<int32_t>(input.at.offset + offset);
      const auto step = static_cast<int32_t>(input.walk.strides[input.walk.rank - 1]);
      for (int32_t i = 0; i < count; i++) to[done + i] = first + i * step;
    });
  } else if (input.access == Access::kGather) {
    withWidth(width, [&](auto* type) {
      using E = std::remove_pointer_t<decltype(type)>;
      const auto* from = reinterpret_cast<const E*>(base);
      auto* to = reinterpret_cast<E*>(reg);
      if (plan_.rowMode) {
        copyRun(to, 1, from + place(input.strides, start, index), input.strides[plan_.rank - 1], n);
        return;
      }
      const int64_t stride = input.walk.strides[input.walk.rank - 1];
      forRuns(input.walk, start, n, [&](int64_t done, int64_t offset, int64_t count) {
        copyRun(to + done, 1, from + offset, stride, count);
      });
    });
  }
}

void FusedThread::writeOutput(size_t number, int64_t start, int64_t n, const int64_t* index) {
  const FusedOutput& output = plan_.outputs[number];
  withWidth(bytesOf(output.dtype), [&](auto* type) {
    using E = std::remove_pointer_t<decltype(type)>;
    auto* to = reinterpret_cast<E*>(memory_.outputs[number]);
    const auto* from = reinterpret_cast<const E*>(registers_[output.reg]);
    if (plan_.rowMode || output.contiguous) {
      const int64_t stride = output.contiguous ? 1 : output.strides[plan_.rank - 1];
      copyRun(to + place(output.strides, start, index), stride, from, 1, n);
      return;
    }
    const int64_t stride = output.walk.strides[output.walk.rank - 1];
    forRuns(output.walk, start, n, [&](int64_t done, int64_t offset, int64_t count) {
      copyRun(to + offset, stride, from + done, 1, count);
    });
  });
}

void FusedThread::evaluate(int64_t start, int64_t n) {
  int64_t index[kMaxRank];
  if (plan_.rowMode) splitIndex(plan_.rank, plan_.dims, start, index);
  for (size_t i = 0; i < plan_.outputs.size(); i++) {
    const FusedOutput& output = plan_.outputs[i];
    if (memory_.direct[i])
      registers_[output.reg] =
          memory_.outputs[i] + place(output.strides, start, index) * bytesOf(output.dtype);
  }
  for (size_t i = 0; i < plan_.inputs.size(); i++) readInput(i, start, n, index);
  for (const FusedStep& step : plan_.steps)
    kPointwise.entries[step.function](registers_[step.result], registers_[step.operands[0]],
                                      registers_[step.operands[1]], registers_[step.operands[2]],
                                      n);
  for (size_t i = 0; i < plan_.outputs.size(); i++)
    if (!memory_.direct[i]) writeOutput(i, start, n, index);
}

namespace {

// Elements of a piece: no value depends on how they are cut, so a few pieces a thread keep all busy.
int64_t pieceOf(const FusedPlan& plan, int threads) {
  constexpr int64_t kLeast = 2048;
  const int64_t share = most(kLeast, plan.total / (4 * threads));
  const int64_t elements = threads == 1 ? kPieceElements : least(kPieceElements, share);
  if (plan.rowMode && plan.inner <= elements) return elements / plan.inner * plan.inner;
  return ceilDiv(elements, plan.block) * plan.block;
}

void runPointwise(const FusedPlan& plan, Run& run, const FusedMemory& memory) {
  const int64_t piece = pieceOf(plan, run.threads());
  const int64_t pieces = ceilDiv(plan.total, piece);
  const auto operations = static_cast<int64_t>(1 + plan.steps.size());
  run.parallelFor(pieces, plan.total * operations >= 2 * kPieceElements, [&](int64_t p, int t) {
    FusedThread thread(plan, memory, run.local(t));
    evaluateRange(plan, thread, p * piece, least(plan.total, (p + 1) * piece), plan.block,
                  [](int64_t, int64_t) {});
  });
}

bool isDirect(const FusedPlan& plan, const FusedOutput& output, Run& run) {
  if (!output.direct) return false;
  const int width = bytesOf(output.dtype);
  for (const Operand& hazard : output.hazards)
    if (run.base(hazard, width) == run.base(output.at, width)) return false;
  return plan.total > 0;
}

}  // namespace

void runFused(const FusedPlan& plan, Run& run) {
  if (plan.total == 0 && plan.reductions.empty()) return;
  const size_t pointers = plan.inputs.size() + plan.outputs.size();
  const size_t header = (pointers * 8 + plan.outputs.size()) / kAlignment * kAlignment + kAlignment;
  char* shared = run.shared(header + static_cast<size_t>(partialBytes(plan)));
  const int64_t local = FusedThread::scratchBytes(plan) + accumulatorBytes(plan);
  if (shared == nullptr || !run.reserveLocals(static_cast<size_t>(local))) return;
  FusedMemory memory;
  memory.inputs = reinterpret_cast<char**>(shared);
  memory.outputs = memory.inputs + plan.inputs.size();
  memory.direct = reinterpret_cast<uint8_t*>(memory.inputs + pointers);
  for (size_t i = 0; i < plan.inputs.size(); i++) {
    const FusedInput& input = plan.inputs[i];
    memory.inputs[i] = input.at.buffer < 0 ? nullptr : run.base(input.at, bytesOf(input.dtype));
  }
  for (size_t i = 0; i < plan.outputs.size(); i++) {
    const FusedOutput& output = plan.outputs[i];
    memory.outputs[i] = run.base(output.at, bytesOf(output.dtype));
    memory.direct[i] = isDirect(plan, output, run);
  }
  // The first piece on each thread fills its constants.
  for (int t = 0; t < run.threads(); t++) *reinterpret_cast<int64_t*>(run.local(t)) = 0;
  if (plan.reductions.empty())
    runPointwise(plan, run, memory);
  else
    runReductions(plan, run, memory, shared + header);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
