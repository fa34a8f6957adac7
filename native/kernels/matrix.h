// Dense matrices in float64, row by row: what factorizations and solvers share. Read factor.cpp and
// solve.cpp next.
#pragma once
#include "program.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

// Elements as float64, and back.
template <typename T>
GRADUS_INLINE void widen(double* to, const T* from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<double>(from[i]);
}
template <typename T>
GRADUS_INLINE void narrow(T* to, const double* from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<T>(from[i]);
}

// to [columns, rows] = from [rows, columns] transposed.
template <typename T>
GRADUS_INLINE void transposeInto(double* to, const T* from, int64_t rows, int64_t columns) {
  for (int64_t j = 0; j < columns; j++)
    for (int64_t i = 0; i < rows; i++)
      to[j * rows + i] = static_cast<double>(from[i * columns + j]);
}

GRADUS_INLINE double dotOf(const double* x, const double* y, int64_t n) {
  constexpr int64_t width = kWidth<double>;
  Vector<double> a{}, b{};
  int64_t i = 0;
  for (; i + 2 * width <= n; i += 2 * width) {
    a += load(x + i) * load(y + i);
    b += load(x + i + width) * load(y + i + width);
  }
  double sum = sumLanes<double>(a + b);
  for (; i < n; i++) sum += x[i] * y[i];
  return sum;
}

// y −= factor·x
GRADUS_INLINE void subtractScaled(double* y, const double* x, double factor, int64_t n) {
  GRADUS_INDEPENDENT
  for (int64_t i = 0; i < n; i++) y[i] -= factor * x[i];
}

// (x, y) turned by an angle of cosine c and sine s.
GRADUS_INLINE void turn(double* x, double* y, double c, double s, int64_t n) {
  GRADUS_INDEPENDENT
  for (int64_t i = 0; i < n; i++) {
    const double a = x[i], b = y[i];
    x[i] = c * a - s * b;
    y[i] = s * a + c * b;
  }
}

// √Σx², where squares may be out of range.
double lengthOf(const double* x, int64_t n);

// In place: L below the diagonal, U on and above it, with the largest element of a column as pivot.
// Writes the order of rows if asked for and gives its sign, 0 if A is singular.
int factorLu(double* a, int64_t n, int32_t* order);

// Overwrites b [n, k] by the solution with the lower or upper triangle of a.
void substitute(const double* a, double* b, int64_t n, int64_t k, bool lower, bool unitDiagonal);

}  // namespace GRADUS_ISA
}  // namespace gradus
