// Jacobi's rotations: cyclic for eigenvectors, one-sided for singular vectors. Vectors are kept as
// rows, so that a rotation walks memory in order.
#include "jacobi.h"

#include <cmath>

#include "matrix.h"
#include "tridiagonal.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int kMaxSweeps = 60;
// A rotation by less changes no digit of what it turns.
constexpr double kSmallestSine = 1e-18;
// Columns whose cosine is below count as orthogonal.
constexpr double kOrthogonal = 1e-15;

struct Rotation {
  double c, s;
};

// What makes the off-diagonal of [[x, z], [z, y]] vanish.
Rotation rotationOf(double x, double y, double z) {
  const double tau = (y - x) / (2 * z);
  const double t = (tau >= 0 ? 1 : -1) / (std::fabs(tau) + std::sqrt(1 + tau * tau));
  const double c = 1 / std::sqrt(1 + t * t);
  return {c, t * c};
}

void setIdentity(double* a, int64_t n) {
  std::memset(a, 0, static_cast<size_t>(n * n) * sizeof(double));
  for (int64_t i = 0; i < n; i++) a[i * n + i] = 1;
}

// The sign that makes a vector's largest element positive, so that signs do not depend on the
// algorithm's path.
double signOf(const double* v, int64_t n) {
  double largest = 0;
  for (int64_t i = 0; i < n; i++)
    if (std::fabs(v[i]) > std::fabs(largest) * (1 + 1e-9)) largest = v[i];
  return largest < 0 ? -1 : 1;
}

// The order of values, rising or falling; equal ones keep theirs. `order` holds whole numbers.
void orderOf(const double* values, int64_t n, bool falling, double* order) {
  for (int64_t i = 0; i < n; i++) {
    int64_t at = i;
    for (; at > 0; at--) {
      const double before = values[static_cast<int64_t>(order[at - 1])];
      if (!(falling ? before < values[i] : before > values[i])) break;
      order[at] = order[at - 1];
    }
    order[at] = static_cast<double>(i);
  }
}

// Turns rows and columns p and q of the symmetric a so that a[p, q] vanishes.
void turnBoth(double* a, int64_t n, int64_t p, int64_t q, Rotation r) {
  double *rowP = a + p * n, *rowQ = a + q * n;
  const double x = rowP[p], y = rowQ[q], z = rowP[q];
  turn(rowP, rowQ, r.c, r.s, n);
  rowP[p] = r.c * (r.c * x - r.s * z) - r.s * (r.c * z - r.s * y);
  rowQ[q] = r.s * (r.s * x + r.c * z) + r.c * (r.s * z + r.c * y);
  rowP[q] = rowQ[p] = 0;
  for (int64_t i = 0; i < n; i++) {
    if (i == p || i == q) continue;
    a[i * n + p] = rowP[i];
    a[i * n + q] = rowQ[i];
  }
}

// Visits each pair once; says whether any was turned.
bool sweepSymmetric(double* a, double* v, int64_t n) {
  bool turned = false;
  for (int64_t p = 0; p < n; p++)
    for (int64_t q = p + 1; q < n; q++) {
      const double z = a[p * n + q];
      if (!(std::fabs(z) > 0)) continue;
      const Rotation r = rotationOf(a[p * n + p], a[q * n + q], z);
      if (std::fabs(r.s) < kSmallestSine) {
        a[p * n + q] = a[q * n + p] = 0;
        continue;
      }
      turned = true;
      turnBoth(a, n, p, q, r);
      turn(v + p * n, v + q * n, r.c, r.s, n);
    }
  return turned;
}

// Writes the eigenvalues and, as the rows of v, the eigenvectors.
void rotateSymmetric(double* a, double* v, double* values, int64_t n) {
  setIdentity(v, n);
  for (int sweep = 0; sweep < kMaxSweeps && sweepSymmetric(a, v, n); sweep++) {
  }
  for (int64_t i = 0; i < n; i++) values[i] = a[i * n + i];
}

