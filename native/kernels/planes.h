// Padded copies of the planes that convolutions read; planConvolution.cpp says how they lie.
#pragma once
#include "program.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

template <typename T>
GRADUS_INLINE void zero(T* to, int64_t n) {
  std::memset(to, 0, static_cast<size_t>(n) * sizeof(T));
}

// One row: elements r·step + shift of `from` where they lie in [0, size), else 0.
template <typename T>
GRADUS_INLINE void padRow(T* to, int64_t rows, const T* from, int64_t size, int64_t step,
                          int64_t shift) {
  int64_t first = shift >= 0 ? 0 : (step - 1 - shift) / step;
  int64_t end = size > shift ? (size - 1 - shift) / step + 1 : 0;
  first = least(first, rows);
  end = most(first, least(end, rows));
  zero(to, first);
  if (step == 1)
    std::memcpy(to + first, from + first + shift, static_cast<size_t>(end - first) * sizeof(T));
  else
    for (int64_t r = first; r < end; r++) to[r] = from[r * step + shift];
  zero(to + end, rows - end);
}

// All sub-planes of one channel, and the slack behind them.
template <typename T>
void padChannel(const ConvolutionPlan& plan, T* to, const T* from) {
  const int64_t *size = plan.source, *plane = plan.plane;
  T* const start = to;
  for (int32_t phase0 : plan.phases[0])
    for (int32_t phase1 : plan.phases[1])
      for (int32_t phase2 : plan.phases[2])
        for (int64_t r0 = 0; r0 < plane[0]; r0++) {
          const int64_t at0 = r0 * plan.step[0] + phase0 - plan.low[0];
          for (int64_t r1 = 0; r1 < plane[1]; r1++, to += plane[2]) {
            const int64_t at1 = r1 * plan.step[1] + phase1 - plan.low[1];
            if (at0 < 0 || at0 >= size[0] || at1 < 0 || at1 >= size[1])
              zero(to, plane[2]);
            else
              padRow(to, plane[2], from + (at0 * size[1] + at1) * size[2], size[2], plan.step[2],
                     phase2 - plan.low[2]);
          }
        }
  zero(to, plan.channelSize - (to - start));
}

}  // namespace GRADUS_ISA
}  // namespace gradus
