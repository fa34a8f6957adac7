// Moving the elements of strided operands, in runs along their innermost dim.
#pragma once
#include "program.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

// Index of element `start` of dims, from the last dim on; small numbers divide faster.
GRADUS_INLINE void splitIndex(int rank, const int64_t* dims, int64_t start, int64_t* index) {
  int64_t rest = start;
  for (int d = rank - 1; d > 0; d--) {
    int64_t quotient;
    if ((rest | dims[d]) >> 32 == 0)
      quotient = static_cast<uint32_t>(rest) / static_cast<uint32_t>(dims[d]);
    else
      quotient = rest / dims[d];
    index[d] = rest - quotient * dims[d];
    rest = quotient;
  }
  index[0] = rest;
}

// Calls run(done, offset, count) for each run of elements `start` to `start + n` along the last
// dim.
template <typename F>
GRADUS_INLINE void forRuns(const Walk& walk, int64_t start, int64_t n, F&& run) {
  const int last = walk.rank - 1;
  int64_t index[kMaxRank];
  splitIndex(walk.rank, walk.dims, start, index);
  int64_t offset = 0;
  for (int d = 0; d <= last; d++) offset += index[d] * walk.strides[d];
  for (int64_t done = 0; done < n;) {
    const int64_t count = least(n - done, walk.dims[last] - index[last]);
    run(done, offset, count);
    done += count;
    index[last] += count;
    offset += count * walk.strides[last];
    for (int d = last; d > 0 && index[d] == walk.dims[d]; d--) {
      offset += walk.strides[d - 1] - walk.dims[d] * walk.strides[d];
      index[d] = 0;
      index[d - 1]++;
    }
  }
}

// to[i·toStride] = from[i·fromStride], for elements of one unsigned type of their width.
template <typename E>
GRADUS_INLINE void copyRun(E* to, int64_t toStride, const E* from, int64_t fromStride, int64_t n) {
  if (toStride == 1 && fromStride == 1) {
    GRADUS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  } else if (toStride == 1 && fromStride == 0) {
    const E value = *from;
    for (int64_t i = 0; i < n; i++) to[i] = value;
  } else {
    for (int64_t i = 0; i < n; i++) to[i * toStride] = from[i * fromStride];
  }
}

// Calls f with a null pointer to the unsigned type of `width` bytes.
template <typename F>
GRADUS_INLINE void withWidth(int width, F&& f) {
  if (width == 4)
    f(static_cast<uint32_t*>(nullptr));
  else if (width == 8)
    f(static_cast<uint64_t*>(nullptr));
  else
    f(static_cast<uint8_t*>(nullptr));
}

}  // namespace GRADUS_ISA
}  // namespace gradus