// Makes each pair of vectors orthogonal once, and turns those of v along; says whether any was
// turned.
bool sweepVectors(double* a, double* v, int64_t length, int64_t k) {
  bool turned = false;
  for (int64_t p = 0; p < k; p++)
    for (int64_t q = p + 1; q < k; q++) {
      double *s = a + p * length, *t = a + q * length;
      const double z = dotOf(s, t, length);
      const double x = dotOf(s, s, length), y = dotOf(t, t, length);
      if (!(std::fabs(z) > kOrthogonal * std::sqrt(x) * std::sqrt(y))) continue;
      turned = true;
      const Rotation r = rotationOf(x, y, z);
      turn(s, t, r.c, r.s, length);
      turn(v + p * k, v + q * k, r.c, r.s, k);
    }
  return turned;
}

bool isFinite(const double* v, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!(std::fabs(v[i]) <= 1.7976931348623157e308)) return false;
  return true;
}

// Makes row `row` of `out` orthogonal to the rows before it, from the unit vector `axis`; false if
// they span it.
bool complete(double* out, int64_t length, int64_t row, int64_t axis) {
  double* v = out + row * length;
  for (int64_t i = 0; i < length; i++) v[i] = i == axis;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t j = 0; j < row; j++)
      subtractScaled(v, out + j * length, dotOf(v, out + j * length, length), length);
  const double norm = lengthOf(v, length);
  if (norm < 0.1 / std::sqrt(static_cast<double>(length))) return false;
  for (int64_t i = 0; i < length; i++) v[i] /= norm;
  return true;
}

// The vectors in order, divided by their lengths; those without length are completed to an
// orthonormal set.
void orthonormal(const double* a, const double* lengths, const double* order, int64_t length,
                 int64_t k, double* out) {
  double largest = 4.9406564584124654e-324;
  for (int64_t j = 0; j < k; j++)
    if (lengths[j] > largest) largest = lengths[j];
  int64_t axis = 0;
  for (int64_t to = 0; to < k; to++) {
    const auto from = static_cast<int64_t>(order[to]);
    double* v = out + to * length;
    for (int64_t i = 0; i < length; i++) v[i] = a[from * length + i] / lengths[from];
    if (lengths[from] > 1e-14 * largest && isFinite(v, length)) continue;
    while (axis < length && !complete(out, length, to, axis++)) {
    }
  }
}

}  // namespace

int64_t eighWork(int64_t n) { return n * n + 5 * n; }

void eigh(double* a, double* out, int64_t n, double* work) {
  double *v = work, *values = work + n * n, *order = values + n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < i; j++) a[j * n + i] = a[i * n + j];
  if (n >= kLargeMatrix)
    diagonalize(a, v, values, n, order + n);
  else
    rotateSymmetric(a, v, values, n);
  orderOf(values, n, false, order);
  for (int64_t to = 0; to < n; to++) {
    const auto from = static_cast<int64_t>(order[to]);
    const double sign = signOf(v + from * n, n);
    out[to] = values[from];
    for (int64_t i = 0; i < n; i++) out[(i + 1) * n + to] = sign * v[from * n + i];
  }
}

int64_t svdWork(int64_t n, int64_t m) {
  const int64_t k = least(n, m), length = most(n, m);
  return 2 * length * k + k * k + 2 * k;
}

void svd(const double* given, double* out, int64_t n, int64_t m, double* work) {
  const int64_t k = least(n, m), length = most(n, m);
  // The k vectors of the taller form, and the k of the other side.
  double *a = work, *v = a + length * k, *left = v + k * k;
  double *lengths = left + length * k, *order = lengths + k;
  if (n >= m)
    transposeInto(a, given, n, m);
  else
    std::memcpy(a, given, static_cast<size_t>(n * m) * sizeof(double));
  setIdentity(v, k);
  for (int sweep = 0; sweep < kMaxSweeps && sweepVectors(a, v, length, k); sweep++) {
  }
  for (int64_t j = 0; j < k; j++) lengths[j] = lengthOf(a + j * length, length);
  orderOf(lengths, k, true, order);
  orthonormal(a, lengths, order, length, k, left);
  double* tall = n >= m ? out : out + (n + 1) * k;
  double* square = n >= m ? out + (n + 1) * k : out;
  for (int64_t to = 0; to < k; to++) {
    const auto from = static_cast<int64_t>(order[to]);
    const double sign = signOf(left + to * length, length);
    out[n * k + to] = lengths[from];
    for (int64_t i = 0; i < length; i++) tall[i * k + to] = sign * left[to * length + i];
    for (int64_t i = 0; i < k; i++) square[i * k + to] = sign * v[from * k + i];
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
