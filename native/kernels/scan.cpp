// scan: running sums, products and places of extremes along the middle dim. Sums and products of
// float32 are kept in float64 and rounded where they are stored.
#include "run.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kPiece = 8192;
// Lines that lie side by side and are walked at once.
constexpr int64_t kColumns = 64;

template <typename T>
struct Running {
  using type = uint32_t;
};
template <>
struct Running<float> {
  using type = double;
};
template <>
struct Running<double> {
  using type = double;
};

// Calls lines(place of the first element, how many lines side by side) for all lines.
template <typename F>
void forLines(const ScanPlan& plan, Run& run, F&& lines) {
  if (plan.outer == 0 || plan.size == 0 || plan.inner == 0) return;
  const int64_t chunks = ceilDiv(plan.inner, kColumns);
  const int64_t units = plan.outer * chunks;
  const int64_t group = most(1, kPiece / (plan.size * least(plan.inner, kColumns)));
  const bool isLarge = plan.outer * plan.inner * plan.size > 2 * kPiece;
  run.parallelFor(ceilDiv(units, group), isLarge, [&](int64_t p, int) {
    for (int64_t unit = p * group; unit < least(units, (p + 1) * group); unit++) {
      const int64_t first = unit % chunks * kColumns;
      lines(unit / chunks * plan.size * plan.inner + first, least(kColumns, plan.inner - first));
    }
  });
}

template <typename T, bool product>
void scanTotals(const ScanPlan& plan, Run& run) {
  using A = typename Running<T>::type;
  const T* x = run.at<const T>(plan.x);
  T* out = run.at<T>(plan.out);
  const int64_t step = plan.reverse ? -plan.inner : plan.inner;
  const int64_t start = plan.reverse ? (plan.size - 1) * plan.inner : 0;
  forLines(plan, run, [&](int64_t first, int64_t n) {
    const T* from = x + first + start;
    T* to = out + first + start;
    A total[kColumns];
    for (int64_t i = 0; i < n; i++) total[i] = product;
    if (n == 1) {
      A one = product;
      for (int64_t j = 0; j < plan.size; j++) {
        const A value = static_cast<A>(from[j * step]);
        one = product ? one * value : one + value;
        to[j * step] = static_cast<T>(one);
      }
      return;
    }
    for (int64_t j = 0; j < plan.size; j++, from += step, to += step) {
      GRADUS_INDEPENDENT
      for (int64_t i = 0; i < n; i++) {
        const A value = static_cast<A>(from[i]);
        total[i] = product ? total[i] * value : total[i] + value;
        to[i] = static_cast<T>(total[i]);
      }
    }
  });
}

// The latest of equal ones; a NaN wins over all and the latest NaN stays.
template <typename T, bool minimum>
void scanPlaces(const ScanPlan& plan, Run& run) {
  const T* x = run.at<const T>(plan.x);
  int32_t* out = run.at<int32_t>(plan.out);
  forLines(plan, run, [&](int64_t first, int64_t n) {
    const T* from = x + first;
    int32_t* to = out + first;
    T best[kColumns];
    int32_t place[kColumns] = {};
    for (int64_t i = 0; i < n; i++) best[i] = from[i];
    for (int64_t j = 0; j < plan.size; j++, from += plan.inner, to += plan.inner)
      for (int64_t i = 0; i < n; i++) {
        const T value = from[i];
        const bool wins = (minimum ? value <= best[i] : value >= best[i]) | (value != value);
        best[i] = wins ? value : best[i];
        place[i] = wins ? static_cast<int32_t>(j) : place[i];
        to[i] = place[i];
      }
  });
}

template <typename T>
void scan(const ScanPlan& plan, Run& run) {
  switch (plan.kind) {
    case ScanKind::kSum:
      return scanTotals<T, false>(plan, run);
    case ScanKind::kProduct:
      return scanTotals<T, true>(plan, run);
    case ScanKind::kArgMax:
      return scanPlaces<T, false>(plan, run);
    case ScanKind::kArgMin:
      return scanPlaces<T, true>(plan, run);
  }
}

}  // namespace

void runScan(const ScanPlan& plan, Run& run) {
  switch (plan.dtype) {
    case DType::kFloat32:
      return scan<float>(plan, run);
    case DType::kFloat64:
      return scan<double>(plan, run);
    case DType::kInt32:
      return scan<int32_t>(plan, run);
    default:
      return scan<uint8_t>(plan, run);
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
