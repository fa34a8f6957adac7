// Sum, product, maximum and minimum over blocks. Sums and products of float32 are kept in float64
// between blocks.
#include "fold.h"

#include <type_traits>

namespace gradus {
namespace GRADUS_ISA {

namespace {

template <typename T>
constexpr T kInfinity = static_cast<T>(__builtin_inf());
template <>
constexpr int32_t kInfinity<int32_t> = INT32_MAX;
template <>
constexpr uint8_t kInfinity<uint8_t> = UINT8_MAX;

template <typename T>
struct Unsigned {
  using type = T;
};
template <>
struct Unsigned<int32_t> {
  using type = uint32_t;
};

template <typename T>
struct Wide {
  using type = T;
};
template <>
struct Wide<float> {
  using type = double;
};

struct Sum {
  template <typename T>
  using Accumulator = typename Wide<T>::type;
  template <typename T>
  static constexpr T none() {
    return T{0};
  }
  template <typename V>
  static GRADUS_INLINE V of(V a, V b) {
    return a + b;
  }
};
struct Product {
  template <typename T>
  using Accumulator = typename Wide<T>::type;
  template <typename T>
  static constexpr T none() {
    return T{1};
  }
  template <typename V>
  static GRADUS_INLINE V of(V a, V b) {
    return a * b;
  }
};
struct Max {
  template <typename T>
  using Accumulator = T;
  template <typename T>
  static constexpr T none() {
    return -kInfinity<T>;
  }
  template <typename V>
  static GRADUS_INLINE V of(V a, V b) {
    return ((a > b) | (a != a)) ? a : b;
  }
};
struct Min {
  template <typename T>
  using Accumulator = T;
  template <typename T>
  static constexpr T none() {
    return kInfinity<T>;
  }
  template <typename V>
  static GRADUS_INLINE V of(V a, V b) {
    return ((a < b) | (a != a)) ? a : b;
  }
};
template <>
constexpr uint8_t Max::none<uint8_t>() {
  return 0;
}
template <>
constexpr int32_t Max::none<int32_t>() {
  return INT32_MIN;
}

// Folds n elements: four vectors side by side, then lanes, then what is left.
template <typename Op, typename T>
T foldBlock(const T* x, int64_t n) {
  constexpr int width = kWidth<T>;
  T result = Op::template none<T>();
  int64_t i = 0;
  if (n >= 2 * width) {
    Vector<T> sums[4];
    for (auto& sum : sums) sum = Vector<T>{} + result;
    for (; i + 4 * width <= n; i += 4 * width) {
      GRADUS_UNROLLED
      for (int j = 0; j < 4; j++) sums[j] = Op::of(sums[j], load(x + i + j * width));
    }
    for (; i + width <= n; i += width) sums[0] = Op::of(sums[0], load(x + i));
    T lanes[width];
    store<T>(lanes, Op::of(Op::of(sums[0], sums[1]), Op::of(sums[2], sums[3])));
    for (int half = width / 2; half > 0; half /= 2)
      for (int j = 0; j < half; j++) lanes[j] = static_cast<T>(Op::of(lanes[j], lanes[j + half]));
    result = lanes[0];
  }
  for (; i < n; i++) result = static_cast<T>(Op::of(result, x[i]));
  return result;
}

// Products of float32 could leave its range half way, so each factor goes into the float64.
template <typename Op, typename T, typename A>
void segments(void* accumulators, const void* from, int64_t count, int64_t length) {
  auto* to = static_cast<A*>(accumulators);
  const auto* x = static_cast<const T*>(from);
  for (int64_t s = 0; s < count; s++, x += length) {
    if constexpr (__is_same(Op, Product)) {
      A value = to[s];
      for (int64_t i = 0; i < length; i++) value = static_cast<A>(value * static_cast<A>(x[i]));
      to[s] = value;
    } else {
      to[s] = static_cast<A>(Op::of(to[s], static_cast<A>(foldBlock<Op, T>(x, length))));
    }
  }
}

template <typename Op, typename T, typename A>
void columns(void* accumulators, const void* from, int64_t rows, int64_t width) {
  auto* to = static_cast<A*>(accumulators);
  const auto* x = static_cast<const T*>(from);
  constexpr int64_t kChunk = 256;
  constexpr bool viaPartial = __is_same(Op, Sum) && !__is_same(A, T);
  if (!viaPartial || rows == 1) {
    for (int64_t r = 0; r < rows; r++, x += width)
      for (int64_t j = 0; j < width; j++)
        to[j] = static_cast<A>(Op::of(to[j], static_cast<A>(x[j])));
    return;
  }
  for (int64_t j0 = 0; j0 < width; j0 += kChunk) {
    const int64_t n = least(kChunk, width - j0);
    T partial[kChunk];
    for (int64_t j = 0; j < n; j++) partial[j] = x[j0 + j];
    for (int64_t r = 1; r < rows; r++)
      for (int64_t j = 0; j < n; j++) partial[j] += x[r * width + j0 + j];
    for (int64_t j = 0; j < n; j++) to[j0 + j] += static_cast<A>(partial[j]);
  }
}

template <typename Op, typename A>
void clear(void* accumulators, int64_t n) {
  auto* to = static_cast<A*>(accumulators);
  for (int64_t i = 0; i < n; i++) to[i] = Op::template none<A>();
}

template <typename Op, typename A>
void merge(void* accumulators, const void* others, int64_t n) {
  auto* to = static_cast<A*>(accumulators);
  const auto* from = static_cast<const A*>(others);
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<A>(Op::of(to[i], from[i]));
}

template <typename T, typename A>
void storeResults(void* to, int64_t stride, const void* accumulators, int64_t n) {
  auto* result = static_cast<T*>(to);
  const auto* from = static_cast<const A*>(accumulators);
  for (int64_t i = 0; i < n; i++) result[i * stride] = static_cast<T>(from[i]);
}

template <typename Op, typename T>
constexpr FoldFunctions functionsOf() {
  using U = typename Unsigned<T>::type;
  // Sums and products of int32 wrap, so they are done unsigned; the order of values matters to the
  // others.
  using E = typename std::conditional<__is_same(Op, Sum) || __is_same(Op, Product), U, T>::type;
  using A = typename Op::template Accumulator<E>;
  return {clear<Op, A>, segments<Op, E, A>, columns<Op, E, A>, merge<Op, A>, storeResults<E, A>};
}

template <typename Op>
struct Row {
  static constexpr FoldFunctions entries[kDTypes] = {
      functionsOf<Op, float>(), functionsOf<Op, double>(), functionsOf<Op, int32_t>(),
      functionsOf<Op, uint8_t>(), functionsOf<Op, uint8_t>()};
};

}  // namespace

const FoldFunctions& foldFunctions(Primitive primitive, DType dtype) {
  const int column = static_cast<int>(dtype);
  switch (primitive) {
    case Primitive::kReduceSum:
      return Row<Sum>::entries[column];
    case Primitive::kReduceProduct:
      return Row<Product>::entries[column];
    case Primitive::kReduceMax:
      return Row<Max>::entries[column];
    default:
      return Row<Min>::entries[column];
  }
}

int64_t accumulatorSize(Primitive primitive, DType dtype) {
  const bool widened = dtype == DType::kFloat32 && (primitive == Primitive::kReduceSum ||
                                                    primitive == Primitive::kReduceProduct);
  return widened ? 8 : bytesOf(dtype);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
