// gather, scatterAdd and argReduce.
#include "lowest.h"
#include "run.h"
#include "walk.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kPiece = 8192;

// The first of n indices that is not in [0, size); n if there is none.
int64_t firstOutside(const int32_t* index, int64_t n, uint32_t size) {
  uint32_t outside = 0;
  for (int64_t i = 0; i < n; i++) outside |= static_cast<uint32_t>(index[i]) >= size ? 1 : 0;
  if (outside == 0) return n;
  int64_t i = 0;
  while (static_cast<uint32_t>(index[i]) < size) i++;
  return i;
}

template <typename E>
void gather(const IndexPlan& plan, Run& run) {
  const E* x = run.at<const E>(plan.x);
  const int32_t* index = run.at<const int32_t>(plan.index);
  E* out = run.at<E>(plan.out);
  const int64_t rows = plan.outer * plan.count, inner = plan.inner;
  if (rows == 0 || inner == 0) return;
  Lowest bad;
  const auto size = static_cast<uint32_t>(plan.size);
  const int64_t group = most(1, kPiece / inner);
  run.parallelFor(ceilDiv(rows, group), rows * inner > 4 * kPiece, [&](int64_t p, int) {
    const int64_t end = least(rows, (p + 1) * group);
    int64_t outer = p * group / plan.count, at = p * group % plan.count;
    for (int64_t row = p * group; row < end; row++) {
      const E* from = x + outer * plan.size * inner;
      if (inner == 1) {
        // All indices of one outer element at once.
        const int64_t n = least(plan.count - at, end - row);
        const int64_t valid = firstOutside(index + row, n, size);
        if (valid < n) return bad.note(row + valid);
        GRADUS_INDEPENDENT
        for (int64_t i = 0; i < n; i++) out[row + i] = from[index[row + i]];
        row += n - 1;
        at = 0;
        outer++;
        continue;
      }
      const int32_t* k = index + row * inner;
      E* to = out + row * inner;
      for (int64_t i = 0; i < inner; i++) {
        if (static_cast<uint32_t>(k[i]) >= size) return bad.note(row * inner + i);
        to[i] = from[k[i] * inner + i];
      }
      if (++at == plan.count) at = 0, outer++;
    }
  });
  reportIndex(bad, index, plan.size, run);
}

// Threads take different elements of the result, so additions to one element keep their order.
template <typename T>
void scatterAdd(const IndexPlan& plan, Run& run) {
  const T* updates = run.at<const T>(plan.x);
  const int32_t* index = run.at<const int32_t>(plan.index);
  T* out = run.at<T>(plan.out);
  const int64_t inner = plan.inner;
  if (plan.outer == 0 || inner == 0 || plan.size + plan.count == 0) return;
  Lowest bad;
  const auto size = static_cast<uint32_t>(plan.size);
  const int64_t columns = inner >= 128 ? 64 : inner;
  const int64_t chunks = ceilDiv(inner, columns);
  const int64_t unit = (plan.size + plan.count) * columns;
  const int64_t group = chunks > 1 ? 1 : most(1, kPiece / most(unit, 1));
  const int64_t pieces = ceilDiv(plan.outer, group) * chunks;
  run.parallelFor(pieces, plan.outer * chunks * unit > 4 * kPiece, [&](int64_t p, int) {
    const int64_t begin = p % chunks * columns, end = least(inner, begin + columns);
    const int64_t last = least(plan.outer, (p / chunks + 1) * group);
    for (int64_t outer = p / chunks * group; outer < last; outer++) {
      T* to = out + outer * plan.size * inner;
      const int64_t rows = chunks == 1 ? least(plan.size, 1) : plan.size;
      const int64_t step = plan.size / most(rows, 1);
      for (int64_t j = 0; j < rows; j++)
        std::memset(to + j * inner + begin, 0,
                    static_cast<size_t>(step * (end - begin)) * sizeof(T));
      if (inner == 1) {
        const int64_t row = outer * plan.count;
        const int64_t valid = firstOutside(index + row, plan.count, size);
        if (valid < plan.count) return bad.note(row + valid);
        for (int64_t j = 0; j < plan.count; j++) {
          T& target = to[index[row + j]];
          target = static_cast<T>(target + updates[row + j]);
        }
        continue;
      }
      for (int64_t j = 0; j < plan.count; j++) {
        const int64_t row = (outer * plan.count + j) * inner;
        for (int64_t i = begin; i < end; i++) {
          const int32_t k = index[row + i];
          if (static_cast<uint32_t>(k) >= size) return bad.note(row + i);
          T& target = to[k * inner + i];
          target = static_cast<T>(target + updates[row + i]);
        }
      }
    }
  });
  reportIndex(bad, index, plan.size, run);
}

template <typename T, bool minimum>
GRADUS_INLINE bool isBetter(T value, T best) {
  return (minimum ? value < best : value > best) | ((value != value) & (best == best));
}

template <typename T, bool minimum>
void argReduceAs(const ArgPlan& plan, Run& run) {
  constexpr int64_t kColumns = 64;
  const T* x = run.at<const T>(plan.x);
  int32_t* out = run.at<int32_t>(plan.out);
  const int64_t chunks = ceilDiv(plan.inner, kColumns);
  if (plan.outer * chunks == 0) return;
  const int64_t group = most(1, kPiece / (plan.size * least(plan.inner, kColumns)));
  const int64_t units = plan.outer * chunks;
  run.parallelFor(ceilDiv(units, group), units * plan.size > kPiece, [&](int64_t p, int) {
    for (int64_t unit = p * group; unit < least(units, (p + 1) * group); unit++) {
      const int64_t outer = unit / chunks, first = unit % chunks * kColumns;
      const int64_t n = least(kColumns, plan.inner - first);
      const T* from = x + outer * plan.size * plan.inner + first;
      T best[kColumns];
      int32_t at[kColumns] = {};
      for (int64_t i = 0; i < n; i++) best[i] = from[i];
      for (int64_t k = 1; k < plan.size; k++)
        for (int64_t i = 0; i < n; i++) {
          const T value = from[k * plan.inner + i];
          const bool better = isBetter<T, minimum>(value, best[i]);
          best[i] = better ? value : best[i];
          at[i] = better ? static_cast<int32_t>(k) : at[i];
        }
      for (int64_t i = 0; i < n; i++) out[outer * plan.inner + first + i] = at[i];
    }
  });
}

template <typename T>
void argReduce(const ArgPlan& plan, Run& run) {
  plan.minimum ? argReduceAs<T, true>(plan, run) : argReduceAs<T, false>(plan, run);
}

}  // namespace

void runGather(const IndexPlan& plan, Run& run) {
  withWidth(bytesOf(plan.dtype), [&](auto* type) {
    gather<std::remove_pointer_t<decltype(type)>>(plan, run);
  });
}

void runScatterAdd(const IndexPlan& plan, Run& run) {
  switch (plan.dtype) {
    case DType::kFloat32:
      return scatterAdd<float>(plan, run);
    case DType::kFloat64:
      return scatterAdd<double>(plan, run);
    case DType::kInt32:
      return scatterAdd<uint32_t>(plan, run);
    default:
      return scatterAdd<uint8_t>(plan, run);
  }
}

void runArgReduce(const ArgPlan& plan, Run& run) {
  switch (plan.dtype) {
    case DType::kFloat32:
      return argReduce<float>(plan, run);
    case DType::kFloat64:
      return argReduce<double>(plan, run);
    case DType::kInt32:
      return argReduce<int32_t>(plan, run);
    default:
      return argReduce<uint8_t>(plan, run);
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
