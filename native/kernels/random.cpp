// Random bits by the counter.
#include "philox.h"
#include "run.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kPiece = 16384;

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
