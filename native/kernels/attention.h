// What attention and its gradient share: tiles of kSide keys by kSide queries, with the queries in
// the lanes of vectors, so that a softmax over keys works on whole vectors. Read attention.cpp next.
#pragma once
#include "math.h"
#include "microkernel.h"
#include "pack.h"
#include "philox.h"
#include "run.h"
#include "walk.h"

namespace gradus {
namespace GRADUS_ISA {

// Keys, and queries, of a tile.
constexpr int64_t kSide = 64;
constexpr int64_t kTileSize = kSide * kSide;

template <typename T>
using Lanes = Vector<typename SameSizeInt<T>::type>;

template <typename T>
GRADUS_INLINE Vector<T> pick(Lanes<T> mask, Vector<T> yes, Vector<T> no) {
  return (Vector<T>)(((Lanes<T>)yes & mask) | ((Lanes<T>)no & ~mask));
}

// exp(x) for x that are at most about 0; what is below 2⁻¹²⁵ is 0.
GRADUS_INLINE Vector<float> powers(Vector<float> x) {
  typedef Vector<float> V;
  typedef Lanes<float> I;
  const I isZero = (I)(x < -86.0f);
  const V near = pick<float>(isZero, splat(-86.0f), x);
  V rounded;
  const V r = reduceExponent(near, rounded);
  const V power = (expm1Reduced(r) + 1.0f) * floatOf((wholeOf(rounded) + 127) << 23);
  return pick<float>(isZero, V{}, power);
}

GRADUS_INLINE Vector<double> powers(Vector<double> x) {
  for (int i = 0; i < kWidth<double>; i++) x[i] = __builtin_exp(x[i]);
  return x;
}

GRADUS_INLINE Vector<float> logarithms(Vector<float> x) { return logarithm(x); }

GRADUS_INLINE Vector<double> logarithms(Vector<double> x) {
  for (int i = 0; i < kWidth<double>; i++) x[i] = __builtin_log(x[i]);
  return x;
}

// c [MR, NV vectors] (+)= Σ a(row, step)·b[step]; `across`: a's rows lie side by side, its steps
// kSide apart, else the other way round.
template <typename T, int MR, int NV, bool across>
void sideTile(int64_t steps, const T* a, const T* b, int64_t bStride, T* c, int64_t cStride,
              bool add) {
  constexpr int64_t aRow = across ? 1 : kSide, aStep = across ? kSide : 1;
  Tile<T, MR, NV> tile;
  clearTile<T, MR, NV>(tile);
  for (int64_t step = 0; step < steps; step++, a += aStep, b += bStride) {
    Vector<T> row[NV];
#pragma GCC unroll 8
    for (int j = 0; j < NV; j++) row[j] = load(b + j * kWidth<T>);
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++)
#pragma GCC unroll 8
      for (int j = 0; j < NV; j++) tile[i][j] += a[i * aRow] * row[j];
  }
  storeTile<T, MR, NV>(tile, c, cStride, add);
}

template <typename T>
using SideTile = void (*)(int64_t, const T*, const T*, int64_t, T*, int64_t, bool);

template <typename T, bool across, int MR = kTileRows>
SideTile<T> sideTileOf(int rows, int vectors) {
  if constexpr (MR > 1)
    if (rows < MR) return sideTileOf<T, across, MR - 1>(rows, vectors);
  return vectors == 1 ? sideTile<T, MR, 1, across> : sideTile<T, MR, 2, across>;
}

// Rows that lie `stride` apart, each readable in whole vectors.
template <typename T>
struct Panel {
  const T* data;
  int64_t stride;
};

struct Steps {
  int64_t from, to;
};

// c [rows, vectors] (+)= a·b over the steps that range(first row, past the last, first vector, past
// the last) gives; what has no steps is left alone.
template <typename T, bool across, typename Range>
GRADUS_INLINE void multiplySides(int64_t rows, int64_t vectors, const T* a, const Panel<T>& b,
                                 const Panel<T>& c, bool add, Range&& range) {
  constexpr int64_t aRow = across ? 1 : kSide, aStep = across ? kSide : 1;
  const int64_t panel = rows == 0 ? 1 : ceilDiv(rows, ceilDiv(rows, kTileRows));
  for (int64_t j = 0; j < vectors; j += kTileVectors)
    for (int64_t i = 0; i < rows; i += panel) {
      const int64_t n = least(panel, rows - i), width = least(kTileVectors, vectors - j);
      const Steps steps = range(i, i + n, j, j + width);
      if (steps.from >= steps.to) continue;
      const auto tile = sideTileOf<T, across>(static_cast<int>(n), static_cast<int>(width));
      tile(steps.to - steps.from, a + i * aRow + steps.from * aStep,
           b.data + j * kWidth<T> + steps.from * b.stride, b.stride,
           const_cast<T*>(c.data) + i * c.stride + j * kWidth<T>, c.stride, add);
    }
}

// Rows of one head.
template <typename T>
struct Rows {
  T* data;
  int64_t row, column;
  T* at(int64_t i) const { return data + i * row; }
};

template <typename T>
constexpr int64_t paddedTo(int64_t n) {
  return ceilDiv(n, kWidth<T>) * kWidth<T>;
}

// to[column·kSide + i] = factor · rows[first + i, column].
template <typename T>
void packAcross(T* to, const Rows<const T>& rows, int64_t first, int64_t count, int64_t width,
                T factor = 1) {
  packPanel(to, static_cast<int>(kSide), static_cast<int>(count), rows.at(first), rows.row,
            rows.column, width);
  if (factor == T{1}) return;
  for (int64_t i = 0; i < width * kSide; i += kWidth<T>) store(to + i, load(to + i) * factor);
}

// Rows in place where vectors may read them there, else copied, and filled up with zeros.
template <typename T>
Panel<T> panelOf(const Rows<const T>& rows, int64_t first, int64_t count, int64_t width, T* copy) {
  if (rows.column == 1 && width % kWidth<T> == 0) return {rows.at(first), rows.row};
  const int64_t padded = paddedTo<T>(width);
  for (int64_t i = 0; i < count; i++) {
    const T* from = rows.at(first + i);
    for (int64_t j = 0; j < width; j++) copy[i * padded + j] = from[j * rows.column];
    for (int64_t j = width; j < padded; j++) copy[i * padded + j] = 0;
  }
  return {copy, padded};
}

// Stretches of one thread's scratch, each starting at a whole cache line. Without memory it counts.
template <typename T>
class Carver {
 public:
  explicit Carver(char* memory) : memory_(reinterpret_cast<T*>(memory)) {}
  T* take(int64_t count) {
    T* at = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += ceilDiv(count, 64) * 64;
    return at;
  }
  int64_t used() const { return used_; }

