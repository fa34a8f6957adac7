// Philox4x32-10, as src/core/random.ts has it, on sixteen counters side by side.
#pragma once
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

constexpr int kCounters = 16;

// The blocks first to first + kCounters, four words each.
inline void philox(const uint32_t* state, uint32_t first, uint32_t* out) {
  constexpr uint32_t kMultiplier0 = 0xd2511f53, kMultiplier1 = 0xcd9e8d57;
  constexpr uint32_t kWeyl0 = 0x9e3779b9, kWeyl1 = 0xbb67ae85;
  uint32_t c0[kCounters], c1[kCounters], c2[kCounters], c3[kCounters];
  for (int i = 0; i < kCounters; i++) {
    c0[i] = first + static_cast<uint32_t>(i);
    c1[i] = 0;
    c2[i] = state[2];
    c3[i] = state[3];
  }
  uint32_t k0 = state[0], k1 = state[1];
  for (int round = 0; round < 10; round++, k0 += kWeyl0, k1 += kWeyl1)
    for (int i = 0; i < kCounters; i++) {
      const uint64_t p0 = static_cast<uint64_t>(kMultiplier0) * c0[i];
      const uint64_t p1 = static_cast<uint64_t>(kMultiplier1) * c2[i];
      c0[i] = static_cast<uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
      c1[i] = static_cast<uint32_t>(p1);
      c2[i] = static_cast<uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
      c3[i] = static_cast<uint32_t>(p0);
    }
  for (int i = 0; i < kCounters; i++) {
    out[4 * i] = c0[i];
    out[4 * i + 1] = c1[i];
    out[4 * i + 2] = c2[i];
    out[4 * i + 3] = c3[i];
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
