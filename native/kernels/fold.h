// Folding blocks of a reduction into accumulators: arrays of the element type, or of float64 for
// float32 sums.
#pragma once
#include "program.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

// Bytes that an accumulator needs at most.
constexpr int64_t kAccumulatorBytes = 8;

struct FoldFunctions {
  // n accumulators of nothing.
  void (*clear)(void* accumulators, int64_t n);
  // Folds x[s·length …] into accumulator s.
  void (*segments)(void* accumulators, const void* x, int64_t segments, int64_t length);
  // Folds column j of x [rows, width] into accumulator j.
  void (*columns)(void* accumulators, const void* x, int64_t rows, int64_t width);
  void (*merge)(void* accumulators, const void* others, int64_t n);
  void (*store)(void* to, int64_t stride, const void* accumulators, int64_t n);
};

const FoldFunctions& foldFunctions(Primitive primitive, DType dtype);

// Bytes from one accumulator to the next.
int64_t accumulatorSize(Primitive primitive, DType dtype);

}  // namespace GRADUS_ISA
}  // namespace gradus
