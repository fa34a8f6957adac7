// Decoding of gather, scatterAdd, argReduce and randomBits.
#include "decode.h"

namespace gradus {

namespace {

// a·b·c, or more than any buffer holds where it would overflow.
int64_t product(int64_t a, int64_t b, int64_t c) {
  if (a == 0 || b == 0 || c == 0) return 0;
  const int64_t ab = a * b;
  return ab > kMaxElements || c > kMaxElements / ab ? kMaxElements : ab * c;
}

}  // namespace

void Decoder::decodeIndex(IndexPlan& plan, Kernel kernel) {
  plan.outer = next(0, INT32_MAX, "a size is negative");
  plan.size = next(0, INT32_MAX, "a size is negative");
  plan.inner = next(0, INT32_MAX, "a size is negative");
  plan.count = next(0, INT32_MAX, "a size is negative");
  plan.x = nextOperand();
  plan.index = nextOperand();
  plan.out = nextOperand();
  if (failed()) return;
  markWritten(plan.out);
  const bool isGather = kernel == Kernel::kGather;
  const int64_t indexed = product(plan.outer, plan.size, plan.inner);
  const int64_t listed = product(plan.outer, plan.count, plan.inner);
  checkContiguous(plan.x, isGather ? indexed : listed);
  checkContiguous(plan.index, listed);
  checkContiguous(plan.out, isGather ? listed : indexed);
  plan.dtype = dtypeOf(plan.x);
  if (dtypeOf(plan.index) != DType::kInt32) fail("the indices are not int32");
  if (dtypeOf(plan.out) != plan.dtype) fail("the result is of another dtype");
}

void Decoder::decodeArg(ArgPlan& plan) {
  plan.minimum = next(0, 1, "the kind is neither 0 nor 1") == 1;
  plan.outer = next(0, INT32_MAX, "a size is negative");
  plan.size = next(1, INT32_MAX, "there is nothing to choose from");
  plan.inner = next(0, INT32_MAX, "a size is negative");
  plan.x = nextOperand();
  plan.out = nextOperand();
  if (failed()) return;
  markWritten(plan.out);
  checkContiguous(plan.x, product(plan.outer, plan.size, plan.inner));
  checkContiguous(plan.out, product(plan.outer, 1, plan.inner));
  plan.dtype = dtypeOf(plan.x);
  if (dtypeOf(plan.out) != DType::kInt32) fail("the result of argReduce is not int32");
}

void Decoder::decodeRandom(RandomPlan& plan) {
  plan.count = next(0, INT32_MAX, "a size is negative");
  plan.state = nextOperand();
  plan.out = nextOperand();
  if (failed()) return;
  markWritten(plan.out);
  checkContiguous(plan.state, 4);
  checkContiguous(plan.out, plan.count);
  if (dtypeOf(plan.state) != DType::kInt32 || dtypeOf(plan.out) != DType::kInt32)
    fail("the state and the bits of randomBits must be int32");
}

}  // namespace gradus
