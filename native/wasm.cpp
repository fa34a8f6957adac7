// The exports of the WASM module; src/backend/cpu/wasm.ts is its other side and copies arrays in
// and out.
#include <cstdlib>
#include <new>

#include "isa.h"

// Without exceptions nothing can be reported from here: a trap ends the call. The library's own
// versions would print, and so import a file system.
void* operator new(size_t bytes) {
  void* data = std::malloc(bytes);
  if (data == nullptr) __builtin_trap();
  return data;
}
void operator delete(void* data) noexcept { std::free(data); }
void operator delete(void* data, size_t) noexcept { std::free(data); }
extern "C" [[noreturn]] void abort_message(const char*, ...) { __builtin_trap(); }
extern "C" [[noreturn]] void __abort_message(const char*, ...) { __builtin_trap(); }
_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }
_LIBCPP_END_NAMESPACE_STD

#define GRADUS_EXPORT(name) extern "C" __attribute__((export_name(name)))

namespace {

gradus::Context& context() {
  static auto* instance = new gradus::Context;
  return *instance;
}

std::string& lastError() {
  static auto* instance = new std::string;
  return *instance;
}

double numbers[4];

}  // namespace

// Memory for words, constants and arrays, aligned to 64 bytes; null when there is none left.
GRADUS_EXPORT("allocate") void* gradusAllocate(size_t bytes) {
  gradus::countAllocation();
  return std::aligned_alloc(gradus::kAlignment, (bytes + 63) / 64 * 64 + 64);
}

GRADUS_EXPORT("release") void gradusRelease(void* data) { std::free(data); }

// Null if the program is refused; lastError then says why.
GRADUS_EXPORT("load")
gradus::Program* gradusLoad(const int32_t* words, int32_t wordCount, const double* constants,
                            int32_t constantCount) {
  return gradus::decodeProgram(words, wordCount, constants, constantCount, lastError()).release();
}

GRADUS_EXPORT("unload") void gradusUnload(gradus::Program* program) { delete program; }

GRADUS_EXPORT("lastError") const char* gradusLastError() { return lastError().c_str(); }

// Whether the program writes to the array in a slot.
GRADUS_EXPORT("isWritten")
bool gradusIsWritten(const gradus::Program* program, int32_t slot) {
  const auto buffer = static_cast<size_t>(program->externals[static_cast<size_t>(slot)]);
  return program->buffers[buffer].written;
}

// Null, or four float64: code, origin, value, limit.
GRADUS_EXPORT("run")
const double* gradusRun(const gradus::Program* program, void* const* arrays) {
  const gradus::RunResult result = gradus::runProgram(*program, context(), arrays);
  if (result.failure == gradus::Failure::kNone) return nullptr;
  numbers[0] = static_cast<double>(result.failure);
  numbers[1] = result.origin;
  numbers[2] = static_cast<double>(result.value);
  numbers[3] = static_cast<double>(result.limit);
  return numbers;
}

// Whether the program gains from more than one thread.
GRADUS_EXPORT("isLarge") bool gradusIsLarge(const gradus::Program* program) {
  return program->isLarge;
}

GRADUS_EXPORT("setThreads") void gradusSetThreads(int32_t count) {
  gradus::setThreadCount(count);
}

GRADUS_EXPORT("arenaBytes") double gradusArenaBytes() {
  return static_cast<double>(context().bytes());
}

GRADUS_EXPORT("allocationCount") double gradusAllocationCount() {
  return static_cast<double>(gradus::allocationCount());
}
