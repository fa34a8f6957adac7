// Matrix products of rows whose channels come in blocks of a vector's width, [block][row][kLane],
// and panels of weights, [channel][kPanel]: the inner part of the convolutions of many channels.
// Every element is summed in the order of its channels whatever the tile.
#pragma once
#include "microkernel.h"
#include "pack.h"

namespace gradus {
namespace GRADUS_ISA {

using Lanes = Vector<float>;
constexpr int kLane = kWidth<float>;
constexpr int64_t kPanel = kTileVectors * kLane;  // results of a panel

// c [MR rows, kPanel] (+)= rows · weights, over whole blocks of channels.
template <int MR>
void blockedTile(int64_t blocks, const float* rows, int64_t blockStep, const float* weights,
                   float* c, bool add) {
  Tile<float, MR, kTileVectors> tile;
  clearTile<float, MR, kTileVectors>(tile);
  for (int64_t block = 0; block < blocks; block++, rows += blockStep)
    for (int k = 0; k < kLane; k++, weights += kPanel) {
      Lanes row[kTileVectors];
#pragma GCC unroll 8
      for (int j = 0; j < kTileVectors; j++) row[j] = load(weights + j * kLane);
#pragma GCC unroll 16
      for (int i = 0; i < MR; i++)
#pragma GCC unroll 8
        for (int j = 0; j < kTileVectors; j++) tile[i][j] += rows[i * kLane + k] * row[j];
    }
  storeTile<float, MR, kTileVectors>(tile, c, kPanel, add);
}

using BlockedTile = void (*)(int64_t, const float*, int64_t, const float*, float*, bool);

template <int MR = kTileRows>
BlockedTile blockedTileOf(int64_t rows) {
  if constexpr (MR > 1)
    if (rows < MR) return blockedTileOf<MR - 1>(rows);
  return blockedTile<MR>;
}

// c [count, kPanel] (+)= rows [blocks][count][kLane] · weights [blocks·kLane][kPanel].
inline void multiplyRows(int64_t count, int64_t blocks, const float* rows, int64_t blockStep,
                         const float* weights, float* c, bool add) {
  const int64_t atOnce = ceilDiv(count, ceilDiv(count, kTileRows));
  for (int64_t i = 0; i < count; i += atOnce)
    blockedTileOf(least(atOnce, count - i))(blocks, rows + i * kLane, blockStep, weights,
                                            c + i * kPanel, add);
}

// The taps of kLane channels for kLane results, as [channel, tap, result]; zeros where there is no
// channel or result. The result is the first dim of w forward and its second in the gradient.
inline void packTaps(const float* w, bool inputGrad, int64_t channels, int64_t results,
                     int64_t taps, int64_t channel, int64_t result, float* packed) {
  const int count = static_cast<int>(most(0, least(kLane, results - result)));
  const int64_t depth = count == 0 ? 0 : least(kLane, channels - channel);
  for (float* to = packed + depth * taps * kLane; to < packed + kLane * taps * kLane; to += kLane)
    store(to, Lanes{});
  if (!inputGrad && depth > 0)
    packPanel(packed, kLane, count, w + (result * channels + channel) * taps, channels * taps, 1,
              depth * taps);
  for (int64_t i = 0; inputGrad && i < depth; i++)
    packPanel(packed + i * taps * kLane, kLane, count,
              w + ((channel + i) * results + result) * taps, taps, 1, taps);
}

// kLane rows of `count` values each, `step` apart, turned into values of kLane rows; rows from
// `rows` on are zeros. Loads pass the end of a row only where `whole`.
GRADUS_INLINE void loadTurned(Lanes (&to)[kLane], const float* from, int64_t step, int rows,
                              int64_t count, bool whole) {
#pragma GCC unroll 16
  for (int row = 0; row < kLane; row++) {
    to[row] = Lanes{};
    if (row >= rows) continue;
    if (whole)
      to[row] = load(from + row * step);
    else
      std::memcpy(&to[row], from + row * step, static_cast<size_t>(count) * sizeof(float));
  }
  transposeSquare<float>(to);
}

// The inverse: `rows` rows of `count` values are written. This is where results of a convolution
// meet memory, one result's values to a vector: the place for a bias or an activation.
GRADUS_INLINE void storeTurned(Lanes (&values)[kLane], float* to, int64_t step, int rows,
                               int64_t count) {
  transposeSquare<float>(values);
  for (int row = 0; row < rows; row++)
    if (count == kLane)
      store(to + row * step, values[row]);
    else
      std::memcpy(to + row * step, &values[row], static_cast<size_t>(count) * sizeof(float));
}

}  // namespace GRADUS_ISA
}  // namespace gradus
