// Decoding of attention and its gradient.
#include "decode.h"

namespace gradus {

void Decoder::decodeRows(RowsPlan& rows, const AttentionPlan& plan, int64_t count, int64_t width) {
  const int rank = plan.batchRank;
  rows.at = nextOperand();
  nextList(rank, INT32_MIN, INT32_MAX, rows.batch, "stride");
  rows.row = next();
  rows.column = next();
  if (failed()) return;
  int64_t dims[kMaxRank], strides[kMaxRank];
  for (int i = 0; i < rank; i++) dims[i] = plan.batchDims[i], strides[i] = rows.batch[i];
  dims[rank] = count;
  dims[rank + 1] = width;
  strides[rank] = rows.row;
  strides[rank + 1] = rows.column;
  checkReach(rows.at, rank + 2, dims, strides);
}

// The mask and the generator's state.
void Decoder::decodeAttentionExtras(AttentionPlan& plan) {
  if (plan.mask != MaskKind::kNone) {
    decodeRows(plan.maskRows, plan, plan.queries, plan.keys);
    if (failed()) return;
    const DType wanted = plan.mask == MaskKind::kBool ? DType::kBool : plan.dtype;
    if (dtypeOf(plan.maskRows.at) != wanted) fail("the mask is of another dtype than it says");
  }
  if (!plan.dropout || failed()) return;
  const int64_t words = 4;
  plan.state = nextOperand();
  plan.stateStride = next();
  if (failed()) return;
  checkReach(plan.state, 1, &words, &plan.stateStride);
  if (dtypeOf(plan.state) != DType::kInt32) fail("the generator's state is not int32");
}

void Decoder::decodeAttention(AttentionPlan& plan, Kernel kernel) {
  const bool isGrad = kernel == Kernel::kAttentionGrad;
  plan.batchRank = static_cast<int>(next(0, kMaxRank - 2, "too many batch dims"));
  nextList(plan.batchRank, 0, INT32_MAX, plan.batchDims, "a dim is negative");
  plan.queries = next(0, INT32_MAX, "a size is negative");
  plan.keys = next(0, INT32_MAX, "a size is negative");
  plan.width = next(0, INT32_MAX, "a size is negative");
  plan.values = next(0, INT32_MAX, "a size is negative");
  plan.causal = next(0, 1, "a flag is neither 0 nor 1") == 1;
  plan.mask = static_cast<MaskKind>(next(0, 2, "no such kind of mask"));
  plan.dropout = next(0, 1, "a flag is neither 0 nor 1") == 1;
  plan.threshold = static_cast<uint32_t>(next(0, 1 << 24, "the threshold is out of range"));
  const int64_t scale = next(0, constantCount_ - 1, "no such constant");
  const int64_t keep = next(0, constantCount_ - 1, "no such constant");
  if (failed()) return;
  plan.scale = constants_[scale];
  plan.keep = constants_[keep];
  plan.batch = 1;
  for (int i = 0; i < plan.batchRank; i++) {
    plan.batch *= plan.batchDims[i];
    if (plan.batch > kMaxElements) fail("too many batches");
    if (failed()) return;
  }
  decodeRows(plan.q, plan, plan.queries, plan.width);
  decodeRows(plan.k, plan, plan.keys, plan.width);
  decodeRows(plan.v, plan, plan.keys, plan.values);
  decodeRows(plan.out, plan, plan.queries, plan.values);
  decodeRows(plan.logSum, plan, plan.queries, 1);
  if (failed()) return;
  plan.dtype = dtypeOf(plan.q.at);
  decodeAttentionExtras(plan);
  if (isGrad && !failed()) {
    decodeRows(plan.g, plan, plan.queries, plan.values);
    decodeRows(plan.dq, plan, plan.queries, plan.width);
    decodeRows(plan.dk, plan, plan.keys, plan.width);
    decodeRows(plan.dv, plan, plan.keys, plan.values);
  }
  if (failed()) return;
  bool isOne = isFloat(plan.q.at);
  for (const RowsPlan* rows : {&plan.k, &plan.v, &plan.out, &plan.logSum})
    isOne &= dtypeOf(rows->at) == plan.dtype;
  if (isGrad)
    for (const RowsPlan* rows : {&plan.g, &plan.dq, &plan.dk, &plan.dv})
      isOne &= dtypeOf(rows->at) == plan.dtype;
  if (!isOne) fail("the operands of an attention are not of one float dtype");
  if (failed()) return;
  for (const RowsPlan* rows : {&plan.dq, &plan.dk, &plan.dv})
    if (isGrad) markWritten(rows->at);
  if (!isGrad) markWritten(plan.out.at);
  if (!isGrad) markWritten(plan.logSum.at);
}

}  // namespace gradus
