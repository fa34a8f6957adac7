// indexSelect, indexAdd and scatter. Threads take different columns of the result, so writes to one
// element keep their order.
#include "lowest.h"
#include "run.h"
#include "walk.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kPiece = 8192;

// Checks a list of indices that all parts of a tensor share.
bool checkList(const IndexPlan& plan, Run& run) {
  const int32_t* index = run.at<const int32_t>(plan.index);
  const auto size = static_cast<uint32_t>(plan.size);
  Lowest bad;
  for (int64_t j = 0; j < plan.count && bad.place() == INT64_MAX; j++)
    if (static_cast<uint32_t>(index[j]) >= size) bad.note(j);
  reportIndex(bad, index, plan.size, run);
  return bad.place() == INT64_MAX;
}

template <typename E>
void indexSelect(const IndexPlan& plan, Run& run) {
  const E* x = run.at<const E>(plan.x);
  const int32_t* index = run.at<const int32_t>(plan.index);
  E* out = run.at<E>(plan.out);
  const int64_t rows = plan.outer * plan.count, inner = plan.inner;
  if (rows == 0 || inner == 0 || !checkList(plan, run)) return;
  const auto bytes = static_cast<size_t>(inner) * sizeof(E);
  const int64_t group = most(1, kPiece / inner);
  run.parallelFor(ceilDiv(rows, group), rows * inner > 4 * kPiece, [&](int64_t p, int) {
    const int64_t end = least(rows, (p + 1) * group);
    int64_t outer = p * group / plan.count, j = p * group % plan.count;
    for (int64_t row = p * group; row < end; outer++, j = 0) {
      const E* from = x + outer * plan.size * inner;
      for (; j < plan.count && row < end; j++, row++)
        if (inner == 1)
          out[row] = from[index[j]];
        else
          std::memcpy(out + row * inner, from + index[j] * inner, bytes);
    }
  });
}

// Calls part(outer, begin, end) for parts of the columns [begin, end) of each outer element.
template <typename F>
void forParts(const IndexPlan& plan, Run& run, F&& part) {
  if (plan.outer == 0 || plan.inner == 0 || plan.size + plan.count == 0) return;
  const int64_t columns = plan.inner >= 128 ? 64 : plan.inner;
  const int64_t chunks = ceilDiv(plan.inner, columns);
  const int64_t unit = (plan.size + plan.count) * columns;
  const int64_t group = most(1, kPiece / unit);
  const int64_t units = plan.outer * chunks;
  run.parallelFor(ceilDiv(units, group), units * unit > 4 * kPiece, [&](int64_t p, int) {
    for (int64_t u = p * group; u < least(units, (p + 1) * group); u++) {
      const int64_t begin = u % chunks * columns;
      part(u / chunks, begin, least(plan.inner, begin + columns));
    }
  });
}

// Columns [begin, end) of `rows` rows, from another tensor of the same shape or, where that is
// null, zeros.
template <typename E>
void fillColumns(E* to, const E* from, int64_t rows, int64_t inner, int64_t begin, int64_t end) {
  const bool isWhole = end - begin == inner;
  const int64_t steps = isWhole ? least(rows, 1) : rows;
  const auto bytes = static_cast<size_t>((isWhole ? rows : 1) * (end - begin)) * sizeof(E);
  for (int64_t row = 0; row < steps; row++) {
    if (from == nullptr)
      std::memset(to + row * inner + begin, 0, bytes);
    else
      std::memmove(to + row * inner + begin, from + row * inner + begin, bytes);
  }
}

template <typename T>
void indexAdd(const IndexPlan& plan, Run& run) {
  const T* updates = run.at<const T>(plan.x);
  const int32_t* index = run.at<const int32_t>(plan.index);
  T* out = run.at<T>(plan.out);
  const int64_t inner = plan.inner;
  if (plan.outer == 0 || inner == 0 || !checkList(plan, run)) return;
  forParts(plan, run, [&](int64_t outer, int64_t begin, int64_t end) {
    T* to = out + outer * plan.size * inner;
    const T* from = updates + outer * plan.count * inner;
    fillColumns<T>(to, nullptr, plan.size, inner, begin, end);
    for (int64_t j = 0; j < plan.count; j++, from += inner) {
      T* row = to + index[j] * inner;
      GRADUS_INDEPENDENT
      for (int64_t i = begin; i < end; i++) row[i] = static_cast<T>(row[i] + from[i]);
    }
  });
}

template <typename E>
void scatter(const IndexPlan& plan, Run& run) {
  const E* x = run.at<const E>(plan.x);
  const int32_t* index = run.at<const int32_t>(plan.index);
  const E* updates = run.at<const E>(plan.updates);
  E* out = run.at<E>(plan.out);
  const int64_t inner = plan.inner;
  const auto size = static_cast<uint32_t>(plan.size);
  Lowest bad;
  forParts(plan, run, [&](int64_t outer, int64_t begin, int64_t end) {
    E* to = out + outer * plan.size * inner;
    fillColumns(to, x + outer * plan.size * inner, plan.size, inner, begin, end);
    for (int64_t j = 0; j < plan.count; j++) {
      const int64_t row = (outer * plan.count + j) * inner;
      for (int64_t i = begin; i < end; i++) {
        const int32_t k = index[row + i];
        if (static_cast<uint32_t>(k) >= size) return bad.note(row + i);
        to[k * inner + i] = updates[row + i];
      }
    }
  });
  reportIndex(bad, index, plan.size, run);
}

}  // namespace

void runIndexSelect(const IndexPlan& plan, Run& run) {
  withWidth(bytesOf(plan.dtype), [&](auto* type) {
    indexSelect<std::remove_pointer_t<decltype(type)>>(plan, run);
  });
}

void runIndexAdd(const IndexPlan& plan, Run& run) {
  switch (plan.dtype) {
    case DType::kFloat32:
      return indexAdd<float>(plan, run);
    case DType::kFloat64:
      return indexAdd<double>(plan, run);
    case DType::kInt32:
      return indexAdd<uint32_t>(plan, run);
    default:
      return indexAdd<uint8_t>(plan, run);
  }
}

void runScatter(const IndexPlan& plan, Run& run) {
  withWidth(bytesOf(plan.dtype), [&](auto* type) {
    scatter<std::remove_pointer_t<decltype(type)>>(plan, run);
  });
}

}  // namespace GRADUS_ISA
}  // namespace gradus
