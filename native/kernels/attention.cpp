// Attention, forward: for each tile of queries the keys come tile by tile, and what was summed so
// far is scaled whenever a larger score turns up (Milakov and Gimelshein, "Online normalizer
// calculation for softmax", 2018; Dao et al., "FlashAttention", 2022). Pieces are tiles of queries.
#include "attention.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

template <typename T>
class Forward {
 public:
  Forward(const AttentionPlan& plan, Run& run, char* scratch)
      : plan_(plan), carver_(scratch), head_(plan, run, carver_) {
    padded_ = paddedTo<T>(plan.values);
    weights_ = carver_.take(kTileSize);
    values_ = carver_.take(kSide * padded_);
    sums_ = carver_.take(kSide * padded_);
    most_ = carver_.take(kSide);
    total_ = carver_.take(kSide);
    shrink_ = carver_.take(kSide);
  }

  int64_t scratch() const { return carver_.used(); }

  void run(int64_t batch, int64_t tile) {
    head_.start(batch);
    head_.takeQueries(tile * kSide);
    for (int64_t i = 0; i < kSide; i++) most_[i] = -__builtin_inff(), total_[i] = 0;
    for (int64_t i = 0; i < head_.queryCount * padded_; i++) sums_[i] = 0;
    for (int64_t key = 0; key < head_.seenKeys(); key += kSide) {
      head_.takeKeys(key);
      head_.computeScores(weights_);
      weigh();
      if (key > 0) shrinkSums();
      const Panel<T> values =
          panelOf<T>(head_.v, head_.firstKey, head_.keyCount, plan_.values, values_);
      head_.addToQueries(weights_, values, plan_.values, sums_);
    }
    writeRows();
  }

 private:
  const AttentionPlan& plan_;
  Carver<T> carver_;
  Head<T> head_;
  int64_t padded_;
  // Of each query: the largest score so far, the sum of exp(score − largest), and what a new
  // largest score shrinks earlier sums by.
  T *weights_, *values_, *sums_, *most_, *total_, *shrink_;

  // Scores become exp(score − largest so far), dropped where dropping is on.
  void weigh() {
    const T* mask = head_.maskTile();
    const T* drops = head_.dropTile();
    for (int64_t vector = 0; vector < head_.vectors; vector++) {
      const int64_t at = vector * kWidth<T>;
      const Vector<T> never = splat(static_cast<T>(-__builtin_inff()));
      Vector<T> highest = load(most_ + at);
      head_.forSeen(vector, [&](int64_t j, Lanes<T> unseen, bool isCut) {
        T* score = weights_ + j * kSide + at;
        Vector<T> s = load(score);
        if (mask != nullptr) s += load(mask + j * kSide + at);
        if (isCut) s = pick<T>(unseen, never, s);
        if (isCut || mask != nullptr) store(score, s);
        highest = pick<T>((Lanes<T>)(s > highest), s, highest);
      });
      const Vector<T> shift = pick<T>((Lanes<T>)(highest == never), Vector<T>{}, highest);
      const Vector<T> shrink = powers(load(most_ + at) - shift);
      Vector<T> total = load(total_ + at) * shrink;
      const int64_t seen = head_.forSeen(vector, [&](int64_t j, Lanes<T>, bool) {
        T* score = weights_ + j * kSide + at;
        const Vector<T> weight = powers(load(score) - shift);
        total += weight;
        store(score, drops == nullptr ? weight : weight * load(drops + j * kSide + at));
      });
      for (int64_t j = seen; j < head_.keyCount; j++)
        store(weights_ + j * kSide + at, Vector<T>{});
      store(most_ + at, highest);
      store(total_ + at, total);
      store(shrink_ + at, shrink);
    }
  }

  void shrinkSums() {
    for (int64_t i = 0; i < head_.queryCount; i++) {
      if (shrink_[i] == T{1}) continue;
      T* row = sums_ + i * padded_;
      for (int64_t j = 0; j < padded_; j += kWidth<T>) store(row + j, load(row + j) * shrink_[i]);
    }
  }

  void writeRows() {
    const Rows<T> out = head_.template rows<T>(plan_.out);
    const Rows<T> logSums = head_.template rows<T>(plan_.logSum);
    for (int64_t at = 0; at < head_.vectors * kWidth<T>; at += kWidth<T>) {
      const Vector<T> total = load(total_ + at), one = splat(T{1});
      // A row that may see nothing gives zeros, and the sum of nothing is 0.
      const Lanes<T> isEmpty = (Lanes<T>)(total == T{0});
      store(shrink_ + at, one / pick<T>(isEmpty, one, total));
      store(most_ + at, load(most_ + at) + logarithms(pick<T>(isEmpty, one, total)));
    }
    for (int64_t i = 0; i < head_.queryCount; i++) {
      const T share = shrink_[i];
      const T* row = sums_ + i * padded_;
      T* to = out.at(head_.firstQuery + i);
      if (out.column == 1)
        for (int64_t j = 0; j < plan_.values; j++) to[j] = row[j] * share;
      else
        for (int64_t j = 0; j < plan_.values; j++) to[j * out.column] = row[j] * share;
      *logSums.at(head_.firstQuery + i) = most_[i];
    }
  }
};

template <typename T>
void runForward(const AttentionPlan& plan, Run& run) {
  if (plan.batch == 0 || plan.queries == 0) return;
  if (!run.reserveLocalsOf<T>(Forward<T>(plan, run, nullptr).scratch())) return;
  const int64_t tiles = ceilDiv(plan.queries, kSide);
  const int64_t group = tiles > 1 ? 1 : headsOfPiece(plan, run.threads());
  const int64_t count = plan.batch * tiles;
  run.parallelFor(ceilDiv(count, group), true, [&](int64_t piece, int thread) {
    Forward<T> forward(plan, run, run.local(thread));
    const int64_t last = least(count, (piece + 1) * group);
    // The last tiles of a causal head have the most to do, so they go first.
    for (int64_t i = piece * group; i < last; i++) forward.run(i / tiles, tiles - 1 - i % tiles);
  });
}

}  // namespace

void runAttention(const AttentionPlan& plan, Run& run) {
  if (plan.dtype == DType::kFloat32)
    runForward<float>(plan, run);
  else
    runForward<double>(plan, run);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
