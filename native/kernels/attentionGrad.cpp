// The gradient of attention: the weights are made again, tile by tile, from the scores and the
// rows' log Σ exp (Dao et al., "FlashAttention", 2022). With P the weights, D = g·vᵀ and m the mean
// Σ P·D of a row: dv = Pᵀ·g, S = P·(D − m)·scale, dk = Sᵀ·q, dq = S·k.
//
// A piece is a whole head where there are enough heads. Else the tiles of keys and then the tiles of
// queries are pieces, and weights are made twice. Every sum is taken in the same order either way.
#include "attention.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

template <typename T>
T dotOf(const T* a, int64_t aStep, const T* b, int64_t bStep, int64_t n) {
  T sum = 0;
  int64_t i = 0;
  if (aStep == 1 && bStep == 1) {
    Vector<T> sums{};
    for (; i + kWidth<T> <= n; i += kWidth<T>) sums += load(a + i) * load(b + i);
    sum = sumLanes<T>(sums);
  }
  for (; i < n; i++) sum += a[i * aStep] * b[i * bStep];
  return sum;
}

template <typename T>
class Backward {
 public:
  // `rows`: of dq that are summed at once, a tile or all.
  Backward(const AttentionPlan& plan, Run& run, char* scratch, int64_t rows)
      : plan_(plan), carver_(scratch), head_(plan, run, carver_) {
    width_ = paddedTo<T>(plan.width);
    values_ = paddedTo<T>(plan.values);
    weights_ = carver_.take(kTileSize);
    slopes_ = carver_.take(kTileSize);
    vAcross_ = carver_.take(plan.values * kSide + kPackSlack<T>);
    gAcross_ = carver_.take(plan.values * kSide + kPackSlack<T>);
    queryCopy_ = carver_.take(kSide * width_);
    keyCopy_ = carver_.take(kSide * width_);
    gCopy_ = carver_.take(kSide * values_);
    dk_ = carver_.take(kSide * width_);
    dv_ = carver_.take(kSide * values_);
    dq_ = carver_.take(rows * width_);
    means_ = carver_.take(ceilDiv(plan.queries, kSide) * kSide);
    logSums_ = carver_.take(ceilDiv(plan.queries, kSide) * kSide);
  }

  int64_t scratch() const { return carver_.used(); }

  void runHead(int64_t batch) {
    start(batch, 0, plan_.queries);
    clear(dq_, plan_.queries * width_);
    for (int64_t key = 0; key < plan_.keys; key += kSide) sumForKeys(key, true);
    write(plan_.dq, 0, plan_.queries, plan_.width, dq_);
  }

  void runKeys(int64_t batch, int64_t tile) {
    start(batch, plan_.causal ? least(plan_.queries, tile * kSide) : 0, plan_.queries);
    sumForKeys(tile * kSide, false);
  }

  void runQueries(int64_t batch, int64_t tile) {
    const int64_t first = tile * kSide;
    start(batch, first, least(plan_.queries, first + kSide));
    takeQueries(first);
    clear(dq_, head_.queryCount * width_);
    for (int64_t key = 0; key < head_.seenKeys(); key += kSide) {
      takeKeys(key);
      computePairs();
      head_.addToQueries(slopes_, keyRows_, plan_.width, dq_);
    }
    write(plan_.dq, first, head_.queryCount, plan_.width, dq_);
  }

 private:
  const AttentionPlan& plan_;
  Carver<T> carver_;
  Head<T> head_;
  Rows<const T> g_;
  int64_t width_, values_;
  T *weights_, *slopes_, *vAcross_, *gAcross_, *queryCopy_, *keyCopy_, *gCopy_, *dk_, *dv_, *dq_;
  T *means_, *logSums_;
  Panel<T> keyRows_, queryRows_, gRows_;

  static void clear(T* at, int64_t count) {
    for (int64_t i = 0; i < count; i++) at[i] = 0;
  }

  // Σ g·out of each row is the mean of its slopes.
  void start(int64_t batch, int64_t first, int64_t last) {
    head_.start(batch);
    g_ = head_.template rows<const T>(plan_.g);
    const Rows<const T> out = head_.template rows<const T>(plan_.out);
    const Rows<const T> logSums = head_.template rows<const T>(plan_.logSum);
    for (int64_t i = first; i < last; i++) {
      means_[i] = dotOf<T>(g_.at(i), g_.column, out.at(i), out.column, plan_.values);
      const T sum = *logSums.at(i);
      // The weights of a row that saw nothing are 0.
      logSums_[i] = sum == -__builtin_inff() ? static_cast<T>(__builtin_inff()) : sum;
    }
    for (int64_t i = last; i < ceilDiv(last, kSide) * kSide; i++) means_[i] = logSums_[i] = 0;
  }

  void takeQueries(int64_t first) {
    head_.takeQueries(first);
    packAcross<T>(gAcross_, g_, first, head_.queryCount, plan_.values);
  }

  void takeKeys(int64_t first) {
    head_.takeKeys(first);
    packAcross<T>(vAcross_, head_.v, first, head_.keyCount, plan_.values);
    keyRows_ = panelOf<T>(head_.k, first, head_.keyCount, plan_.width, keyCopy_);
  }

