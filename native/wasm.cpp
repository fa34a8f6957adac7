// The exports of the WASM module; src/backend/cpu/wasm.ts is its other side and copies arrays in and out.
#include <cstdlib>

#include "isa.h"

#define GRADUS_EXPORT(name) extern "C" __attribute__((export_name(name)))

namespace {

gradus::Context& context() {
  static gradus::Context instance;
  return instance;
}

std::string& lastError() {
  static std::string instance;
  return instance;
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

GRADUS_EXPORT("arenaBytes") double gradusArenaBytes() {
  return static_cast<double>(context().bytes());
}

GRADUS_EXPORT("allocationCount") double gradusAllocationCount() {
  return static_cast<double>(gradus::allocationCount());
}
