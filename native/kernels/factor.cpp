// factor: Cholesky, determinant and QR of batched matrices, and the way to the Jacobi methods of
// jacobi.cpp. The algorithms and the signs of their results are those of
// src/ir/interpret/linalg.ts.
#include <cmath>

#include "jacobi.h"
#include "lowest.h"
#include "matrix.h"
#include "run.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

// False if the matrix is not positive definite.
bool cholesky(const double* a, double* l, int64_t n) {
  std::memset(l, 0, static_cast<size_t>(n * n) * sizeof(double));
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j <= i; j++) {
      const double rest = a[i * n + j] - dotOf(l + i * n, l + j * n, j);
      if (i == j && !(rest > 0)) return false;
      l[i * n + j] = i == j ? std::sqrt(rest) : rest / l[j * n + j];
    }
  return true;
}

double determinant(double* a, int64_t n) {
  double product = factorLu(a, n, nullptr);
  for (int64_t i = 0; i < n; i++) product *= a[i * n + i];
  return product;
}

// Subtracts scale·v·(vᵀ·A) from the rows of A, of which the columns [first, m) change; `sums` holds
// m numbers.
void reflect(double* a, int64_t rows, int64_t m, int64_t first, const double* v, double scale,
             double* sums) {
  std::memset(sums, 0, static_cast<size_t>(m) * sizeof(double));
  for (int64_t i = 0; i < rows; i++)
    subtractScaled(sums + first, a + i * m + first, -v[i], m - first);
  for (int64_t c = first; c < m; c++) sums[c] *= scale;
  for (int64_t i = 0; i < rows; i++)
    subtractScaled(a + i * m + first, sums + first, v[i], m - first);
}

// Householder's reflections. `work`: k rows of n for the reflections, k scales, and max(m, k) sums.
void qr(double* a, double* out, int64_t n, int64_t m, double* work) {
  const int64_t k = least(n, m), steps = least(k, n - 1);
  double *scales = work + k * n, *sums = scales + k;
  for (int64_t j = 0; j < steps; j++) {
    double* v = work + j * n;
    for (int64_t i = j; i < n; i++) v[i - j] = a[i * m + j];
    scales[j] = 0;
    // Nothing to reflect away: LAPACK leaves the column as it is.
    if (lengthOf(v + 1, n - j - 1) == 0) continue;
    const double length = lengthOf(v, n - j);
    v[0] += v[0] >= 0 ? length : -length;
    scales[j] = 2 / dotOf(v, v, n - j);
    reflect(a + j * m, n - j, m, j, v, scales[j], sums);
  }
  std::memset(out, 0, static_cast<size_t>((n + m) * k) * sizeof(double));
  for (int64_t i = 0; i < k; i++) out[i * k + i] = 1;
  for (int64_t j = steps - 1; j >= 0; j--)
    if (scales[j] != 0) reflect(out + j * k, n - j, k, j, work + j * n, scales[j], sums);
  for (int64_t j = 0; j < m; j++)
    for (int64_t i = 0; i < least(k, j + 1); i++) out[(n + j) * k + i] = a[i * m + j];
}

int64_t workSize(const FactorPlan& plan) {
  const int64_t n = plan.n, m = plan.m, k = least(n, m);
  switch (plan.kind) {
    case FactorKind::kEigh:
      return eighWork(n);
    case FactorKind::kQr:
      return k * n + k + most(m, k);
    case FactorKind::kSvd:
      return svdWork(n, m);
    default:
      return 0;
  }
}

// False if the matrix is not what the factorization needs.
bool factorOne(const FactorPlan& plan, double* a, double* out, double* work) {
  switch (plan.kind) {
    case FactorKind::kCholesky:
      return cholesky(a, out, plan.n);
    case FactorKind::kDeterminant:
      out[0] = determinant(a, plan.n);
      return true;
    case FactorKind::kEigh:
      eigh(a, out, plan.n, work);
      return true;
    case FactorKind::kQr:
      qr(a, out, plan.n, plan.m, work);
      return true;
    case FactorKind::kSvd:
      svd(a, out, plan.n, plan.m, work);
      return true;
  }
  return true;
}

template <typename T>
void factor(const FactorPlan& plan, Run& run) {
  const T* x = run.at<const T>(plan.x);
  T* out = run.at<T>(plan.out);
  const int64_t size = plan.outSize();
  if (plan.batch == 0 || size == 0) return;
  const int64_t given = plan.n * plan.m;
  if (!run.reserveLocalsOf<double>(given + size + workSize(plan))) return;
  Lowest bad;
  const int64_t work = most(1, given * (plan.n + plan.m));
  const int64_t group = most(1, 8192 / work);
  const bool isLarge = plan.batch > 16384 / work;
  run.parallelFor(ceilDiv(plan.batch, group), isLarge, [&](int64_t p, int thread) {
    auto* a = reinterpret_cast<double*>(run.local(thread));
    for (int64_t i = p * group; i < least(plan.batch, (p + 1) * group); i++) {
      widen(a, x + i * given, given);
      if (!factorOne(plan, a, a + given, a + given + size)) return bad.note(i);
      narrow(out + i * size, a + given, size);
    }
  });
  reportMatrix(bad, Failure::kNotPositive, run);
}

}  // namespace

void runFactor(const FactorPlan& plan, Run& run) {
  plan.dtype == DType::kFloat32 ? factor<float>(plan, run) : factor<double>(plan, run);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