  void sumForKeys(int64_t key, bool withQueries) {
    takeKeys(key);
    clear(dk_, head_.keyCount * width_);
    clear(dv_, head_.keyCount * values_);
    for (int64_t query = plan_.causal ? key : 0; query < plan_.queries; query += kSide) {
      takeQueries(query);
      computePairs();
      const int64_t count = head_.queryCount;
      head_.addToKeys(weights_, panelOf<T>(g_, query, count, plan_.values, gCopy_), plan_.values,
                      dv_);
      head_.addToKeys(slopes_, panelOf<T>(head_.q, query, count, plan_.width, queryCopy_),
                      plan_.width, dk_);
      if (withQueries)
        head_.addToQueries(slopes_, keyRows_, plan_.width, dq_ + query * width_);
    }
    write(plan_.dk, key, head_.keyCount, plan_.width, dk_);
    write(plan_.dv, key, head_.keyCount, plan_.values, dv_);
  }

  // The weights of a tile, dropped where dropping is on, and the slopes S.
  void computePairs() {
    head_.computeScores(weights_);
    head_.multiplyPairs(plan_.values, vAcross_, gAcross_, slopes_);
    const T* mask = head_.maskTile();
    const T* drops = head_.dropTile();
    const T scale = static_cast<T>(plan_.scale);
    const Vector<T> never = splat(static_cast<T>(-__builtin_inff()));
    for (int64_t vector = 0; vector < head_.vectors; vector++) {
      const int64_t at = vector * kWidth<T>;
      const Vector<T> mean = load(means_ + head_.firstQuery + at);
      const Vector<T> logSum = load(logSums_ + head_.firstQuery + at);
      const int64_t seen = head_.forSeen(vector, [&](int64_t j, Lanes<T> unseen, bool isCut) {
        const int64_t place = j * kSide + at;
        Vector<T> s = load(weights_ + place);
        if (mask != nullptr) s += load(mask + place);
        if (isCut) s = pick<T>(unseen, never, s);
        Vector<T> weight = powers(s - logSum), slope = load(slopes_ + place);
        if (drops == nullptr) {
          store(weights_ + place, weight);
        } else {
          const Vector<T> kept = load(drops + place);
          slope = slope * kept;
          store(weights_ + place, weight * kept);
        }
        store(slopes_ + place, weight * (slope - mean) * scale);
      });
      for (int64_t j = seen; j < head_.keyCount; j++) {
        store(weights_ + j * kSide + at, Vector<T>{});
        store(slopes_ + j * kSide + at, Vector<T>{});
      }
    }
  }

  void write(const RowsPlan& target, int64_t first, int64_t count, int64_t width, const T* from) {
    const Rows<T> rows = head_.template rows<T>(target);
    const int64_t padded = paddedTo<T>(width);
    for (int64_t i = 0; i < count; i++, from += padded) {
      T* to = rows.at(first + i);
      if (rows.column == 1)
        std::memcpy(to, from, static_cast<size_t>(width) * sizeof(T));
      else
        for (int64_t j = 0; j < width; j++) to[j * rows.column] = from[j];
    }
  }
};

template <typename T>
void runHeads(const AttentionPlan& plan, Run& run) {
  if (!run.reserveLocalsOf<T>(Backward<T>(plan, run, nullptr, plan.queries).scratch())) return;
  const int64_t group = headsOfPiece(plan, run.threads());
  run.parallelFor(ceilDiv(plan.batch, group), true, [&](int64_t piece, int thread) {
    Backward<T> backward(plan, run, run.local(thread), plan.queries);
    const int64_t last = least(plan.batch, (piece + 1) * group);
    for (int64_t i = piece * group; i < last; i++) backward.runHead(i);
  });
}

template <typename T>
void runTiles(const AttentionPlan& plan, Run& run) {
  if (!run.reserveLocalsOf<T>(Backward<T>(plan, run, nullptr, kSide).scratch())) return;
  const int64_t keyTiles = ceilDiv(plan.keys, kSide), queryTiles = ceilDiv(plan.queries, kSide);
  const int64_t forKeys = plan.batch * keyTiles;
  // The pieces with the most to do go first: early keys, and then late queries.
  run.parallelFor(forKeys + plan.batch * queryTiles, true, [&](int64_t piece, int thread) {
    Backward<T> backward(plan, run, run.local(thread), kSide);
    if (piece < forKeys) {
      backward.runKeys(piece % plan.batch, piece / plan.batch);
    } else {
      const int64_t rest = piece - forKeys;
      backward.runQueries(rest % plan.batch, queryTiles - 1 - rest / plan.batch);
    }
  });
}

template <typename T>
void runBackward(const AttentionPlan& plan, Run& run) {
  if (plan.batch == 0) return;
  // Five products for a pair of tiles in a head at once, seven in tiles.
  const int64_t threads = run.threads();
  const bool isTiled = plan.queries > kSide || plan.keys > kSide;
  if (isTiled && 7 * plan.batch < 5 * threads * ceilDiv(plan.batch, threads))
    runTiles<T>(plan, run);
  else
    runHeads<T>(plan, run);
}

}  // namespace

void runAttentionGrad(const AttentionPlan& plan, Run& run) {
  if (plan.dtype == DType::kFloat32)
    runBackward<float>(plan, run);
  else
    runBackward<double>(plan, run);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
