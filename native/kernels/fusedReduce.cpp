// Fused kernels with reductions. Blocks are folded where they lie: runs of one segment when the
// innermost dim is reduced, columns when it is kept. Few results over many elements are cut into
// pieces of fixed size, whose partial results are merged in order.
#include "fold.h"
#include "fused.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kSegmentBatch = 256;
constexpr int64_t kManyUnits = 32;

// How the work is cut; a function of the plan alone.
struct Cut {
  int64_t block;  // elements of a block
  int64_t width;  // columns: results side by side
  int64_t rows;   // columns: rows of a block
  int64_t units;  // results, or groups of columns
  int64_t parts;  // pieces of one unit; if over 1, partial results are kept
  int64_t part;   // segments: elements of a part; columns: rows of a part
  int64_t group;  // units of a piece when parts is 1
};

Cut cutSegments(const FusedPlan& plan) {
  const int64_t length = most(plan.folded, 1);
  Cut cut = {plan.block, 1, 1, plan.keptOuter, 1, length, 1};
  if (!plan.rowMode && length < plan.block) cut.block = plan.block / length * length;
  if (length > 2 * kPieceElements && plan.keptOuter < kManyUnits) {
    cut.part = kPieceElements;
    if (plan.rowMode && plan.inner < kPieceElements)
      cut.part = kPieceElements / plan.inner * plan.inner;
    cut.parts = ceilDiv(length, cut.part);
  } else {
    cut.group = most(1, kPieceElements / length);
  }
  return cut;
}

int64_t chunksOf(const FusedPlan& plan, const Cut& cut) {
  if (!plan.rowMode) return ceilDiv(plan.keptInner, cut.width);
  return plan.keptInner / plan.inner * ceilDiv(plan.inner, cut.width);
}

Cut cutColumns(const FusedPlan& plan) {
  const int64_t across = plan.rowMode ? plan.inner : plan.keptInner;
  Cut cut = {plan.block, least(plan.block, most(across, 1)), 1, 1, 1, plan.folded, 1};
  if (!plan.rowMode && cut.width == plan.keptInner) cut.rows = plan.block / cut.width;
  cut.units = plan.keptOuter * chunksOf(plan, cut);
  const int64_t elements = most(plan.folded * cut.width, 1);
  if (elements > 2 * kPieceElements && cut.units < kManyUnits) {
    cut.part = most(cut.rows, kPieceElements / cut.width);
    cut.parts = ceilDiv(plan.folded, cut.part);
  } else {
    cut.group = most(1, kPieceElements / elements);
  }
  return cut;
}

Cut cutOf(const FusedPlan& plan) {
  return plan.fold == FoldKind::kSegments ? cutSegments(plan) : cutColumns(plan);
}

class Reducer {
 public:
  Reducer(const FusedPlan& plan, Run& run, const FusedMemory& memory, char* partials)
      : plan_(plan), run_(run), memory_(memory), partials_(partials), cut_(cutOf(plan)) {}

  void reduce();

 private:
  const FusedPlan& plan_;
  Run& run_;
  const FusedMemory& memory_;
  char* partials_;
  Cut cut_;

  const FoldFunctions& functions(size_t r) const {
    return foldFunctions(plan_.reductions[r].primitive, plan_.reductions[r].dtype);
  }
  int64_t size(size_t r) const {
    return accumulatorSize(plan_.reductions[r].primitive, plan_.reductions[r].dtype);
  }
  int64_t results() const { return plan_.keptOuter * plan_.keptInner; }
  char* accumulators(int thread, size_t r) const {
    return run_.local(thread) + FusedThread::scratchBytes(plan_) +
           static_cast<int64_t>(r) * most(kSegmentBatch, plan_.block) * kAccumulatorBytes;
  }
  // Partial results of reduction r and part p, in the order of the results.
  char* partial(size_t r, int64_t p) const {
    return partials_ +
           (static_cast<int64_t>(r) * cut_.parts + p) * results() * kAccumulatorBytes;
  }
  void clear(int thread, int64_t n) const {
    for (size_t r = 0; r < plan_.reductions.size(); r++)
      functions(r).clear(accumulators(thread, r), n);
  }

  void keep(int thread, int64_t first, int64_t n, int64_t part) const;
  void store(size_t r, const char* from, int64_t first, int64_t n) const;
  void foldSegments(FusedThread& thread, int t, int64_t begin, int64_t start, int64_t n) const;
  void segmentPiece(int64_t piece, int t) const;
  void columnUnit(FusedThread& thread, int64_t unit, int64_t part, int t) const;
  void columnPiece(int64_t piece, int t) const;
  void mergeParts() const;
};

void Reducer::store(size_t r, const char* from, int64_t first, int64_t n) const {
  const FusedReduction& reduction = plan_.reductions[r];
  const int width = bytesOf(reduction.dtype);
  char* base = run_.base(reduction.at, width);
  const int64_t stride = reduction.walk.strides[reduction.walk.rank - 1];
  forRuns(reduction.walk, first, n, [&](int64_t done, int64_t offset, int64_t count) {
    functions(r).store(base + offset * width, stride, from + done * size(r), count);
  });
}

// Writes finished results, or puts partial ones aside.
void Reducer::keep(int thread, int64_t first, int64_t n, int64_t part) const {
  for (size_t r = 0; r < plan_.reductions.size(); r++) {
    const char* from = accumulators(thread, r);
    if (cut_.parts == 1)
      store(r, from, first, n);
    else
      std::memcpy(partial(r, part) + first * size(r), from, static_cast<size_t>(n * size(r)));
  }
}

