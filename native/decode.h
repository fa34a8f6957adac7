// Reading hostile words: a cursor that never passes its end and remembers the first complaint. The
// decoders of single kernels are in decodeFused.cpp, decodeContract.cpp, decodeIndex.cpp,
// decodeLine.cpp, decodeMatrix.cpp and decodeAttention.cpp.
#pragma once
#include "program.h"

namespace gradus {

constexpr int64_t kMaxElements = int64_t{1} << 40;

class Decoder {
 public:
  Decoder(const int32_t* words, int64_t count, const double* constants, int64_t constantCount)
      : words_(words), end_(count), constants_(constants), constantCount_(constantCount) {}

  Program program;
  std::string error;

  bool decode();

 private:
  const int32_t* words_;
  int64_t end_;
  const double* constants_;
  int64_t constantCount_;
  int64_t at_ = 0;
  int64_t limit_ = 0;  // end of the instruction
  int64_t instruction_ = 0;

  bool fail(const char* what);
  bool failed() const { return !error.empty(); }
  int32_t next();
  // The next word, which must lie in [low, high].
  int64_t next(int64_t low, int64_t high, const char* what);
  void nextList(int count, int64_t low, int64_t high, int64_t* out, const char* what);
  Operand nextOperand();
  void markWritten(const Operand& operand) {
    program.buffers[static_cast<size_t>(operand.buffer)].written = true;
  }
  DType dtypeOf(const Operand& operand) const { return program.buffers[operand.buffer].dtype; }
  bool isFloat(const Operand& operand) const;

  bool decodeBuffers(int64_t count, int64_t externals);
  bool decodeInstruction();
  bool decodeKernel(Instruction& instruction);

  // Checks that every element offset + Σ index·stride lies in the buffer.
  void checkReach(const Operand& operand, int rank, const int64_t* dims, const int64_t* strides);
  // The same for `elements` contiguous ones.
  void checkContiguous(const Operand& operand, int64_t elements);

  void decodeFused(FusedPlan& plan);
  void decodeFusedOperands(FusedPlan& plan, std::vector<DType>& types);
  void decodeFusedSteps(FusedPlan& plan, std::vector<DType>& types);
  void decodeFusedOutputs(FusedPlan& plan, const std::vector<DType>& types,
                          std::vector<int64_t>& reductionStrides);
  void decodeDot(DotPlan& plan);
  void decodeConvolution(ConvolutionPlan& plan, Kernel kernel);
  void decodeWindowSizes(Window& window, int rank, int64_t planes, bool channels);
  void decodeWindow(WindowPlan& plan, Kernel kernel);
  void decodeIndex(IndexPlan& plan, Kernel kernel);
  void decodeArg(ArgPlan& plan);
  void decodeRandom(RandomPlan& plan);
  template <typename Plan>
  void decodeLine(Plan& plan);
  void decodeScan(ScanPlan& plan);
  void decodeSort(SortPlan& plan);
  void decodeFactor(FactorPlan& plan);
  void decodeSolve(SolvePlan& plan);
  void decodeRows(RowsPlan& rows, const AttentionPlan& plan, int64_t count, int64_t width);
  void decodeAttentionExtras(AttentionPlan& plan);
  void decodeAttention(AttentionPlan& plan, Kernel kernel);
};

// a·b·c, or more than any buffer holds where it would overflow; each is under 2³².
inline int64_t product(int64_t a, int64_t b, int64_t c) {
  if (a == 0 || b == 0 || c == 0) return 0;
  if (a > kMaxElements / b) return kMaxElements;
  const int64_t ab = a * b;
  return c > kMaxElements / ab ? kMaxElements : ab * c;
}

// Lays out the dims, slots and accesses of a decoded fused kernel; `reductionStrides` holds
// kMaxRank entries a reduction.
void planFused(FusedPlan& plan, const bool* reduced, const std::vector<int64_t>& reductionStrides);

// Fills the padded geometry and the passes.
bool planConvolution(ConvolutionPlan& plan, Kernel kernel);

// Joins neighbouring dims that the strides walk as one and drops dims of size 1.
Walk joinDims(int rank, const int64_t* dims, const int64_t* strides);

}  // namespace gradus
