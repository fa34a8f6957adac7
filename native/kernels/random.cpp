// Philox4x32-10, as src/core/random.ts has it, on sixteen counters side by side.
#include "run.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int kCounters = 16;
constexpr int64_t kPiece = 16384;
constexpr uint32_t kMultiplier0 = 0xd2511f53, kMultiplier1 = 0xcd9e8d57;
constexpr uint32_t kWeyl0 = 0x9e3779b9, kWeyl1 = 0xbb67ae85;

// The blocks first to first + kCounters, four words each.
void philox(const uint32_t* state, uint32_t first, uint32_t* out) {
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

}  // namespace

void runRandomBits(const RandomPlan& plan, Run& run) {
  uint32_t state[4];
  std::memcpy(state, run.at<int32_t>(plan.state), sizeof state);
  uint32_t* out = run.at<uint32_t>(plan.out);
  run.parallelFor(ceilDiv(plan.count, kPiece), plan.count > 2 * kPiece, [&](int64_t p, int) {
    const int64_t end = least(plan.count, (p + 1) * kPiece);
    int64_t i = p * kPiece;
    for (; i + 4 * kCounters <= end; i += 4 * kCounters)
      philox(state, static_cast<uint32_t>(i / 4), out + i);
    if (i == end) return;
    uint32_t rest[4 * kCounters];
    philox(state, static_cast<uint32_t>(i / 4), rest);
    std::memcpy(out + i, rest, static_cast<size_t>(end - i) * sizeof(uint32_t));
  });
}

}  // namespace GRADUS_ISA
}  // namespace gradus