// Folds a block whose elements belong to segments counted from element `begin`.
void Reducer::foldSegments(FusedThread& thread, int t, int64_t begin, int64_t start,
                           int64_t n) const {
  const int64_t length = plan_.folded;
  for (size_t r = 0; r < plan_.reductions.size(); r++) {
    const FusedReduction& reduction = plan_.reductions[r];
    const int width = bytesOf(reduction.dtype);
    const char* x = thread.reg(reduction.reg);
    char* to = accumulators(t, r);
    for (int64_t at = start - begin, left = n; left > 0;) {
      const int64_t segment = at / length, inside = at - segment * length;
      const int64_t whole = inside == 0 ? left / length : 0;
      const int64_t take = whole > 0 ? whole * length : least(left, length - inside);
      functions(r).segments(to + segment * size(r), x, most(whole, 1), whole > 0 ? length : take);
      x += take * width;
      at += take;
      left -= take;
    }
  }
}

void Reducer::segmentPiece(int64_t piece, int t) const {
  FusedThread thread(plan_, memory_, run_.local(t));
  const int64_t length = plan_.folded;
  if (cut_.parts > 1) {
    const int64_t segment = piece / cut_.parts, part = piece % cut_.parts;
    const int64_t begin = segment * length + part * cut_.part;
    const int64_t end = least(begin + cut_.part, (segment + 1) * length);
    clear(t, 1);
    evaluateRange(plan_, thread, begin, end, cut_.block, [&](int64_t start, int64_t n) {
      foldSegments(thread, t, segment * length, start, n);
    });
    keep(t, segment, 1, part);
    return;
  }
  const int64_t last = least(cut_.units, (piece + 1) * cut_.group);
  for (int64_t first = piece * cut_.group; first < last; first += kSegmentBatch) {
    const int64_t count = least(kSegmentBatch, last - first);
    clear(t, count);
    evaluateRange(plan_, thread, first * length, (first + count) * length, cut_.block,
                  [&](int64_t start, int64_t n) {
                    foldSegments(thread, t, first * length, start, n);
                  });
    keep(t, first, count, 0);
  }
}

void Reducer::columnUnit(FusedThread& thread, int64_t unit, int64_t part, int t) const {
  const int64_t chunks = cut_.units / plan_.keptOuter;
  const int64_t outer = unit / chunks, chunk = unit % chunks;
  int64_t column = chunk * cut_.width, limit = plan_.keptInner;
  if (plan_.rowMode) {
    const int64_t perRow = ceilDiv(plan_.inner, cut_.width);
    const int64_t row = chunk / perRow * plan_.inner;
    column = row + chunk % perRow * cut_.width;
    limit = row + plan_.inner;
  }
  const int64_t width = least(cut_.width, limit - column);
  const int64_t end = least(plan_.folded, (part + 1) * cut_.part);
  clear(t, width);
  for (int64_t row = part * cut_.part; row < end; row += cut_.rows) {
    const int64_t rows = least(cut_.rows, end - row);
    thread.evaluate((outer * plan_.folded + row) * plan_.keptInner + column, rows * width);
    for (size_t r = 0; r < plan_.reductions.size(); r++)
      functions(r).columns(accumulators(t, r), thread.reg(plan_.reductions[r].reg), rows, width);
  }
  keep(t, outer * plan_.keptInner + column, width, part);
}

void Reducer::columnPiece(int64_t piece, int t) const {
  FusedThread thread(plan_, memory_, run_.local(t));
  if (cut_.parts > 1) return columnUnit(thread, piece / cut_.parts, piece % cut_.parts, t);
  const int64_t last = least(cut_.units, (piece + 1) * cut_.group);
  for (int64_t unit = piece * cut_.group; unit < last; unit++) columnUnit(thread, unit, 0, t);
}

void Reducer::mergeParts() const {
  for (size_t r = 0; r < plan_.reductions.size(); r++) {
    for (int64_t p = 1; p < cut_.parts; p++)
      functions(r).merge(partial(r, 0), partial(r, p), results());
    store(r, partial(r, 0), 0, results());
  }
}

void Reducer::reduce() {
  if (plan_.total == 0) {
    for (int64_t at = 0; at < results(); at += kSegmentBatch) {
      const int64_t n = least(kSegmentBatch, results() - at);
      clear(0, n);
      for (size_t r = 0; r < plan_.reductions.size(); r++) store(r, accumulators(0, r), at, n);
    }
    return;
  }
  const int64_t pieces = cut_.parts > 1 ? cut_.units * cut_.parts : ceilDiv(cut_.units, cut_.group);
  const auto operations = static_cast<int64_t>(1 + plan_.steps.size());
  const bool parallel = plan_.total * operations >= 2 * kPieceElements;
  const bool segments = plan_.fold == FoldKind::kSegments;
  run_.parallelFor(pieces, parallel, [&](int64_t piece, int t) {
    if (segments)
      segmentPiece(piece, t);
    else
      columnPiece(piece, t);
  });
  if (cut_.parts > 1) mergeParts();
}

}  // namespace

int64_t accumulatorBytes(const FusedPlan& plan) {
  return static_cast<int64_t>(plan.reductions.size()) * most(kSegmentBatch, plan.block) *
         kAccumulatorBytes;
}

int64_t partialBytes(const FusedPlan& plan) {
  if (plan.reductions.empty() || plan.total == 0) return 0;
  const Cut cut = cutOf(plan);
  if (cut.parts == 1) return 0;
  return static_cast<int64_t>(plan.reductions.size()) * cut.parts * plan.keptOuter *
         plan.keptInner * kAccumulatorBytes;
}

void runReductions(const FusedPlan& plan, Run& run, const FusedMemory& memory, char* partials) {
  Reducer(plan, run, memory, partials).reduce();
}

}  // namespace GRADUS_ISA
}  // namespace gradus
