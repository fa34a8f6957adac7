// Eigenvectors of large symmetric matrices, where Jacobi's rotations take too long.
#pragma once
#include <cstdint>

namespace gradus {
namespace GRADUS_ISA {

// From this size on jacobi.cpp leaves eigenvectors to `diagonalize`.
constexpr int64_t kLargeMatrix = 48;

// Writes the eigenvalues of the symmetric a [n, n], in any order, and the eigenvectors as the rows
// of v. Overwrites a; `work` holds 3·n numbers.
void diagonalize(double* a, double* v, double* values, int64_t n, double* work);

}  // namespace GRADUS_ISA
}  // namespace gradus
