// argSort: elements become unsigned keys of the same order, which a radix sort carries along with
// their indices. Short lines are sorted by insertion. Both are stable.
#include "run.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kPiece = 4096;
constexpr int64_t kShort = 48;

// A float's bits rise with it once those of negative ones are turned over; a NaN is above all.
GRADUS_INLINE uint32_t keyOf(float value) {
  if (value != value) return UINT32_MAX;
  const float number = value + 0.0f;  // −0 and 0 are equal
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  return bits >> 31 != 0 ? ~bits : bits | uint32_t{1} << 31;
}
GRADUS_INLINE uint64_t keyOf(double value) {
  if (value != value) return UINT64_MAX;
  const double number = value + 0.0;
  uint64_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  return bits >> 63 != 0 ? ~bits : bits | uint64_t{1} << 63;
}
GRADUS_INLINE uint32_t keyOf(int32_t value) { return static_cast<uint32_t>(value) ^ 0x80000000; }
GRADUS_INLINE uint8_t keyOf(uint8_t value) { return value; }

template <typename K>
struct Entry {
  K key;
  int32_t index;
};

template <typename K>
void insertionSort(Entry<K>* list, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const Entry<K> entry = list[i];
    int64_t at = i;
    for (; at > 0 && list[at - 1].key > entry.key; at--) list[at] = list[at - 1];
    list[at] = entry;
  }
}

// Sorts by one byte after the other, from the lowest; gives the list that holds the result.
template <typename K>
Entry<K>* radixSort(Entry<K>* list, Entry<K>* other, int64_t n) {
  constexpr int kBytes = sizeof(K);
  uint32_t counts[kBytes][256] = {};
  for (int64_t i = 0; i < n; i++)
    for (int b = 0; b < kBytes; b++) counts[b][list[i].key >> (8 * b) & 255]++;
  for (int b = 0; b < kBytes; b++) {
    uint32_t* count = counts[b];
    if (count[list[0].key >> (8 * b) & 255] == static_cast<uint32_t>(n)) continue;
    uint32_t sum = 0;
    for (int digit = 0; digit < 256; digit++) {
      const uint32_t here = count[digit];
      count[digit] = sum;
      sum += here;
    }
    for (int64_t i = 0; i < n; i++) other[count[list[i].key >> (8 * b) & 255]++] = list[i];
    std::swap(list, other);
  }
  return list;
}

// Sorts by insertion or by bytes; gives the list that holds the result. `list` has room for 2·n.
template <typename K>
__attribute__((noinline)) const Entry<K>* sortEntries(Entry<K>* list, int64_t n) {
  if (n > kShort) return radixSort(list, list + n, n);
  insertionSort(list, n);
  return list;
}

template <typename T>
void argSort(const SortPlan& plan, Run& run) {
  using K = decltype(keyOf(T{}));
  const T* x = run.at<const T>(plan.x);
  int32_t* out = run.at<int32_t>(plan.out);
  const int64_t n = plan.size, inner = plan.inner;
  if (plan.outer == 0 || n == 0 || inner == 0) return;
  if (!run.reserveLocalsOf<Entry<K>>(2 * n)) return;
  const K flip = plan.descending ? static_cast<K>(~K{0}) : K{0};
  const int64_t lines = plan.outer * inner;
  const int64_t group = most(1, kPiece / n);
  run.parallelFor(ceilDiv(lines, group), lines * n > kPiece, [&](int64_t p, int thread) {
    auto* list = reinterpret_cast<Entry<K>*>(run.local(thread));
    for (int64_t line = p * group; line < least(lines, (p + 1) * group); line++) {
      const int64_t first = line / inner * n * inner + line % inner;
      for (int64_t j = 0; j < n; j++)
        list[j] = {static_cast<K>(keyOf(x[first + j * inner]) ^ flip), static_cast<int32_t>(j)};
      const Entry<K>* sorted = sortEntries(list, n);
      for (int64_t j = 0; j < n; j++) out[first + j * inner] = sorted[j].index;
    }
  });
}

}  // namespace

void runArgSort(const SortPlan& plan, Run& run) {
  switch (plan.dtype) {
    case DType::kFloat32:
      return argSort<float>(plan, run);
    case DType::kFloat64:
      return argSort<double>(plan, run);
    case DType::kInt32:
      return argSort<int32_t>(plan, run);
    default:
      return argSort<uint8_t>(plan, run);
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
