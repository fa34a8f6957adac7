// Vectors as wide as the instruction set allows, and the namespace that keeps the builds of one
// source apart. Nothing here, and no template of the standard library, may be shared between
// builds: the linker would keep one of them.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

#ifndef GRADUS_ISA
#error "define GRADUS_ISA as the name of the instruction set"
#endif

#if defined(__AVX512F__)
#define GRADUS_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define GRADUS_VECTOR_BYTES 32
#else
#define GRADUS_VECTOR_BYTES 16
#endif

#define GRADUS_INLINE inline __attribute__((always_inline))

// The iterations of the next loop do not depend on each other, though pointers may be equal.
#ifdef __clang__
#define GRADUS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
// A loop that calls the library stays as it is, which is no mistake.
#pragma clang diagnostic ignored "-Wpass-failed"
#else
#define GRADUS_INDEPENDENT _Pragma("GCC ivdep")
#endif

// The next loop has a small constant count and is to be written out.
#ifdef __clang__
#define GRADUS_UNROLLED _Pragma("clang loop unroll(full)")
#else
#define GRADUS_UNROLLED _Pragma("GCC unroll 16")
#endif

namespace gradus {
namespace GRADUS_ISA {

template <typename T>
struct VectorOf {
  typedef T type __attribute__((vector_size(GRADUS_VECTOR_BYTES)));
  static constexpr int width = GRADUS_VECTOR_BYTES / sizeof(T);
};

template <typename T>
using Vector = typename VectorOf<T>::type;

template <typename T>
constexpr int kWidth = VectorOf<T>::width;

template <typename T>
GRADUS_INLINE Vector<T> load(const T* from) {
  Vector<T> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <typename T>
GRADUS_INLINE void store(T* to, Vector<T> v) {
  __builtin_memcpy(to, &v, sizeof v);
}

template <typename T>
GRADUS_INLINE Vector<T> splat(T value) {
  return value - Vector<T>{};
}

// a·b + c, rounded once where there is an instruction for it: compilers contract it by themselves,
// but for WASM's relaxed one, whose rounding is the engine's choice.
template <typename T>
GRADUS_INLINE Vector<T> contracted(T a, Vector<T> b, Vector<T> c) {
#ifdef __wasm_relaxed_simd__
  if constexpr (sizeof(T) == 4)
    return __builtin_wasm_relaxed_madd_f32x4(Vector<T>{a, a, a, a}, b, c);
  else
    return __builtin_wasm_relaxed_madd_f64x2(Vector<T>{a, a}, b, c);
#else
  return c + a * b;
#endif
}

template <typename T>
struct SameSizeInt {
  using type = int32_t;
};
template <>
struct SameSizeInt<double> {
  using type = int64_t;
};

// Lanes picked from a (0 to width − 1) and b (width on) by constant numbers.
#ifdef __clang__
#define GRADUS_SHUFFLE(T, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define GRADUS_SHUFFLE(T, a, b, ...) \
  __builtin_shuffle(a, b, Vector<typename SameSizeInt<T>::type>{__VA_ARGS__})
#endif

template <typename T>
constexpr auto kEachLane = std::make_integer_sequence<int, kWidth<T>>();

// v + (v with its lanes turned by `step`).
template <typename T, int step, int... I>
GRADUS_INLINE Vector<T> addTurned(Vector<T> v, std::integer_sequence<int, I...>) {
  return v + GRADUS_SHUFFLE(T, v, v, ((I + step) % kWidth<T>)...);
}

template <typename T, int step = kWidth<T> / 2>
GRADUS_INLINE T sumLanes(Vector<T> v) {
  if constexpr (step == 0)
    return v[0];
  else
    return sumLanes<T, step / 2>(addTurned<T, step>(v, kEachLane<T>));
}

GRADUS_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
GRADUS_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
GRADUS_INLINE int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace GRADUS_ISA
}  // namespace gradus