 private:
  T* memory_;
  int64_t used_ = 0;
};

// One head: its operands, and the scores of any tile of it.
template <typename T>
class Head {
 public:
  Head(const AttentionPlan& plan, Run& run, Carver<T>& carver) : plan_(plan), run_(run) {
    mask_ = carver.take(plan.mask == MaskKind::kNone ? 0 : kTileSize + kPackSlack<T>);
    drops_ = carver.take(plan.dropout ? kTileSize + kPackSlack<T> : 0);
    spare_ = carver.take(kTileSize + kPackSlack<T>);
    lane_ = carver.take(kWidth<T>);
    queries_ = carver.take(plan.width * kSide + kPackSlack<T>);
    keys_ = carver.take(plan.width * kSide + kPackSlack<T>);
  }

  void start(int64_t batch) {
    batch_ = batch;
    q = rows<const T>(plan_.q);
    k = rows<const T>(plan_.k);
    v = rows<const T>(plan_.v);
    for (int i = 0; i < kWidth<T>; i++) lane_[i] = static_cast<T>(i);
    if (!plan_.dropout) return;
    const uint32_t* words = run_.at<uint32_t>(plan_.state);
    for (int i = 0; i < 4; i++) state_[i] = words[i * plan_.stateStride];
  }

  template <typename E>
  Rows<E> rows(const RowsPlan& plan) const {
    int64_t offset = 0;
    if (plan_.batchRank > 0) {
      int64_t index[kMaxRank];
      splitIndex(plan_.batchRank, plan_.batchDims, batch_, index);
      for (int d = 0; d < plan_.batchRank; d++) offset += index[d] * plan.batch[d];
    }
    using Plain = std::remove_const_t<E>;
    return {run_.at<Plain>(plan.at) + offset, plan.row, plan.column};
  }

