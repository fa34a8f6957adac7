// Decoding of primitives that read or write where indices say, of argReduce and of randomBits.
#include "decode.h"

namespace gradus {

void Decoder::decodeIndex(IndexPlan& plan, Kernel kernel) {
  plan.outer = next(0, INT32_MAX, "a size is negative");
  plan.size = next(0, INT32_MAX, "a size is negative");
  plan.inner = next(0, INT32_MAX, "a size is negative");
  plan.count = next(0, INT32_MAX, "a size is negative");
  plan.x = nextOperand();
  plan.index = nextOperand();
  const bool isScatter = kernel == Kernel::kScatter;
  if (isScatter) plan.updates = nextOperand();
  plan.out = nextOperand();
  if (failed()) return;
  markWritten(plan.out);
  const bool isSelected = kernel == Kernel::kIndexSelect || kernel == Kernel::kIndexAdd;
  const bool readsIndexed =
      kernel == Kernel::kGather || kernel == Kernel::kIndexSelect || isScatter;
  const bool writesIndexed = kernel != Kernel::kGather && kernel != Kernel::kIndexSelect;
  const int64_t indexed = product(plan.outer, plan.size, plan.inner);
  const int64_t listed = product(plan.outer, plan.count, plan.inner);
  checkContiguous(plan.x, readsIndexed ? indexed : listed);
  checkContiguous(plan.index, isSelected ? plan.count : listed);
  if (isScatter) checkContiguous(plan.updates, listed);
  checkContiguous(plan.out, writesIndexed ? indexed : listed);
  plan.dtype = dtypeOf(plan.x);
  if (dtypeOf(plan.index) != DType::kInt32) fail("the indices are not int32");
  if (dtypeOf(plan.out) != plan.dtype) fail("the result is of another dtype");
  if (isScatter && dtypeOf(plan.updates) != plan.dtype) fail("the updates are of another dtype");
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
