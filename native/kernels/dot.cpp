// Matrix products: panels of both operands are packed, then multiplied tile by tile (Goto and van
// de Geijn, "Anatomy of high-performance matrix multiplication", 2008). Threads take tiles of the
// result and never share a sum.
#include "run.h"
#include "microkernel.h"
#include "pack.h"
#include "walk.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

// Products smaller than this are done by plain loops.
constexpr int64_t kTinyProduct = 256;
constexpr int64_t kBlockK = 256;
// The packed rows of A that a thread works with stay in its L2 cache.
constexpr int64_t kRegionRows = 448;
constexpr int64_t kRegionWork = 1 << 19;
constexpr int64_t kNearBytes = 16 << 10;

template <typename T>
struct Matrix {
  T* data;
  int64_t row, column;
  T* at(int64_t i, int64_t j) const { return data + i * row + j * column; }
};

struct Cut {
  int64_t m, n, k;
  int64_t rows, columns;           // of a region
  int64_t rowRegions, columnRegions;
  int64_t depth;                   // of a block of k
  int64_t group;                   // batches of a piece, when a batch is one region
};

// How the result is cut may depend on the number of threads, for no bit of it depends on the cut.
template <typename T>
Cut cutProduct(int64_t m, int64_t n, int64_t k, int64_t batch, int threads) {
  constexpr int64_t lanes = kTileVectors * kWidth<T>;
  const int64_t enough = threads == 1 ? 1 : 4 * threads;
  Cut cut = {m, n, k, 0, 0, ceilDiv(m, kRegionRows), 1, 0, 1};
  for (;;) {
    cut.rows = ceilDiv(ceilDiv(m, cut.rowRegions), kTileRows) * kTileRows;
    cut.columns = ceilDiv(ceilDiv(n, cut.columnRegions), lanes) * lanes;
    if (batch * cut.rowRegions * cut.columnRegions >= enough) break;
    if (cut.rows * cut.columns * k < 2 * kRegionWork) break;
    const bool canSplitRows = cut.rows > 4 * kTileRows;
    const bool canSplitColumns = cut.columns > 2 * lanes;
    if (!canSplitRows && !canSplitColumns) break;
    const bool byColumns = canSplitColumns && (cut.columns >= cut.rows || !canSplitRows);
    (byColumns ? cut.columnRegions : cut.rowRegions) *= 2;
  }
  cut.rowRegions = ceilDiv(m, cut.rows);
  cut.columnRegions = ceilDiv(n, cut.columns);
  cut.depth = k == 0 ? 0 : ceilDiv(k, ceilDiv(k, kBlockK));
  if (cut.rowRegions * cut.columnRegions == 1)
    cut.group = most(1, kRegionWork / 4 / most(1, m * n * k));
  return cut;
}

template <typename T>
void multiplyPlainly(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c,
                     const Cut& cut) {
  for (int64_t i = 0; i < cut.m; i++)
    for (int64_t j = 0; j < cut.n; j++) {
      T sum = 0;
      for (int64_t k = 0; k < cut.k; k++) sum += *a.at(i, k) * *b.at(k, j);
      *c.at(i, j) = sum;
    }
}

// One region of one product, on one thread.
template <typename T>
class Region {
 public:
  // `panels`: all of B packed, or null.
  Region(const Cut& cut, const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c,
         char* scratch, const T* panels)
      : cut_(cut), a_(a), b_(b), c_(c), panels_(panels) {
    packedA_ = reinterpret_cast<T*>(scratch);
    packedB_ = packedA_ + ceilDiv(cut.rows * cut.depth + kPackSlack<T>, 64) * 64;
    spare_ = packedB_ + kLanes * cut.depth + kPackSlack<T>;
  }

  static int64_t scratchBytes(const Cut& cut) {
    const int64_t elements = cut.rows * cut.depth + kLanes * (cut.depth + kTileRows);
    return (elements + 2 * kPackSlack<T> + 64) * static_cast<int64_t>(sizeof(T));
  }

  static bool readsDirectly(const Cut& cut, const Matrix<const T>& b) {
    const bool isNear = cut.k * b.row * static_cast<int64_t>(sizeof(T)) <= kNearBytes;
    return b.column == 1 && (cut.rows <= 2 * kTileRows || isNear);
  }

