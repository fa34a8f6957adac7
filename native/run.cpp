// The executor: places the buffers, then calls one kernel after the other.
#include "run.h"

#include <cstdlib>

#include "isa.h"

#ifndef __wasm__
#include <chrono>
#endif

#ifdef __linux__
#include <sys/mman.h>
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace gradus {

namespace {

std::atomic<int64_t> allocations{0};
std::atomic<bool> profiling{false};

double nanoseconds() {
#ifdef __wasm__
  return 0;  // there is no clock
#else
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double, std::nano>(Clock::now().time_since_epoch()).count();
#endif
}

void runInstruction(const KernelTable& table, const Instruction& instruction, Run& run) {
  switch (instruction.kernel) {
    case Kernel::kFused:
      return table.fused(*instruction.fused, run);
    case Kernel::kDot:
      return table.dot(*instruction.dot, run);
    case Kernel::kConvolution:
      return table.convolution(*instruction.convolution, run);
    case Kernel::kConvolutionInputGrad:
      return table.convolutionInputGrad(*instruction.convolution, run);
    case Kernel::kConvolutionWeightGrad:
      return table.convolutionWeightGrad(*instruction.convolution, run);
    case Kernel::kWindowArgMax:
      return table.windowArgMax(*instruction.window, run);
    case Kernel::kGather:
      return table.gather(*instruction.index, run);
    case Kernel::kScatterAdd:
      return table.scatterAdd(*instruction.index, run);
    case Kernel::kArgReduce:
      return table.argReduce(*instruction.arg, run);
    case Kernel::kRandomBits:
      return table.randomBits(*instruction.random, run);
    case Kernel::kScan:
      return table.scan(*instruction.scan, run);
    case Kernel::kArgSort:
      return table.argSort(*instruction.sort, run);
    case Kernel::kIndexSelect:
      return table.indexSelect(*instruction.index, run);
    case Kernel::kIndexAdd:
      return table.indexAdd(*instruction.index, run);
    case Kernel::kScatter:
      return table.scatter(*instruction.index, run);
    case Kernel::kWindowSum:
      return table.windowSum(*instruction.window, run);
    case Kernel::kWindowSumGrad:
      return table.windowSumGrad(*instruction.window, run);
    case Kernel::kFactor:
      return table.factor(*instruction.factor, run);
    case Kernel::kSolve:
      return table.solve(*instruction.solve, run);
    case Kernel::kAttention:
      return table.attention(*instruction.attention, run);
    case Kernel::kAttentionGrad:
      return table.attentionGrad(*instruction.attention, run);
  }
}

}  // namespace

int64_t allocationCount() { return allocations.load(); }
void countAllocation() { allocations.fetch_add(1); }
void setProfiling(bool on) { profiling.store(on); }

namespace {

// Asks for large pages: the first touch of 16 MB is then 8 faults and not 4,096, which cost more than
// writing it.
void preferLargePages([[maybe_unused]] char* data, [[maybe_unused]] size_t bytes) {
#ifdef __linux__
  constexpr size_t kLargePage = size_t{2} << 20;
  if (bytes < 2 * kLargePage) return;
  const size_t skipped = (kLargePage - reinterpret_cast<size_t>(data) % kLargePage) % kLargePage;
  madvise(data + skipped, (bytes - skipped) / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
}

// Under the address sanitizer, what lies behind the bytes asked for may not be touched.
void guardRest([[maybe_unused]] char* data, [[maybe_unused]] size_t used,
               [[maybe_unused]] size_t size) {
#ifdef __SANITIZE_ADDRESS__
  if (data == nullptr) return;
  ASAN_UNPOISON_MEMORY_REGION(data, used);
  ASAN_POISON_MEMORY_REGION(data + used, size - used);
#endif
}

}  // namespace

Arena::~Arena() { std::free(data_); }

char* Arena::reserve(size_t bytes) {
  if (bytes <= size_ && data_ != nullptr) {
    guardRest(data_, bytes, size_);
    return data_;
  }
  if (bytes > SIZE_MAX / 2) return nullptr;
  // A quarter more than asked, so that slowly growing programs do not ask each time.
  const size_t wanted = (bytes + bytes / 4 + kAlignment) / kAlignment * kAlignment;
  std::free(data_);
  data_ = static_cast<char*>(std::aligned_alloc(kAlignment, wanted));
  size_ = data_ == nullptr ? 0 : wanted;
  countAllocation();
  if (data_ != nullptr) preferLargePages(data_, size_);
  guardRest(data_, bytes, size_);
  return data_;
}

size_t Context::bytes() const {
  size_t sum = arena.size() + shared.size();
  for (const Arena& local : locals) sum += local.size();
  return sum;
}

char* Run::shared(size_t bytes) {
  char* data = context_.shared.reserve(bytes);
  if (data != nullptr) return data;
  result.failure = Failure::kMemory;
  result.value = static_cast<int64_t>(bytes);
  return data;
}

bool Run::reserveLocals(size_t bytes) {
  for (int i = 0; i < threads(); i++) {
    if (context_.locals[i].reserve(bytes) != nullptr) continue;
    result.failure = Failure::kMemory;
    result.value = static_cast<int64_t>(bytes);
    return false;
  }
  return true;
}

RunResult runProgram(const Program& program, Context& context, void* const* arrays) {
  RunResult result;
  const bool fits = program.arenaBytes <= static_cast<int64_t>(PTRDIFF_MAX);
  char* arena = fits ? context.arena.reserve(static_cast<size_t>(program.arenaBytes)) : nullptr;
  if (arena == nullptr) {
    result.failure = Failure::kMemory;
    result.value = program.arenaBytes;
    return result;
  }
  if (context.bases.size() < program.buffers.size()) {
    context.bases.resize(program.buffers.size());
    countAllocation();
  }
  for (size_t i = 0; i < program.buffers.size(); i++) {
    const Buffer& buffer = program.buffers[i];
    context.bases[i] = buffer.external ? arrays[buffer.place] : arena + buffer.place;
    if (buffer.external && buffer.written)
      preferLargePages(static_cast<char*>(arrays[buffer.place]),
                       static_cast<size_t>(buffer.elements * bytesOf(buffer.dtype)));
  }
  const KernelTable& table = currentTable();
  PoolLease lease(program.isLarge);
  Run run(context, lease);
  const bool timed = profiling.load(std::memory_order_relaxed);
  if (timed) program.times.resize(program.instructions.size());
  for (size_t i = 0; i < program.instructions.size(); i++) {
    const Instruction& instruction = program.instructions[i];
    const double start = timed ? nanoseconds() : 0;
    runInstruction(table, instruction, run);
    if (timed) program.times[i] += nanoseconds() - start;
    if (run.result.failure == Failure::kNone) continue;
    run.result.origin = instruction.origin;
    return run.result;
  }
  return run.result;
}

}  // namespace gradus