  void takeQueries(int64_t first) {
    firstQuery = first;
    queryCount = least(kSide, plan_.queries - first);
    vectors = ceilDiv(queryCount, kWidth<T>);
    packAcross<T>(queries_, q, first, queryCount, plan_.width, static_cast<T>(plan_.scale));
  }

  void takeKeys(int64_t first) {
    firstKey = first;
    keyCount = least(kSide, plan_.keys - first);
    packAcross<T>(keys_, k, first, keyCount, plan_.width);
  }

  // Keys [0, …) that some query of the tile may see.
  int64_t seenKeys() const {
    return plan_.causal ? least(plan_.keys, firstQuery + queryCount) : plan_.keys;
  }

  // Key j of the tile is seen by query i of it if j ≤ i + shift().
  int64_t shift() const { return plan_.causal ? firstQuery - firstKey : kSide; }

  // Every place of a tile of keys by queries that some pair may see: `a` [steps, keys], b [steps,
  // queries].
  void multiplyPairs(int64_t steps, const T* a, const T* b, T* out) const {
    const int64_t shift = this->shift();
    const Panel<T> lanes = {b, kSide}, to = {out, kSide};
    const auto range = [&](int64_t key, int64_t, int64_t, int64_t lastVector) {
      const bool isSeen = key <= lastVector * kWidth<T> - 1 + shift;
      return Steps{0, isSeen ? steps : 0};
    };
    if (steps > 0) {
      multiplySides<T, true>(keyCount, vectors, a, lanes, to, false, range);
      return;
    }
    for (int64_t j = 0; j < keyCount * kSide; j++) out[j] = 0;
  }

  void computeScores(T* scores) const { multiplyPairs(plan_.width, keys_, queries_, scores); }

  // to [queries, width] += pairsᵀ·rows of keys.
  void addToQueries(const T* pairs, const Panel<T>& rows, int64_t width, T* to) const {
    const int64_t shift = this->shift(), count = keyCount;
    const auto range = [&](int64_t, int64_t last, int64_t, int64_t) {
      return Steps{0, least(count, last + shift)};
    };
    const Panel<T> target = {to, paddedTo<T>(width)};
    multiplySides<T, true>(queryCount, ceilDiv(width, kWidth<T>), pairs, rows, target, true, range);
  }

  // to [keys, width] += pairs·rows of queries.
  void addToKeys(const T* pairs, const Panel<T>& rows, int64_t width, T* to) const {
    const int64_t shift = this->shift(), count = queryCount;
    const auto range = [&](int64_t first, int64_t, int64_t, int64_t) {
      return Steps{most(0, first - shift), count};
    };
    const Panel<T> target = {to, paddedTo<T>(width)};
    multiplySides<T, false>(keyCount, ceilDiv(width, kWidth<T>), pairs, rows, target, true, range);
  }

