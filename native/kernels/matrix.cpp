// Elimination and substitution, which solve.cpp and factor.cpp share.
#include "matrix.h"

#include <cmath>

namespace gradus {
namespace GRADUS_ISA {

double lengthOf(const double* x, int64_t n) {
  double largest = 0;
  for (int64_t i = 0; i < n; i++) {
    const double size = std::fabs(x[i]);
    if (size != size) return size;
    if (size > largest) largest = size;
  }
  if (largest == 0 || largest > 1.7976931348623157e308) return largest;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (x[i] / largest) * (x[i] / largest);
  return largest * std::sqrt(sum);
}

int factorLu(double* a, int64_t n, int32_t* order) {
  int sign = 1;
  for (int64_t i = 0; order != nullptr && i < n; i++) order[i] = static_cast<int32_t>(i);
  for (int64_t k = 0; k < n; k++) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; i++)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      sign = -sign;
      if (order != nullptr) std::swap(order[k], order[pivot]);
      for (int64_t j = 0; j < n; j++) std::swap(a[k * n + j], a[pivot * n + j]);
    }
    for (int64_t i = k + 1; i < n; i++) {
      a[i * n + k] /= a[k * n + k];
      subtractScaled(a + i * n + k + 1, a + k * n + k + 1, a[i * n + k], n - k - 1);
    }
  }
  return sign;
}

void substitute(const double* a, double* b, int64_t n, int64_t k, bool lower,
                       bool unitDiagonal) {
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = lower ? step : n - 1 - step;
    const int64_t first = lower ? 0 : i + 1, end = lower ? i : n;
    double* row = b + i * k;
    if (k == 1)
      row[0] -= dotOf(a + i * n + first, b + first, end - first);
    else
      for (int64_t j = first; j < end; j++) subtractScaled(row, b + j * k, a[i * n + j], k);
    if (unitDiagonal) continue;
    for (int64_t c = 0; c < k; c++) row[c] /= a[i * n + i];
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
