// Pointwise functions on blocks: one loop for each primitive and element type, left to the compiler
// to vectorise but for the elementary functions of math.h. Their meaning is in
// src/ir/primitives/pointwise.ts.
#include "pointwise.h"

#include "math.h"
#include "pointwiseOps.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

struct Bool {
  uint8_t value;
};

template <typename From>
GRADUS_INLINE int32_t truncate(From a) {
  if constexpr (Traits<From>::isFloat) {
    const From number = a != a ? From{0} : a;
    const From raised = number < From{-2147483648.0} ? From{-2147483648.0} : number;
    const bool high = raised >= From{2147483648.0};
    const auto whole = static_cast<int32_t>(high ? From{0} : raised);
    return high ? INT32_MAX : whole;
  } else {
    return static_cast<int32_t>(a);
  }
}

template <typename From, typename To>
void convert(void* result, const void* a, const void*, const void*, int64_t n) {
  const auto* x = static_cast<const From*>(a);
  if constexpr (__is_same(To, Bool)) {
    auto* r = static_cast<uint8_t*>(result);
    GRADUS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) r[i] = x[i] != 0;
  } else {
    auto* r = static_cast<To*>(result);
    GRADUS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
      if constexpr (Traits<To>::isFloat)
        r[i] = static_cast<To>(x[i]);
      else
        r[i] = static_cast<To>(truncate(x[i]));
    }
  }
}

template <typename Op, typename T>
void unary(void* result, const void* a, const void*, const void*, int64_t n) {
  const auto* x = static_cast<const T*>(a);
  auto* r = static_cast<decltype(Op::of(T{}))*>(result);
  GRADUS_INDEPENDENT
  for (int64_t i = 0; i < n; i++) r[i] = Op::of(x[i]);
}

template <typename Op, typename T>
void binary(void* result, const void* a, const void* b, const void*, int64_t n) {
  const auto* x = static_cast<const T*>(a);
  const auto* y = static_cast<const T*>(b);
  auto* r = static_cast<decltype(Op::of(T{}, T{}))*>(result);
  GRADUS_INDEPENDENT
  for (int64_t i = 0; i < n; i++) r[i] = Op::of(x[i], y[i]);
}

template <typename T>
void select(void* result, const void* a, const void* b, const void* c, int64_t n) {
  const auto* condition = static_cast<const uint8_t*>(a);
  const auto* x = static_cast<const T*>(b);
  const auto* y = static_cast<const T*>(c);
  auto* r = static_cast<T*>(result);
  GRADUS_INDEPENDENT
  for (int64_t i = 0; i < n; i++) {
    const T yes = x[i], no = y[i];
    r[i] = condition[i] != 0 ? yes : no;
  }
}

// A function of math.h over a block; the last, partial vector goes through a copy.
template <VF (*function)(VF)>
void elementary(void* result, const void* a, const void*, const void*, int64_t n) {
  const auto* x = static_cast<const float*>(a);
  auto* r = static_cast<float*>(result);
  int64_t i = 0;
  for (; i + kWidth<float> <= n; i += kWidth<float>) store(r + i, function(load(x + i)));
  if (i == n) return;
  float tail[kWidth<float>] = {};
  __builtin_memcpy(tail, x + i, static_cast<size_t>(n - i) * sizeof(float));
  store(tail, function(load(tail)));
  __builtin_memcpy(r + i, tail, static_cast<size_t>(n - i) * sizeof(float));
}

constexpr int at(Primitive primitive, DType dtype) {
  return static_cast<int>(primitive) * kDTypes + static_cast<int>(dtype);
}

template <typename Op, typename T>
constexpr void put1(PointwiseTable& table, Primitive primitive, DType dtype) {
  table.entries[at(primitive, dtype)] = unary<Op, T>;
}

template <typename Op>
constexpr void putFloats1(PointwiseTable& table, Primitive primitive) {
  put1<Op, float>(table, primitive, DType::kFloat32);
  put1<Op, double>(table, primitive, DType::kFloat64);
}

template <typename Op>
constexpr void putNumbers1(PointwiseTable& table, Primitive primitive) {
  putFloats1<Op>(table, primitive);
  put1<Op, int32_t>(table, primitive, DType::kInt32);
  put1<Op, uint8_t>(table, primitive, DType::kUint8);
}

template <typename Op, VF (*function)(VF)>
constexpr void putElementary(PointwiseTable& table, Primitive primitive) {
  table.entries[at(primitive, DType::kFloat32)] = elementary<function>;
  put1<Op, double>(table, primitive, DType::kFloat64);
}

template <typename Op>
constexpr void putFloats2(PointwiseTable& table, Primitive primitive) {
  table.entries[at(primitive, DType::kFloat32)] = binary<Op, float>;
  table.entries[at(primitive, DType::kFloat64)] = binary<Op, double>;
}

template <typename Op>
constexpr void putIntegers2(PointwiseTable& table, Primitive primitive) {
  table.entries[at(primitive, DType::kInt32)] = binary<Op, int32_t>;
  table.entries[at(primitive, DType::kUint8)] = binary<Op, uint8_t>;
}

// A bool is a byte that is 0 or 1, for which the functions of uint8 hold.
template <typename Op>
constexpr void putBits2(PointwiseTable& table, Primitive primitive) {
  putIntegers2<Op>(table, primitive);
  table.entries[at(primitive, DType::kBool)] = binary<Op, uint8_t>;
}

template <typename Op>
constexpr void putAny2(PointwiseTable& table, Primitive primitive) {
  putFloats2<Op>(table, primitive);
  putBits2<Op>(table, primitive);
}