  // Panels of all of B for a block of k, each with its lanes side by side.
  static int64_t panelElements(const Cut& cut) {
    return ceilDiv(cut.n, kLanes) * kLanes * cut.k + kPackSlack<T>;
  }
  static int64_t panelCount(const Cut& cut) { return ceilDiv(cut.n, kLanes); }
  static void packPanelOf(const Cut& cut, const Matrix<const T>& b, T* panels, int64_t panel) {
    const int64_t j = panel * kLanes, width = least(kLanes, cut.n - j);
    const int lanes = lanesOf(width);
    for (int64_t k = 0; k < cut.k; k += cut.depth) {
      const int64_t depth = least(cut.depth, cut.k - k);
      packPanel(placeOf(cut, panels, k, j, depth), lanes, static_cast<int>(width), b.at(k, j),
                b.column, b.row, depth);
    }
  }

  void multiply(int64_t row, int64_t column) {
    row_ = row;
    column_ = column;
    rows_ = least(cut_.rows, cut_.m - row);
    columns_ = least(cut_.columns, cut_.n - column);
    panelRows_ = static_cast<int>(ceilDiv(rows_, ceilDiv(rows_, kTileRows)));
    // Packing b pays when it is read more than once or twice, unless all of it is in the L1 cache.
    direct_ = readsDirectly(cut_, b_);
    for (int64_t k = 0; k < cut_.k; k += cut_.depth) {
      k_ = k;
      depth_ = least(cut_.depth, cut_.k - k);
      packA();
      for (int64_t j = 0; j < columns_; j += kLanes) multiplyColumns(j);
    }
  }

 private:
  static constexpr int64_t kLanes = kTileVectors * kWidth<T>;
  const Cut& cut_;
  const Matrix<const T>&a_, &b_;
  const Matrix<T>& c_;
  const T* panels_;
  // All of the region's rows of A; the panel of B in use; a tile that does not fit the result's
  // memory.
  T *packedA_, *packedB_, *spare_;
  int64_t row_ = 0, column_ = 0, rows_ = 0, columns_ = 0, k_ = 0, depth_ = 0;
  int panelRows_ = 1;
  bool direct_ = false;

  static int lanesOf(int64_t width) { return (width > kWidth<T> ? 2 : 1) * kWidth<T>; }
  template <typename P>
  static P* placeOf(const Cut& cut, P* panels, int64_t k, int64_t j, int64_t depth) {
    return panels + k * ceilDiv(cut.n, kLanes) * kLanes + j * depth;
  }

  void packA() {
    for (int64_t i = 0; i < rows_; i += panelRows_) {
      const int rows = static_cast<int>(least(panelRows_, rows_ - i));
      packPanel(packedA_ + i * depth_, rows, rows, a_.at(row_ + i, k_), a_.row, a_.column, depth_);
    }
  }

  void multiplyColumns(int64_t j) {
    const int64_t width = least(kLanes, columns_ - j);
    const int lanes = lanesOf(width), vectors = lanes / kWidth<T>;
    const T* panel = b_.at(k_, column_ + j);
    int64_t step = b_.row;
    if (panels_ != nullptr) {
      panel = placeOf(cut_, panels_, k_, column_ + j, depth_);
      step = lanes;
    } else if (!direct_ || width < lanes) {
      packPanel(packedB_, lanes, static_cast<int>(width), panel, b_.column, b_.row, depth_);
      panel = packedB_;
      step = lanes;
    }
    const bool whole = width == lanes && c_.column == 1;
    for (int64_t i = 0; i < rows_; i += panelRows_) {
      const int rows = static_cast<int>(least(panelRows_, rows_ - i));
      const auto tile = multiplyTileOf<T>(rows, vectors);
      T* to = c_.at(row_ + i, column_ + j);
      if (whole) {
        tile(depth_, packedA_ + i * depth_, panel, step, to, c_.row, k_ > 0);
      } else {
        tile(depth_, packedA_ + i * depth_, panel, step, spare_, lanes, false);
        copySpare(to, rows, width, lanes);
      }
    }
  }

  void copySpare(T* to, int rows, int64_t width, int lanes) const {
    for (int i = 0; i < rows; i++)
      for (int64_t j = 0; j < width; j++) {
        T& target = to[i * c_.row + j * c_.column];
        const T value = spare_[i * lanes + j];
        target = k_ > 0 ? target + value : value;
      }
  }
};

