// The innermost loops of matrix products: a tile of MR rows by NV vectors of the result is kept in
// registers while k runs. Compiled with contraction on, so that multiply and add become one
// instruction where there is one. Every element is summed in the order of k whatever the tile, so
// tiles of any size give the same bits.
#pragma once
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

#if GRADUS_VECTOR_BYTES == 64
constexpr int kTileRows = 14;
#elif GRADUS_VECTOR_BYTES == 32 || defined(__aarch64__)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kTileVectors = 2;

template <typename T, int MR, int NV>
using Tile = Vector<T>[MR][NV];

template <typename T, int MR, int NV>
GRADUS_INLINE void clearTile(Tile<T, MR, NV>& tile) {
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++)
#pragma GCC unroll 8
    for (int j = 0; j < NV; j++) tile[i][j] = Vector<T>{};
}

// tile += a (a column of MR values) · b (a row of NV vectors).
template <typename T, int MR, int NV>
GRADUS_INLINE void multiplyAdd(Tile<T, MR, NV>& tile, const T* a, const T* b) {
  Vector<T> row[NV];
#pragma GCC unroll 8
  for (int j = 0; j < NV; j++) row[j] = load(b + j * kWidth<T>);
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++)
#pragma GCC unroll 8
    for (int j = 0; j < NV; j++) tile[i][j] = contracted<T>(a[i], row[j], tile[i][j]);
}

template <typename T, int MR, int NV>
GRADUS_INLINE void storeTile(const Tile<T, MR, NV>& tile, T* c, int64_t rowStride, bool add) {
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++)
#pragma GCC unroll 8
    for (int j = 0; j < NV; j++) {
      T* to = c + i * rowStride + j * kWidth<T>;
      store(to, add ? load(to) + tile[i][j] : tile[i][j]);
    }
}

// c [MR, NV vectors] (+)= a [k, MR] packed · b [k, …] with rows bStride apart.
template <typename T, int MR, int NV>
void multiplyTile(int64_t k, const T* a, const T* b, int64_t bStride, T* c, int64_t cStride,
                  bool add) {
  Tile<T, MR, NV> tile;
  clearTile<T, MR, NV>(tile);
  for (int64_t i = 0; i < k; i++, a += MR, b += bStride) multiplyAdd<T, MR, NV>(tile, a, b);
  storeTile<T, MR, NV>(tile, c, cStride, add);
}

// The same for rows of b that lie at channel·channelStep + taps[tap].
template <typename T, int MR, int NV>
void correlateTile(int64_t channels, int64_t channelStep, const int32_t* taps, int64_t tapCount,
                   const T* a, const T* source, T* c, int64_t cStride) {
  Tile<T, MR, NV> tile;
  clearTile<T, MR, NV>(tile);
  for (int64_t channel = 0; channel < channels; channel++, source += channelStep)
    for (int64_t tap = 0; tap < tapCount; tap++, a += MR)
      multiplyAdd<T, MR, NV>(tile, a, source + taps[tap]);
  storeTile<T, MR, NV>(tile, c, cStride, false);
}

template <typename T>
using MultiplyTile = void (*)(int64_t, const T*, const T*, int64_t, T*, int64_t, bool);
template <typename T>
using CorrelateTile = void (*)(int64_t, int64_t, const int32_t*, int64_t, const T*, const T*, T*,
                               int64_t);

template <typename T, int MR = kTileRows>
MultiplyTile<T> multiplyTileOf(int rows, int vectors) {
  if constexpr (MR > 1)
    if (rows < MR) return multiplyTileOf<T, MR - 1>(rows, vectors);
  return vectors == 1 ? multiplyTile<T, MR, 1> : multiplyTile<T, MR, 2>;
}

// The same for vectors that lie anywhere, each beginning at one of `sources`, and for `tapCount` of
// the taps that `a` holds: `aStep` is from one channel's to the next's.
template <typename T, int MR, int NV>
void correlateApart(int64_t channels, int64_t channelStep, const int32_t* taps, int64_t tapCount,
                    const T* a, int64_t aStep, const T* const* sources, T* c) {
  Tile<T, MR, NV> tile;
  clearTile<T, MR, NV>(tile);
  for (int64_t channel = 0; channel < channels; channel++, a += aStep)
    for (int64_t tap = 0; tap < tapCount; tap++) {
      const int64_t at = channel * channelStep + taps[tap];
      Vector<T> row[NV];
#pragma GCC unroll 8
      for (int j = 0; j < NV; j++) row[j] = load(sources[j] + at);
#pragma GCC unroll 16
      for (int i = 0; i < MR; i++)
#pragma GCC unroll 8
        for (int j = 0; j < NV; j++) tile[i][j] += a[tap * MR + i] * row[j];
    }
  storeTile<T, MR, NV>(tile, c, NV * kWidth<T>, false);
}

constexpr int kApart = 4;
constexpr int kApartRows = kTileRows * kTileVectors / kApart;

template <typename T>
using CorrelateApart = void (*)(int64_t, int64_t, const int32_t*, int64_t, const T*, int64_t,
                                const T* const*, T*);

template <typename T, int MR = kApartRows>
CorrelateApart<T> correlateApartOf(int rows) {
  if constexpr (MR > 1)
    if (rows < MR) return correlateApartOf<T, MR - 1>(rows);
  return correlateApart<T, MR, kApart>;
}

// Few rows leave registers for more vectors.
constexpr int vectorsFor(int rows) {
  constexpr int accumulators = kTileRows * kTileVectors;
  return rows * 8 <= accumulators ? 8 : rows * 4 <= accumulators ? 4 : 2;
}

template <typename T, int MR = kTileRows>
CorrelateTile<T> correlateTileOf(int rows, int vectors) {
  if constexpr (MR > 1)
    if (rows < MR) return correlateTileOf<T, MR - 1>(rows, vectors);
  if constexpr (vectorsFor(MR) >= 8)
    if (vectors == 8) return correlateTile<T, MR, 8>;
  if constexpr (vectorsFor(MR) >= 4)
    if (vectors == 4) return correlateTile<T, MR, 4>;
  return vectors == 1 ? correlateTile<T, MR, 1> : correlateTile<T, MR, 2>;
}

}  // namespace GRADUS_ISA
}  // namespace gradus
