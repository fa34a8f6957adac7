// One run of a program: where its buffers are, its scratch memory and its threads. Kernels get a
// Run and a plan.
#pragma once
#include <atomic>

#include "program.h"
#include "threads.h"

namespace gradus {

// Why a run stopped.
enum class Failure : int32_t {
  kNone = 0,
  kIndex = 1,
  kMemory = 2,
  kSingular = 3,
  kNotPositive = 4
};

struct RunResult {
  Failure failure = Failure::kNone;
  int32_t origin = 0;
  int64_t value = 0;
  int64_t limit = 0;
};

// Memory that grows and is kept, aligned to 64 bytes.
class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  // At least `bytes`; null when the system has no more. What was there before is lost when it
  // grows.
  char* reserve(size_t bytes);
  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

// Memory that all runs on one thread share: the program's arena, scratch for a kernel, and scratch
// for each thread.
struct Context {
  Arena arena;
  Arena shared;
  Arena locals[kMaxThreads];
  std::vector<void*> bases;
  size_t bytes() const;
};

// How often memory was asked for, in the whole process.
int64_t allocationCount();
void countAllocation();

class Run {
 public:
  Run(Context& context, PoolLease& lease) : context_(context), lease_(lease) {}

  RunResult result;

  template <typename T>
  T* at(const Operand& operand) const {
    return static_cast<T*>(context_.bases[static_cast<size_t>(operand.buffer)]) + operand.offset;
  }
  char* base(const Operand& operand, int width) const {
    return static_cast<char*>(context_.bases[static_cast<size_t>(operand.buffer)]) +
           operand.offset * width;
  }

  // Scratch for the kernel; null after a failure was noted.
  char* shared(size_t bytes);
  // The same for `count` elements, also where their bytes are more than size_t can tell.
  template <typename T>
  T* sharedOf(int64_t count) {
    if (count <= static_cast<int64_t>(PTRDIFF_MAX / 2 / sizeof(T)))
      return reinterpret_cast<T*>(shared(static_cast<size_t>(count) * sizeof(T)));
    result.failure = Failure::kMemory;
    result.value = count;
    return nullptr;
  }
  // Scratch of `bytes` for every thread; false after a failure was noted.
  bool reserveLocals(size_t bytes);
  // The same for `count` elements, also where their bytes are more than size_t can tell.
  template <typename T>
  bool reserveLocalsOf(int64_t count) {
    if (count <= static_cast<int64_t>(PTRDIFF_MAX / 2 / sizeof(T)))
      return reserveLocals(static_cast<size_t>(count) * sizeof(T));
    result.failure = Failure::kMemory;
    result.value = count;
    return false;
  }
  char* local(int thread) const { return context_.locals[thread].data(); }
  int threads() const { return lease_.threads(); }

  // Calls function(piece, thread) for each piece, on all threads if `parallel`.
  template <typename F>
  void parallelFor(int64_t pieces, bool parallel, F&& function) {
    if (!parallel || pieces < 2) {
      for (int64_t piece = 0; piece < pieces; piece++) function(piece, 0);
      return;
    }
    const auto call = [](void* context, int64_t piece, int thread) {
      (*static_cast<F*>(context))(piece, thread);
    };
    lease_.run(pieces, &function, call);
  }

 private:
  Context& context_;
  PoolLease& lease_;
};

// Whether runs note how long each instruction takes.
void setProfiling(bool on);

// Runs on `arrays`, one address for each external slot, which the caller has checked.
RunResult runProgram(const Program& program, Context& context, void* const* arrays);

}  // namespace gradus
