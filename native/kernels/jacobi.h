// Eigenvectors and singular vectors by Jacobi's rotations, on matrices of float64.
#pragma once
#include <cstdint>

namespace gradus {
namespace GRADUS_ISA {

// How many float64 the scratch `work` of the functions below must hold.
int64_t eighWork(int64_t n);
int64_t svdWork(int64_t n, int64_t m);

// out [n + 1, n]: the eigenvalues of the symmetric a [n, n], rising, then the eigenvectors as
// columns. Reads the lower triangle of a and overwrites it.
void eigh(double* a, double* out, int64_t n, double* work);

// out [n + 1 + m, k], k = min(n, m): U, the singular values, falling, and V of a [n, m].
void svd(const double* a, double* out, int64_t n, int64_t m, double* work);

}  // namespace GRADUS_ISA
}  // namespace gradus