template <typename From>
constexpr void putConverts(PointwiseTable& table, DType from) {
  PointwiseFunction* row = table.entries + (kPrimitives + static_cast<int>(from)) * kDTypes;
  row[0] = convert<From, float>;
  row[1] = convert<From, double>;
  row[2] = convert<From, int32_t>;
  row[3] = convert<From, uint8_t>;
  row[4] = convert<From, Bool>;
}

constexpr PointwiseTable makeTable() {
  PointwiseTable table;
  using P = Primitive;
  putNumbers1<Negate>(table, P::kNegate);
  putNumbers1<Abs>(table, P::kAbs);
  putNumbers1<Sign>(table, P::kSign);
  putFloats1<Floor>(table, P::kFloor);
  putFloats1<Sqrt>(table, P::kSqrt);
  putFloats1<Rsqrt>(table, P::kRsqrt);
  putFloats1<Sine>(table, P::kSine);
  putFloats1<Cosine>(table, P::kCosine);
  putElementary<Exponential, exponential>(table, P::kExponential);
  putElementary<Log, logarithm>(table, P::kLog);
  putElementary<Tanh, hyperbolicTangent>(table, P::kTanh);
  putElementary<Logistic, logistic>(table, P::kLogistic);
  putElementary<ExponentialMinusOne, expMinusOne>(table, P::kExponentialMinusOne);
  putElementary<LogPlusOne, logPlusOne>(table, P::kLogPlusOne);
  putFloats1<Log2>(table, P::kLog2);
  putFloats1<Log10>(table, P::kLog10);
  putFloats1<Tan>(table, P::kTan);
  putFloats1<Asin>(table, P::kAsin);
  putFloats1<Acos>(table, P::kAcos);
  putFloats1<Atan>(table, P::kAtan);
  putFloats1<Sinh>(table, P::kSinh);
  putFloats1<Cosh>(table, P::kCosh);
  putFloats1<Asinh>(table, P::kAsinh);
  putFloats1<Acosh>(table, P::kAcosh);
  putFloats1<Atanh>(table, P::kAtanh);
  putElementary<Erf, errorFunction>(table, P::kErf);
  putFloats1<Erfc>(table, P::kErfc);
  putFloats1<Ceil>(table, P::kCeil);
  putFloats1<RoundNearestEven>(table, P::kRoundNearestEven);
  putFloats1<Truncate>(table, P::kTruncate);
  putFloats1<IsFinite>(table, P::kIsFinite);
  put1<Not, int32_t>(table, P::kNot, DType::kInt32);
  put1<Not, uint8_t>(table, P::kNot, DType::kUint8);
  put1<Not, uint8_t>(table, P::kNot, DType::kBool);
  putFloats2<Add>(table, P::kAdd);
  putIntegers2<Add>(table, P::kAdd);
  putFloats2<Subtract>(table, P::kSubtract);
  putIntegers2<Subtract>(table, P::kSubtract);
  putFloats2<Multiply>(table, P::kMultiply);
  putIntegers2<Multiply>(table, P::kMultiply);
  putFloats2<Divide>(table, P::kDivide);
  putIntegers2<Divide>(table, P::kDivide);
  putFloats2<Power>(table, P::kPower);
  putFloats2<Remainder>(table, P::kRemainder);
  putIntegers2<Remainder>(table, P::kRemainder);
  putFloats2<Atan2>(table, P::kAtan2);
  putAny2<Maximum>(table, P::kMaximum);
  putAny2<Minimum>(table, P::kMinimum);
  putAny2<Equal>(table, P::kEqual);
  putAny2<NotEqual>(table, P::kNotEqual);
  putAny2<Less>(table, P::kLess);
  putAny2<LessEqual>(table, P::kLessEqual);
  putAny2<Greater>(table, P::kGreater);
  putAny2<GreaterEqual>(table, P::kGreaterEqual);
  putBits2<And>(table, P::kAnd);
  putBits2<Or>(table, P::kOr);
  putBits2<Xor>(table, P::kXor);
  putIntegers2<ShiftLeft>(table, P::kShiftLeft);
  putIntegers2<ShiftRightLogical>(table, P::kShiftRightLogical);
  table.entries[at(P::kSelect, DType::kFloat32)] = select<uint32_t>;
  table.entries[at(P::kSelect, DType::kFloat64)] = select<uint64_t>;
  table.entries[at(P::kSelect, DType::kInt32)] = select<uint32_t>;
  table.entries[at(P::kSelect, DType::kUint8)] = select<uint8_t>;
  table.entries[at(P::kSelect, DType::kBool)] = select<uint8_t>;
  putConverts<float>(table, DType::kFloat32);
  putConverts<double>(table, DType::kFloat64);
  putConverts<int32_t>(table, DType::kInt32);
  putConverts<uint8_t>(table, DType::kUint8);
  putConverts<uint8_t>(table, DType::kBool);
  return table;
}

template <typename T>
void fill(void* to, T value, int64_t n) {
  auto* r = static_cast<T*>(to);
  for (int64_t i = 0; i < n; i++) r[i] = value;
}

}  // namespace

const PointwiseTable kPointwise = makeTable();

void fillConstant(void* to, DType dtype, double value, int64_t n) {
  switch (dtype) {
    case DType::kFloat32:
      return fill(to, static_cast<float>(value), n);
    case DType::kFloat64:
      return fill(to, value, n);
    case DType::kInt32:
      return fill(to, truncate(value), n);
    case DType::kUint8:
      return fill(to, static_cast<uint8_t>(truncate(value)), n);
    case DType::kBool:
      return fill(to, static_cast<uint8_t>(value != 0), n);
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
