// Decoding of dot, the convolutions and windows. The padded geometry is worked out in
// planConvolution.cpp.
#include "decode.h"

namespace gradus {

namespace {

// Walks all batch dims as rows of A and C where B is the same for every one: one large product
// instead of many.
void joinBatchIntoRows(DotPlan& plan) {
  while (plan.batchRank > 0) {
    const int d = plan.batchRank - 1;
    const bool joins = plan.bBatch[d] == 0 && plan.aBatch[d] == plan.m * plan.aRow &&
                       plan.cBatch[d] == plan.m * plan.cRow;
    if (plan.batchDims[d] != 1 && !joins) return;
    plan.m *= plan.batchDims[d];
    plan.batch = plan.batchDims[d] == 0 ? 0 : plan.batch / plan.batchDims[d];
    plan.batchRank--;
  }
}

}  // namespace

void Decoder::decodeDot(DotPlan& plan) {
  plan.batchRank = static_cast<int>(next(0, kMaxRank - 2, "too many batch dims"));
  const int rank = plan.batchRank;
  nextList(rank, 0, INT32_MAX, plan.batchDims, "a dim is negative");
  plan.m = next(0, INT32_MAX, "a size is negative");
  plan.n = next(0, INT32_MAX, "a size is negative");
  plan.k = next(0, INT32_MAX, "a size is negative");
  plan.batch = 1;
  for (int i = 0; i < rank; i++) {
    plan.batch *= plan.batchDims[i];
    if (plan.batch > kMaxElements) fail("too many batches");
    if (failed()) return;
  }
  const auto matrix = [&](Operand& at, int64_t* batch, int64_t& row, int64_t& column, int64_t rows,
                          int64_t columns) {
    at = nextOperand();
    nextList(rank, INT32_MIN, INT32_MAX, batch, "stride");
    row = next();
    column = next();
    if (failed()) return;
    int64_t dims[kMaxRank], strides[kMaxRank];
    for (int i = 0; i < rank; i++) dims[i] = plan.batchDims[i], strides[i] = batch[i];
    dims[rank] = rows;
    dims[rank + 1] = columns;
    strides[rank] = row;
    strides[rank + 1] = column;
    checkReach(at, rank + 2, dims, strides);
  };
  matrix(plan.a, plan.aBatch, plan.aRow, plan.aColumn, plan.m, plan.k);
  matrix(plan.b, plan.bBatch, plan.bRow, plan.bColumn, plan.k, plan.n);
  matrix(plan.c, plan.cBatch, plan.cRow, plan.cColumn, plan.m, plan.n);
  if (failed()) return;
  markWritten(plan.c);
  plan.dtype = dtypeOf(plan.c);
  if (!isFloat(plan.c) || dtypeOf(plan.a) != plan.dtype || dtypeOf(plan.b) != plan.dtype)
    fail("the operands of a dot are not of one float dtype");
  else
    joinBatchIntoRows(plan);
}

void Decoder::decodeWindowSizes(Window& window, int rank, int64_t planes, bool channels) {
  constexpr int64_t kMost = int64_t{1} << 24;
  for (int i = 0; i < kMaxSpatial; i++) {
    window.in[i] = window.k[i] = window.out[i] = window.stride[i] = window.dilation[i] = 1;
    window.pad[i] = 0;
  }
  const int lead = kMaxSpatial - rank;
  nextList(rank, 0, kMost, window.in + lead, "an input size is out of range");
  nextList(rank, 1, kMost, window.k + lead, "a kernel size is out of range");
  nextList(rank, 0, kMost, window.out + lead, "an output size is out of range");
  nextList(rank, 1, kMost, window.stride + lead, "a stride is out of range");
  nextList(rank, -kMost, kMost, window.pad + lead, "a padding is out of range");
  nextList(rank, 1, kMost, window.dilation + lead, "a dilation is out of range");
  if (failed()) return;
  const int64_t limit = kMaxElements / (channels ? 1 : 1 + planes);
  for (const int64_t* sizes : {window.in, window.k, window.out}) {
    int64_t size = 1;
    for (int i = 0; i < kMaxSpatial; i++) {
      size *= sizes[i];
      if (size > limit || size > INT32_MAX) {
        fail("a window is too large");
        return;
      }
    }
  }
}

void Decoder::decodeConvolution(ConvolutionPlan& plan, Kernel kernel) {
  constexpr int64_t kMost = int64_t{1} << 24;
  const int rank = static_cast<int>(next(1, kMaxSpatial, "the spatial rank is not 1 to 3"));
  plan.n = next(0, INT32_MAX, "a size is negative");
  plan.c = next(0, kMost, "a channel count is out of range");
  plan.o = next(0, kMost, "a channel count is out of range");
  plan.groups = next(1, kMost, "the count of groups is out of range");
  decodeWindowSizes(plan.window, rank, 0, true);
  plan.x = nextOperand();
  plan.w = nextOperand();
  plan.y = nextOperand();
  if (failed()) return;
  const bool isForward = kernel == Kernel::kConvolution;
  markWritten(isForward ? plan.y : kernel == Kernel::kConvolutionInputGrad ? plan.x : plan.w);
  if (plan.c % plan.groups != 0 || plan.o % plan.groups != 0) {
    fail("the channels do not divide into groups");
    return;
  }
  // Each factor is under 2^31, so that these products of at most two large ones do not overflow
  // before the check.
  const auto check = [&](const Operand& at, int64_t outer, int64_t channels, int64_t size) {
    if (outer * channels > kMaxElements || (size > 0 && outer * channels > kMaxElements / size))
      fail("an operand is too large");
    else
      checkContiguous(at, outer * channels * size);
  };
  check(plan.x, plan.n, plan.c, plan.window.inSize());
  check(plan.w, plan.o, plan.c / plan.groups, plan.window.kernelSize());
  check(plan.y, plan.n, plan.o, plan.window.outSize());
  plan.dtype = dtypeOf(plan.x);
  if (!isFloat(plan.x) || dtypeOf(plan.w) != plan.dtype || dtypeOf(plan.y) != plan.dtype)
    fail("the operands of a convolution are not of one float dtype");
  if (!failed() && !planConvolution(plan, kernel)) fail("the window of a convolution is too large");
}

void Decoder::decodeWindow(WindowPlan& plan, Kernel kernel) {
  const int rank = static_cast<int>(next(1, kMaxSpatial, "the spatial rank is not 1 to 3"));
  plan.planes = next(0, INT32_MAX, "a size is negative");
  decodeWindowSizes(plan.window, rank, plan.planes, false);
  plan.x = nextOperand();
  plan.out = nextOperand();
  if (failed()) return;
  markWritten(plan.out);
  plan.dtype = dtypeOf(plan.x);
  const bool isGrad = kernel == Kernel::kWindowSumGrad;
  const int64_t wide = plan.planes * plan.window.inSize();
  const int64_t narrow = plan.planes * plan.window.outSize();
  checkContiguous(plan.x, isGrad ? narrow : wide);
  checkContiguous(plan.out, isGrad ? wide : narrow);
  if (kernel == Kernel::kWindowArgMax) {
    if (dtypeOf(plan.out) != DType::kInt32) fail("the result of windowArgMax is not int32");
  } else {
    if (dtypeOf(plan.out) != plan.dtype) fail("the result is of another dtype");
    if (plan.dtype == DType::kBool) fail("sums of windows do not take bool");
  }
}

}  // namespace gradus
