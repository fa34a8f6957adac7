// What each pointwise primitive does to one element, as src/ir/primitives/pointwise.ts says.
#pragma once
#include <cmath>

#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {
namespace {

template <typename T>
struct Traits {
  static constexpr bool isFloat = false;
};
template <>
struct Traits<float> {
  static constexpr bool isFloat = true;
};
template <>
struct Traits<double> {
  static constexpr bool isFloat = true;
};

// Integers wrap, which C++ defines for unsigned ones only.
template <typename T>
struct Wrapping {
  using type = T;
};
template <>
struct Wrapping<int32_t> {
  using type = uint32_t;
};
template <>
struct Wrapping<uint8_t> {
  using type = uint32_t;
};
template <typename T>
GRADUS_INLINE typename Wrapping<T>::type wrapping(T value) {
  return static_cast<typename Wrapping<T>::type>(value);
}

// The WASM module must be small to download, so that it carries the library's functions in float64
// alone.
#ifdef __wasm__
template <typename T>
using LibraryArgument = double;
#else
template <typename T>
using LibraryArgument = T;
#endif

struct Negate {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    return static_cast<T>(-wrapping(a));
  }
};
struct Abs {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    if constexpr (Traits<T>::isFloat) return std::fabs(a);
    return static_cast<T>(a < 0 ? -wrapping(a) : wrapping(a));
  }
};
struct Sign {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    return a > 0 ? static_cast<T>(1) : a < 0 ? static_cast<T>(-1) : a;
  }
};
struct Floor {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    return std::floor(a);
  }
};
struct Ceil {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    return std::ceil(a);
  }
};
struct RoundNearestEven {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    return std::nearbyint(a);
  }
};
struct Truncate {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    return std::trunc(a);
  }
};
struct Sqrt {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    return std::sqrt(a);
  }
};
struct Rsqrt {
  template <typename T>
  static GRADUS_INLINE T of(T a) {
    return 1 / std::sqrt(a);
  }
};
#define GRADUS_LIBRARY(Name, function)                                              \
  struct Name {                                                                     \
    template <typename T>                                                           \
    static T of(T a) {                                                              \
      return static_cast<T>(std::function(static_cast<LibraryArgument<T>>(a)));     \
    }                                                                               \
  };
GRADUS_LIBRARY(Exponential, exp)
GRADUS_LIBRARY(Log, log)
GRADUS_LIBRARY(Tanh, tanh)
GRADUS_LIBRARY(ExponentialMinusOne, expm1)
GRADUS_LIBRARY(LogPlusOne, log1p)
GRADUS_LIBRARY(Log2, log2)
GRADUS_LIBRARY(Log10, log10)
GRADUS_LIBRARY(Sine, sin)
GRADUS_LIBRARY(Cosine, cos)
GRADUS_LIBRARY(Tan, tan)
GRADUS_LIBRARY(Asin, asin)
GRADUS_LIBRARY(Acos, acos)
GRADUS_LIBRARY(Atan, atan)
GRADUS_LIBRARY(Sinh, sinh)
GRADUS_LIBRARY(Cosh, cosh)
GRADUS_LIBRARY(Asinh, asinh)
GRADUS_LIBRARY(Atanh, atanh)
GRADUS_LIBRARY(Erf, erf)
GRADUS_LIBRARY(Erfc, erfc)
#undef GRADUS_LIBRARY
struct Acosh {
  template <typename T>
  static T of(T a) {
    // Some libraries give infinity for numbers far below 1.
    if (a < 1) return static_cast<T>(__builtin_nan(""));
    return static_cast<T>(std::acosh(static_cast<LibraryArgument<T>>(a)));
  }
};
struct Logistic {
  static double of(double a) { return 1 / (1 + std::exp(-a)); }
};
struct IsFinite {
  template <typename T>
  static GRADUS_INLINE uint8_t of(T a) {
    return std::fabs(a) < static_cast<T>(__builtin_inf());
  }
};
struct Not {
  template <typename T>
  static GRADUS_INLINE uint8_t of(T a) {
    return a == 0;
  }
};

struct Add {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    return static_cast<T>(wrapping(a) + wrapping(b));
  }
};
struct Subtract {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    return static_cast<T>(wrapping(a) - wrapping(b));
  }
};
struct Multiply {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    return static_cast<T>(wrapping(a) * wrapping(b));
  }
};
struct Divide {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    if constexpr (Traits<T>::isFloat) return a / b;
    // In 64 bits, so that the smallest integer by −1 wraps.
    return b == 0 ? T{0} : static_cast<T>(static_cast<int64_t>(a) / static_cast<int64_t>(b));
  }
};
struct Power {
  static float of(float a, float b) {
    return static_cast<float>(std::pow(static_cast<double>(a), static_cast<double>(b)));
  }
  static double of(double a, double b) { return std::pow(a, b); }
};
struct Remainder {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    using Argument = LibraryArgument<T>;
    if constexpr (Traits<T>::isFloat)
      return static_cast<T>(std::fmod(static_cast<Argument>(a), static_cast<Argument>(b)));
    else
      return b == 0 ? T{0} : static_cast<T>(static_cast<int64_t>(a) % static_cast<int64_t>(b));
  }
};
struct Atan2 {
  template <typename T>
  static T of(T a, T b) {
    using Argument = LibraryArgument<T>;
    return static_cast<T>(std::atan2(static_cast<Argument>(a), static_cast<Argument>(b)));
  }
};
struct Maximum {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    return ((a > b) | (a != a)) ? a : b;
  }
};
struct Minimum {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    return ((a < b) | (a != a)) ? a : b;
  }
};
#define GRADUS_BINARY(Name, Result, expression)         \
  struct Name {                                         \
    template <typename T>                               \
    static GRADUS_INLINE Result of(T a, T b) {          \
      return static_cast<Result>(expression);           \
    }                                                   \
  };
GRADUS_BINARY(Equal, uint8_t, a == b)
GRADUS_BINARY(NotEqual, uint8_t, a != b)
GRADUS_BINARY(Less, uint8_t, a < b)
GRADUS_BINARY(LessEqual, uint8_t, a <= b)
GRADUS_BINARY(Greater, uint8_t, a > b)
GRADUS_BINARY(GreaterEqual, uint8_t, a >= b)
GRADUS_BINARY(And, T, a & b)
GRADUS_BINARY(Or, T, a | b)
GRADUS_BINARY(Xor, T, a ^ b)
#undef GRADUS_BINARY
struct ShiftLeft {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    const auto bits = static_cast<uint32_t>(b);
    return bits > 31 ? T{0} : static_cast<T>(wrapping(a) << (bits & 31));
  }
};
struct ShiftRightLogical {
  template <typename T>
  static GRADUS_INLINE T of(T a, T b) {
    const auto bits = static_cast<uint32_t>(b);
    return bits > 31 ? T{0} : static_cast<T>(wrapping(a) >> (bits & 31));
  }
};

}  // namespace
}  // namespace GRADUS_ISA
}  // namespace gradus
