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

// Copies n elements in whole vectors where neither end is passed, so it may write more than n:
// memory is to be filled from low to high addresses.
template <typename T>
GRADUS_INLINE void copyOver(T* to, const T* toEnd, const T* from, const T* fromEnd, int64_t n) {
  constexpr int64_t width = kWidth<T>;
  int64_t i = 0;
  for (; i < n && toEnd - to - i >= width && fromEnd - from - i >= width; i += width)
    store(to + i, load(from + i));
  if (i < n) std::memcpy(to + i, from + i, static_cast<size_t>(n - i) * sizeof(T));
}

// The same for zeros.
template <typename T>
GRADUS_INLINE void zeroOver(T* to, const T* toEnd, int64_t n) {
  constexpr int64_t width = kWidth<T>;
  int64_t i = 0;
  for (; i < n && toEnd - to - i >= width; i += width) store(to + i, Vector<T>{});
  if (i < n) zero(to + i, n - i);
}

// One row: elements r·step + shift of `from` where they lie in [0, size), else 0.
template <typename T>
GRADUS_INLINE void padRow(T* to, const T* toEnd, int64_t rows, const T* from, const T* fromEnd,
                          int64_t size, int64_t step, int64_t shift) {
  int64_t first = shift >= 0 ? 0 : (step - 1 - shift) / step;
  int64_t end = size > shift ? (size - 1 - shift) / step + 1 : 0;
  first = least(first, rows);
  end = most(first, least(end, rows));
  zeroOver(to, toEnd, first);
  if (step == 1)
    copyOver(to + first, toEnd, from + first + shift, fromEnd, end - first);
  else
    for (int64_t r = first; r < end; r++) to[r] = from[r * step + shift];
  zeroOver(to + end, toEnd, rows - end);
}

// All sub-planes of one channel, and the slack behind them.
template <typename T>
void padChannel(const ConvolutionPlan& plan, T* to, const T* from) {
  const int64_t *size = plan.source, *plane = plan.plane;
  const T* const toEnd = to + plan.channelSize;
  const T* const fromEnd = from + size[0] * size[1] * size[2];
  for (int32_t phase0 : plan.phases[0])
    for (int32_t phase1 : plan.phases[1])
      for (int32_t phase2 : plan.phases[2])
        for (int64_t r0 = 0; r0 < plane[0]; r0++) {
          const int64_t at0 = r0 * plan.step[0] + phase0 - plan.low[0];
          for (int64_t r1 = 0; r1 < plane[1]; r1++, to += plane[2]) {
            const int64_t at1 = r1 * plan.step[1] + phase1 - plan.low[1];
            if (at0 < 0 || at0 >= size[0] || at1 < 0 || at1 >= size[1])
              zeroOver(to, toEnd, plane[2]);
            else
              padRow(to, toEnd, plane[2], from + (at0 * size[1] + at1) * size[2], fromEnd, size[2],
                     plan.step[2], phase2 - plan.low[2]);
          }
        }
  zero(to, toEnd - to);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