template <typename T>
class Product {
 public:
  Product(const DotPlan& plan, Run& run) : plan_(plan), run_(run) {
    a_ = {run.at<const T>(plan.a), plan.aRow, plan.aColumn};
    b_ = {run.at<const T>(plan.b), plan.bRow, plan.bColumn};
    c_ = {run.at<T>(plan.c), plan.cRow, plan.cColumn};
    // Cᵀ = Bᵀ·Aᵀ where that makes the rows of the result contiguous.
    swapped_ = plan.cColumn != 1 && plan.cRow == 1;
    if (swapped_) {
      const Matrix<const T> a = a_;
      a_ = {b_.data, b_.column, b_.row};
      b_ = {a.data, a.column, a.row};
      c_ = {c_.data, c_.column, c_.row};
    }
    cut_ = cutProduct<T>(swapped_ ? plan.n : plan.m, swapped_ ? plan.m : plan.n, plan.k,
                         plan.batch, run.threads());
  }

  void multiply() {
    if (plan_.batch == 0 || cut_.m == 0 || cut_.n == 0) return;
    const int64_t work = cut_.m * cut_.n * cut_.k;
    if (work <= kTinyProduct) {
      for (int64_t i = 0; i < plan_.batch; i++) multiplyPlainly(atA(i), atB(i), atC(i), cut_);
      return;
    }
    if (!run_.reserveLocals(static_cast<size_t>(Region<T>::scratchBytes(cut_)))) return;
    const int64_t regions = cut_.rowRegions * cut_.columnRegions;
    T* panels = nullptr;
    // Regions of the same columns share B's panels.
    if (plan_.batch == 1 && cut_.rowRegions > 1 && !Region<T>::readsDirectly(cut_, b_)) {
      panels = run_.sharedOf<T>(Region<T>::panelElements(cut_));
      if (panels == nullptr) return;
      run_.parallelFor(Region<T>::panelCount(cut_), true, [&](int64_t panel, int) {
        Region<T>::packPanelOf(cut_, atB(0), panels, panel);
      });
    }
    const bool parallel = work * plan_.batch >= kRegionWork / 2;
    run_.parallelFor(ceilDiv(plan_.batch, cut_.group) * regions, parallel, [&](int64_t p, int t) {
      const int64_t first = p / regions * cut_.group, region = p % regions;
      const int64_t last = least(plan_.batch, first + cut_.group);
      for (int64_t i = first; i < last; i++) {
        const Matrix<const T> a = atA(i), b = atB(i);
        const Matrix<T> c = atC(i);
        Region<T>(cut_, a, b, c, run_.local(t), panels)
            .multiply(region % cut_.rowRegions * cut_.rows,
                      region / cut_.rowRegions * cut_.columns);
      }
    });
  }

 private:
  const DotPlan& plan_;
  Run& run_;
  Matrix<const T> a_, b_;
  Matrix<T> c_;
  Cut cut_;
  bool swapped_;

  int64_t offset(const int64_t* strides, int64_t batch) const {
    if (plan_.batchRank == 0) return 0;
    int64_t index[kMaxRank], sum = 0;
    splitIndex(plan_.batchRank, plan_.batchDims, batch, index);
    for (int d = 0; d < plan_.batchRank; d++) sum += index[d] * strides[d];
    return sum;
  }
  Matrix<const T> atA(int64_t batch) const {
    const int64_t* strides = swapped_ ? plan_.bBatch : plan_.aBatch;
    return {a_.data + offset(strides, batch), a_.row, a_.column};
  }
  Matrix<const T> atB(int64_t batch) const {
    const int64_t* strides = swapped_ ? plan_.aBatch : plan_.bBatch;
    return {b_.data + offset(strides, batch), b_.row, b_.column};
  }
  Matrix<T> atC(int64_t batch) const {
    return {c_.data + offset(plan_.cBatch, batch), c_.row, c_.column};
  }
};

}  // namespace

void runDot(const DotPlan& plan, Run& run) {
  if (plan.dtype == DType::kFloat32)
    Product<float>(plan, run).multiply();
  else
    Product<double>(plan, run).multiply();
}

}  // namespace GRADUS_ISA
}  // namespace gradus
