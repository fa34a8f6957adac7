// Decoding of factorizations and solvers.
#include "decode.h"

namespace gradus {

int64_t FactorPlan::outSize() const {
  const int64_t k = n < m ? n : m;
  switch (kind) {
    case FactorKind::kCholesky:
      return product(n, n, 1);
    case FactorKind::kDeterminant:
      return 1;
    case FactorKind::kEigh:
      return product(n + 1, n, 1);
    case FactorKind::kQr:
      return product(n + m, k, 1);
    default:
      return product(n + 1 + m, k, 1);
  }
}

void Decoder::decodeFactor(FactorPlan& plan) {
  plan.kind = static_cast<FactorKind>(
      next(0, static_cast<int64_t>(FactorKind::kSvd), "no such factorization"));
  plan.batch = next(0, INT32_MAX, "a size is negative");
  plan.n = next(0, INT32_MAX, "a size is negative");
  plan.m = next(0, INT32_MAX, "a size is negative");
  plan.x = nextOperand();
  plan.out = nextOperand();
  if (failed()) return;
  markWritten(plan.out);
  const bool isAny = plan.kind == FactorKind::kQr || plan.kind == FactorKind::kSvd;
  if (!isAny && plan.n != plan.m) fail("the matrices are not square");
  checkContiguous(plan.x, product(plan.batch, plan.n, plan.m));
  checkContiguous(plan.out, product(plan.batch, plan.outSize(), 1));
  plan.dtype = dtypeOf(plan.x);
  if (!isFloat(plan.x) || dtypeOf(plan.out) != plan.dtype)
    fail("the operands of a factorization are not of one float dtype");
}

void Decoder::decodeSolve(SolvePlan& plan) {
  plan.triangular = next(0, 1, "no such solver") == 1;
  plan.lower = next(0, 1, "a flag is neither 0 nor 1") == 1;
  plan.unitDiagonal = next(0, 1, "a flag is neither 0 nor 1") == 1;
  plan.transpose = next(0, 1, "a flag is neither 0 nor 1") == 1;
  plan.batch = next(0, INT32_MAX, "a size is negative");
  plan.n = next(0, INT32_MAX, "a size is negative");
  plan.k = next(0, INT32_MAX, "a size is negative");
  plan.a = nextOperand();
  plan.b = nextOperand();
  plan.out = nextOperand();
  if (failed()) return;
  markWritten(plan.out);
  checkContiguous(plan.a, product(plan.batch, plan.n, plan.n));
  checkContiguous(plan.b, product(plan.batch, plan.n, plan.k));
  checkContiguous(plan.out, product(plan.batch, plan.n, plan.k));
  plan.dtype = dtypeOf(plan.a);
  if (!isFloat(plan.a) || dtypeOf(plan.b) != plan.dtype || dtypeOf(plan.out) != plan.dtype)
    fail("the operands of a solver are not of one float dtype");
}

}  // namespace gradus
