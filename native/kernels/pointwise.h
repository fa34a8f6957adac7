// The table of pointwise functions on blocks, numbered as decodeFused.cpp numbers them.
#pragma once
#include "program.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

// result[i] = f(a[i], b[i], c[i]) for i < n. The result may be one of the operands if the elements
// are of one width.
using PointwiseFunction = void (*)(void* result, const void* a, const void* b, const void* c,
                                   int64_t n);

struct PointwiseTable {
  PointwiseFunction entries[(kPrimitives + kDTypes) * kDTypes] = {};
};

extern const PointwiseTable kPointwise;

// `value` as an element of `dtype`, n times.
void fillConstant(void* to, DType dtype, double value, int64_t n);

}  // namespace GRADUS_ISA
}  // namespace gradus
