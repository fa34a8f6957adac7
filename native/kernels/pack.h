// Copying parts of matrices into panels: [k, lanes], with the lanes of one k side by side.
#pragma once
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

// a0 b0 a1 b1 … of the low (half 0) or high (half 1) halves.
template <typename T, int half, int... I>
GRADUS_INLINE Vector<T> interleave(Vector<T> a, Vector<T> b, std::integer_sequence<int, I...>) {
  constexpr int width = kWidth<T>;
  return GRADUS_SHUFFLE(T, a, b, (I / 2 + half * width / 2 + I % 2 * width)...);
}

// Interleaving row i with row i + width/2, log2(width) times, transposes.
template <typename T>
GRADUS_INLINE void transposeSquare(Vector<T> (&rows)[kWidth<T>]) {
  constexpr int width = kWidth<T>;
#pragma GCC unroll 4
  for (int step = 1; step < width; step *= 2) {
    Vector<T> next[width];
#pragma GCC unroll 8
    for (int i = 0; i < width / 2; i++) {
      next[2 * i] = interleave<T, 0>(rows[i], rows[i + width / 2], kEachLane<T>);
      next[2 * i + 1] = interleave<T, 1>(rows[i], rows[i + width / 2], kEachLane<T>);
    }
#pragma GCC unroll 16
    for (int i = 0; i < width; i++) rows[i] = next[i];
  }
}

// Panel elements past the last that a transposing pack may overwrite.
template <typename T>
constexpr int64_t kPackSlack = kWidth<T>;

// Lanes that lie `laneStride` apart, with k contiguous. Whole vectors are stored: those of lower
// lanes and of later k, which follow, repair what they overwrite.
template <typename T>
void packTransposed(T* to, int lanes, int count, const T* from, int64_t laneStride, int64_t k) {
  constexpr int width = kWidth<T>;
  int64_t i = 0;
  for (; i + width <= k; i += width)
    for (int first = (lanes - 1) / width * width; first >= 0; first -= width) {
      Vector<T> rows[width];
#pragma GCC unroll 16
      for (int lane = 0; lane < width; lane++)
        rows[lane] =
            first + lane < count ? load(from + (first + lane) * laneStride + i) : Vector<T>{};
      transposeSquare<T>(rows);
#pragma GCC unroll 16
      for (int j = 0; j < width; j++) store(to + (i + j) * lanes + first, rows[j]);
    }
  for (; i < k; i++)
    for (int lane = 0; lane < lanes; lane++)
      to[i * lanes + lane] = lane < count ? from[lane * laneStride + i] : T{0};
}

// to[i·lanes + lane] = from[lane·laneStride + i·kStride]; lanes from `count` on are 0.
template <typename T>
void packPanel(T* to, int lanes, int count, const T* from, int64_t laneStride, int64_t kStride,
               int64_t k) {
  constexpr int width = kWidth<T>;
  if (kStride == 1 && laneStride != 1) return packTransposed(to, lanes, count, from, laneStride, k);
  if (laneStride == 1 && count == lanes && lanes % width == 0) {
    for (int64_t i = 0; i < k; i++, to += lanes, from += kStride)
      for (int lane = 0; lane < lanes; lane += width) store(to + lane, load(from + lane));
    return;
  }
  for (int64_t i = 0; i < k; i++, to += lanes, from += kStride) {
    for (int lane = 0; lane < count; lane++) to[lane] = from[lane * laneStride];
    for (int lane = count; lane < lanes; lane++) to[lane] = T{0};
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
