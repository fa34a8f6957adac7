// Decoding of scan and argSort.
#include "decode.h"

namespace gradus {

template <typename Plan>
void Decoder::decodeLine(Plan& plan) {
  plan.outer = next(0, INT32_MAX, "a size is negative");
  plan.size = next(0, INT32_MAX, "a size is negative");
  plan.inner = next(0, INT32_MAX, "a size is negative");
  plan.x = nextOperand();
  plan.out = nextOperand();
  if (failed()) return;
  markWritten(plan.out);
  const int64_t elements = product(plan.outer, plan.size, plan.inner);
  checkContiguous(plan.x, elements);
  checkContiguous(plan.out, elements);
  plan.dtype = dtypeOf(plan.x);
}

void Decoder::decodeScan(ScanPlan& plan) {
  plan.kind = static_cast<ScanKind>(
      next(0, static_cast<int64_t>(ScanKind::kArgMin), "no such kind of scan"));
  plan.reverse = next(0, 1, "a flag is neither 0 nor 1") == 1;
  decodeLine(plan);
  if (failed()) return;
  const bool isSum = plan.kind == ScanKind::kSum || plan.kind == ScanKind::kProduct;
  if (isSum && plan.dtype == DType::kBool) fail("running sums do not take bool");
  if (!isSum && plan.reverse) fail("running extremes have no reverse");
  if (dtypeOf(plan.out) != (isSum ? plan.dtype : DType::kInt32))
    fail("the result of a scan is of another dtype");
}

void Decoder::decodeSort(SortPlan& plan) {
  plan.descending = next(0, 1, "a flag is neither 0 nor 1") == 1;
  decodeLine(plan);
  if (!failed() && dtypeOf(plan.out) != DType::kInt32) fail("the result of argSort is not int32");
}

}  // namespace gradus