  // Calls f(key, mask over lanes that are not seen, whether there are such) for each key that a
  // vector of queries may see; gives how many there are.
  template <typename F>
  GRADUS_INLINE int64_t forSeen(int64_t vector, F&& f) const {
    const int64_t first = vector * kWidth<T> + shift();
    const int64_t whole = most(0, least(keyCount, first + 1));
    const int64_t seen = most(0, least(keyCount, first + kWidth<T>));
    for (int64_t j = 0; j < whole; j++) f(j, Lanes<T>{}, false);
    const Vector<T> lane = load(lane_);
    for (int64_t j = whole; j < seen; j++)
      f(j, (Lanes<T>)(lane < splat(static_cast<T>(j - first))), true);
    return seen;
  }

  // What is added to the scores of the tile, or null.
  const T* maskTile() const;
  // What the weights of the tile are multiplied with, or null.
  const T* dropTile() const;

  Rows<const T> q, k, v;
  int64_t firstQuery = 0, queryCount = 0, firstKey = 0, keyCount = 0, vectors = 0;

 private:
  const AttentionPlan& plan_;
  Run& run_;
  int64_t batch_ = 0;
  uint32_t state_[4];
  T *mask_, *drops_, *spare_, *lane_, *queries_, *keys_;
};

template <typename T>
const T* Head<T>::maskTile() const {
  if (plan_.mask == MaskKind::kNone) return nullptr;
  constexpr T kNever = -__builtin_inff();
  if (plan_.mask == MaskKind::kNumbers) {
    const Rows<const T> all = rows<const T>(plan_.maskRows);
    packPanel(mask_, static_cast<int>(kSide), static_cast<int>(queryCount),
              all.at(firstQuery) + firstKey * all.column, all.row, all.column, keyCount);
    return mask_;
  }
  const Rows<const uint8_t> all = rows<const uint8_t>(plan_.maskRows);
  for (int64_t i = 0; i < queryCount; i++) {
    const uint8_t* from = all.at(firstQuery + i) + firstKey * all.column;
    for (int64_t j = 0; j < keyCount; j++)
      spare_[i * kSide + j] = from[j * all.column] != 0 ? T{0} : kNever;
  }
  packPanel(mask_, static_cast<int>(kSide), static_cast<int>(queryCount), spare_, kSide, 1,
            keyCount);
  return mask_;
}

template <typename T>
const T* Head<T>::dropTile() const {
  if (!plan_.dropout) return nullptr;
  const T keep = static_cast<T>(plan_.keep);
  uint32_t words[2 * 4 * kCounters];
  for (int64_t i = 0; i < queryCount; i++) {
    const int64_t first = (batch_ * plan_.queries + firstQuery + i) * plan_.keys + firstKey;
    const int64_t skipped = first % 4;
    philox(state_, static_cast<uint32_t>(first / 4), words);
    if (skipped + keyCount > 4 * kCounters)
      philox(state_, static_cast<uint32_t>(first / 4 + kCounters), words + 4 * kCounters);
    for (int64_t j = 0; j < keyCount; j++)
      spare_[i * kSide + j] = words[skipped + j] >> 8 >= plan_.threshold ? keep : T{0};
  }
  packPanel(drops_, static_cast<int>(kSide), static_cast<int>(queryCount), spare_, kSide, 1,
            keyCount);
  return drops_;
}

// How many heads one piece of work holds: enough to be worth handing out, and all that lie beside
// each other in memory, for rows of the neighbours of a head share cache lines with its own.
inline int64_t headsOfPiece(const AttentionPlan& plan, int threads) {
  constexpr int64_t kWork = 1 << 17;
  const double one = static_cast<double>(plan.queries) * static_cast<double>(plan.keys) *
                     static_cast<double>(16 + plan.width + plan.values);
  const int64_t group = one >= kWork ? 1 : kWork / most(1, static_cast<int64_t>(one));
  const bool isMany = plan.batchRank > 1 && plan.batchDims[0] >= 4 * threads;
  const int64_t beside = isMany ? plan.batch / plan.batchDims[0] : 1;
  return ceilDiv(group, beside) * beside;
}

}  // namespace GRADUS_ISA
}  // namespace gradus
