// Which kernel tables were built in, and which of them this machine runs.
#include "isa.h"

#include <cstring>

namespace gradus {

#if defined(__x86_64__)
namespace avx512 {
extern const KernelTable kTable;
}
namespace avx2 {
extern const KernelTable kTable;
}
namespace baseline {
extern const KernelTable kTable;
}
#elif defined(__aarch64__)
namespace neon {
extern const KernelTable kTable;
}
#elif defined(__wasm__)
namespace simd128 {
extern const KernelTable kTable;
}
#else
namespace baseline {
extern const KernelTable kTable;
}
#endif

namespace {

struct Tables {
  const KernelTable* list[4] = {};
  const KernelTable* current;
  Tables() {
    int count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
      list[count++] = &avx512::kTable;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      list[count++] = &avx2::kTable;
    list[count++] = &baseline::kTable;
#elif defined(__aarch64__)
    list[count++] = &neon::kTable;
#elif defined(__wasm__)
    list[count++] = &simd128::kTable;
#else
    list[count++] = &baseline::kTable;
#endif
    current = list[0];
  }
};

Tables& tables() {
  static Tables instance;
  return instance;
}

}  // namespace

const KernelTable* const* availableTables() { return tables().list; }

const KernelTable& currentTable() { return *tables().current; }

bool selectTable(const char* name) {
  for (const KernelTable* const* table = availableTables(); *table != nullptr; table++) {
    if (std::strcmp((*table)->name, name) != 0) continue;
    tables().current = *table;
    return true;
  }
  return false;
}

}  // namespace gradus
