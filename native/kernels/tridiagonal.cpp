// Householder's reflections make a symmetric matrix tridiagonal, and implicit QR steps with
// Wilkinson's shift make that diagonal (Golub and Van Loan, "Matrix Computations", 4th ed., 8.3).
#include "tridiagonal.h"

#include <cmath>

#include "matrix.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr double kEpsilon = 2.220446049250313e-16;
// QR steps for each eigenvalue, of which two or three are enough.
constexpr int64_t kMaxSteps = 60;

// Makes a[k, k + 1:] the vector of a reflection that clears a's column k below the subdiagonal, and
// reflects what lies right of and below it. Gives the reflection's scale.
double reflectBoth(double* a, int64_t n, int64_t k, double* beside, double* sums) {
  const int64_t first = k + 1, m = n - first;
  double* v = a + k * n + first;
  beside[k] = v[0];
  if (lengthOf(v + 1, m - 1) == 0) return 0;
  const double length = lengthOf(v, m);
  beside[k] = v[0] >= 0 ? -length : length;
  v[0] -= beside[k];
  const double scale = 2 / dotOf(v, v, m);
  for (int64_t i = 0; i < m; i++) sums[i] = scale * dotOf(a + (first + i) * n + first, v, m);
  subtractScaled(sums, v, scale / 2 * dotOf(sums, v, m), m);
  for (int64_t i = 0; i < m; i++) {
    double* row = a + (first + i) * n + first;
    const double p = v[i], q = sums[i];
    GRADUS_INDEPENDENT
    for (int64_t j = 0; j < m; j++) row[j] -= p * sums[j] + q * v[j];
  }
  return scale;
}

// a becomes tridiagonal: `values` on the diagonal, `beside` next to it; v holds the transposed
// product of the reflections.
void reduce(double* a, double* v, double* values, int64_t n, double* beside, double* scales,
            double* sums) {
  for (int64_t k = 0; k + 1 < n; k++) scales[k] = reflectBoth(a, n, k, beside, sums);
  std::memset(v, 0, static_cast<size_t>(n * n) * sizeof(double));
  for (int64_t i = 0; i < n; i++) {
    values[i] = a[i * n + i];
    v[i * n + i] = 1;
  }
  for (int64_t k = n - 2; k >= 0; k--) {
    const int64_t first = k + 1, m = n - first;
    const double* reflection = a + k * n + first;
    for (int64_t i = first; scales[k] != 0 && i < n; i++) {
      double* row = v + i * n + first;
      subtractScaled(row, reflection, scales[k] * dotOf(row, reflection, m), m);
    }
  }
}

// One implicit QR step on the block [low, high], whose elements beside the diagonal are not 0.
void step(double* values, double* beside, double* v, int64_t n, int64_t low, int64_t high) {
  const double corner = beside[high - 1];
  const double half = (values[high - 1] - values[high]) / 2;
  const double root = std::hypot(half, corner);
  const double shift = values[high] - corner * (corner / (half + (half >= 0 ? root : -root)));
  double x = values[low] - shift, z = beside[low];
  for (int64_t k = low; k < high; k++) {
    const double length = std::hypot(x, z);
    const double c = length == 0 ? 1 : x / length, s = length == 0 ? 0 : z / length;
    if (k > low) beside[k - 1] = length;
    const double a = values[k], b = beside[k], d = values[k + 1];
    values[k] = c * c * a + 2 * c * s * b + s * s * d;
    values[k + 1] = s * s * a - 2 * c * s * b + c * c * d;
    beside[k] = c * s * (d - a) + (c * c - s * s) * b;
    turn(v + k * n, v + (k + 1) * n, c, -s, n);
    if (k + 1 == high) break;
    x = beside[k];
    z = s * beside[k + 1];
    beside[k + 1] *= c;
  }
}

}  // namespace

void diagonalize(double* a, double* v, double* values, int64_t n, double* work) {
  double *beside = work, *scales = work + n, *sums = work + 2 * n;
  reduce(a, v, values, n, beside, scales, sums);
  const auto isNothing = [&](int64_t i) {
    const double size = std::fabs(values[i]) + std::fabs(values[i + 1]);
    // Also true for NaN, which nothing makes smaller.
    return !(std::fabs(beside[i]) > kEpsilon * size);
  };
  int64_t high = n - 1;
  for (int64_t steps = kMaxSteps * n; high > 0 && steps > 0;) {
    if (isNothing(high - 1)) {
      high--;
      continue;
    }
    int64_t low = high - 1;
    while (low > 0 && !isNothing(low - 1)) low--;
    step(values, beside, v, n, low, high);
    steps--;
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
