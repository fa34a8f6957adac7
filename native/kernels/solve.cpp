// solve: linear systems with square matrices, by elimination with partial pivoting or by
// substitution in a triangle.
#include "lowest.h"
#include "matrix.h"
#include "run.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

// False if the matrix is singular.
template <typename T>
bool solveGeneral(const SolvePlan& plan, const T* given, const T* right, double* a, double* b) {
  const int64_t n = plan.n, k = plan.k;
  auto* order = reinterpret_cast<int32_t*>(b + n * k);
  widen(a, given, n * n);
  if (factorLu(a, n, order) == 0) return false;
  for (int64_t i = 0; i < n; i++) widen(b + i * k, right + order[i] * k, k);
  substitute(a, b, n, k, true, true);
  substitute(a, b, n, k, false, false);
  return true;
}

template <typename T>
void solveTriangular(const SolvePlan& plan, const T* given, const T* right, double* a, double* b) {
  const int64_t n = plan.n, k = plan.k;
  if (plan.transpose)
    transposeInto(a, given, n, n);
  else
    widen(a, given, n * n);
  widen(b, right, n * k);
  substitute(a, b, n, k, plan.lower != plan.transpose, plan.unitDiagonal);
}

template <typename T>
void solve(const SolvePlan& plan, Run& run) {
  const T* given = run.at<const T>(plan.a);
  const T* right = run.at<const T>(plan.b);
  T* out = run.at<T>(plan.out);
  const int64_t n = plan.n, k = plan.k;
  if (plan.batch == 0 || n == 0) return;
  // A, B, and the order of A's rows.
  if (!run.reserveLocalsOf<double>(n * n + n * k + n)) return;
  Lowest singular;
  const int64_t work = n * n * (n + k);
  const int64_t group = most(1, 8192 / work);
  const bool isLarge = plan.batch > 16384 / work;
  run.parallelFor(ceilDiv(plan.batch, group), isLarge, [&](int64_t p, int thread) {
    auto* a = reinterpret_cast<double*>(run.local(thread));
    double* b = a + n * n;
    for (int64_t i = p * group; i < least(plan.batch, (p + 1) * group); i++) {
      if (plan.triangular)
        solveTriangular(plan, given + i * n * n, right + i * n * k, a, b);
      else if (!solveGeneral(plan, given + i * n * n, right + i * n * k, a, b))
        return singular.note(i);
      narrow(out + i * n * k, b, n * k);
    }
  });
  reportMatrix(singular, Failure::kSingular, run);
}

}  // namespace

void runSolve(const SolvePlan& plan, Run& run) {
  plan.dtype == DType::kFloat32 ? solve<float>(plan, run) : solve<double>(plan, run);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
