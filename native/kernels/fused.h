// Evaluating the pointwise part of a fused kernel block by block; fusedReduce.cpp folds the blocks.
#pragma once
#include "run.h"
#include "pointwise.h"
#include "walk.h"

namespace gradus {
namespace GRADUS_ISA {

// Elements of a piece of work, about; fixed, so that partial sums do not depend on the number of
// threads.
constexpr int64_t kPieceElements = 16384;

// Where the operands of one run are; shared by the threads.
struct FusedMemory {
  char** inputs;
  char** outputs;
  uint8_t* direct;  // whether each output's producer writes to memory
};

// The state of one thread: an address for each register, and the block buffers.
class FusedThread {
 public:
  FusedThread(const FusedPlan& plan, const FusedMemory& memory, char* scratch);

  // Bytes of scratch for one thread, without the accumulators.
  static int64_t scratchBytes(const FusedPlan& plan);

  // Computes elements start to start + n, which lie in one row in row mode, and writes the outputs.
  void evaluate(int64_t start, int64_t n);

  const char* reg(int32_t number) const { return registers_[number]; }

 private:
  const FusedPlan& plan_;
  const FusedMemory& memory_;
  char** registers_;
  char* slots_;

  char* slot(int32_t number) const { return slots_ + number * plan_.slotBytes; }
  void prepare();
  int64_t place(const int64_t* strides, int64_t start, const int64_t* index) const;
  void readInput(size_t number, int64_t start, int64_t n, const int64_t* index);
  void writeOutput(size_t number, int64_t start, int64_t n, const int64_t* index);
};

void runFused(const FusedPlan& plan, Run& run);

// The part of runFused for kernels with reductions.
void runReductions(const FusedPlan& plan, Run& run, const FusedMemory& memory, char* partials);
// Bytes of the accumulators of one thread, and of the partial results of all pieces.
int64_t accumulatorBytes(const FusedPlan& plan);
int64_t partialBytes(const FusedPlan& plan);

// Evaluates elements begin to end in blocks of at most `block`, calling each(start, n) after each
// block.
template <typename F>
void evaluateRange(const FusedPlan& plan, FusedThread& thread, int64_t begin, int64_t end,
                   int64_t block, F&& each) {
  for (int64_t at = begin; at < end;) {
    int64_t n = least(block, end - at);
    if (plan.rowMode) n = least(n, plan.inner - at % plan.inner);
    thread.evaluate(at, n);
    each(at, n);
    at += n;
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
