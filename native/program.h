// What a program is after decoding: plain structs that the kernels of every instruction set read.
// Words are checked once, in decode*.cpp, so that kernels may trust every field. Read run.h next.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "generated/opcodes.h"

namespace gradus {

constexpr int kMaxRank = 8;
constexpr int kMaxSpatial = 3;
constexpr int kDTypes = 5;
constexpr int kPrimitives = kPrimitiveCount;
constexpr size_t kAlignment = 64;

inline int bytesOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return 8;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    default:
      return 1;
  }
}

struct Buffer {
  bool external;
  int64_t place;  // byte offset in the arena, or the external slot
  int64_t elements;
  DType dtype;
  bool written = false;  // some instruction writes to it
};

struct Operand {
  int32_t buffer = -1;
  int64_t offset = 0;
};

// Elements of an operand in row-major order of its own joined dims.
struct Walk {
  int rank = 0;
  int64_t dims[kMaxRank];
  int64_t strides[kMaxRank];
};

enum class Access : uint8_t {
  kInPlace,  // the block is contiguous in memory and used there
  kSplat,    // one value for the whole kernel
  kGather,   // copied between memory and a block buffer
  kIndex,    // computed from the index, int32
};

struct FusedInput {
  Operand at;
  DType dtype;
  Access access;
  int32_t slot;  // block buffer, or -1 when used in place
  int64_t strides[kMaxRank];
  Walk walk;
};

struct FusedConstant {
  DType dtype;
  int32_t slot;
  double value;
};

// One pointwise operation on blocks. `function` numbers the table in kernels/pointwise.cpp.
struct FusedStep {
  int32_t function;
  int32_t result;
  int32_t operands[3];
};

struct FusedOutput {
  Operand at;
  DType dtype;
  int32_t reg;
  bool contiguous;
  bool direct;  // the producer writes to memory unless a hazard holds
  int64_t strides[kMaxRank];
  Walk walk;
  // Buffers used in place that are read after the producer has run: if one is this output's memory,
  // the block is computed aside and copied.
  std::vector<Operand> hazards;
};

struct FusedReduction {
  Operand at;
  DType dtype;
  Primitive primitive;
  int32_t reg;
  Walk walk;  // over the kept elements, in order
};

enum class FoldKind : uint8_t { kNone, kSegments, kColumns };

struct FusedPlan {
  int rank;
  // Kept outer dims, reduced dims, then kept inner dims if the innermost is kept.
  int64_t dims[kMaxRank];
  int64_t total;
  int64_t inner;  // the last dim
  bool rowMode;   // a block stays inside one row of the last dim
  int64_t block;  // elements of a block at most
  int64_t slotBytes;
  int32_t slots;
  int32_t registers;
  std::vector<int32_t> slotOf;      // slot of each register, -1: in place
  std::vector<uint8_t> widthOf;     // bytes of an element of each register
  std::vector<FusedInput> inputs;
  std::vector<FusedConstant> constants;
  std::vector<FusedStep> steps;
  std::vector<FusedOutput> outputs;
  std::vector<FusedReduction> reductions;
  FoldKind fold;
  int64_t keptOuter;  // segments (kSegments) or outer kept elements (kColumns)
  int64_t folded;     // elements folded into one
  int64_t keptInner;  // columns (kColumns), else 1
};

struct DotPlan {
  DType dtype;
  int batchRank;
  int64_t batchDims[kMaxRank];
  int64_t batch;
  int64_t m, n, k;
  Operand a, b, c;
  int64_t aBatch[kMaxRank], bBatch[kMaxRank], cBatch[kMaxRank];
  int64_t aRow, aColumn, bRow, bColumn, cRow, cColumn;
};

// Geometry of a window over three spatial dims; missing dims are 1 and lead.
struct Window {
  int64_t in[kMaxSpatial], k[kMaxSpatial], out[kMaxSpatial];
  int64_t stride[kMaxSpatial], pad[kMaxSpatial], dilation[kMaxSpatial];
  int64_t inSize() const { return in[0] * in[1] * in[2]; }
  int64_t kernelSize() const { return k[0] * k[1] * k[2]; }
  int64_t outSize() const { return out[0] * out[1] * out[2]; }
};

// One stride-1 correlation over padded planes: the value at position (t0, t1, t2) is the sum over
// channels and taps of weight · plane[tap offset + position].
struct ConvolutionPass {
  std::vector<int32_t> taps;     // offsets inside the padded source of one channel
  std::vector<int32_t> kernels;  // the flat kernel index of each tap
  // Taps of all channels of a group one after the other, unless they are many.
  std::vector<int32_t> flat;
  int64_t count[kMaxSpatial];    // positions along each dim
  int64_t start[kMaxSpatial];    // target index of position 0
  int64_t step[kMaxSpatial];     // target step of one position
};

struct ConvolutionPlan {
  DType dtype;
  int64_t n, c, o, groups;
  Window window;
  Operand x, w, y;
  // The padded source of one channel: a sub-plane of plane[0]·plane[1]·plane[2] elements for each
  // combination of phases. Row r of phase f is source row r·step + f − low.
  int64_t plane[kMaxSpatial];
  std::vector<int32_t> phases[kMaxSpatial];
  int64_t step[kMaxSpatial];
  int64_t low[kMaxSpatial];
  int64_t source[kMaxSpatial];  // sizes of the source before padding
  int64_t channelSize;          // elements of one padded channel, slack included
  std::vector<ConvolutionPass> passes;
};

struct WindowPlan {
  DType dtype;
  int64_t planes;
  Window window;
  Operand x, out;
};

struct IndexPlan {
  DType dtype;
  int64_t outer, size, inner, count;
  Operand x, index, out;  // x: the updates, for scatterAdd and indexAdd
  Operand updates;        // of scatter
};

struct ArgPlan {
  DType dtype;
  bool minimum;
  int64_t outer, size, inner;
  Operand x, out;
};

enum class ScanKind : uint8_t { kSum, kProduct, kArgMax, kArgMin };

struct ScanPlan {
  DType dtype;
  ScanKind kind;
  bool reverse;
  int64_t outer, size, inner;
  Operand x, out;
};

struct SortPlan {
  DType dtype;
  bool descending;
  int64_t outer, size, inner;
  Operand x, out;
};

enum class FactorKind : uint8_t { kCholesky, kDeterminant, kEigh, kQr, kSvd };

struct FactorPlan {
  DType dtype;
  FactorKind kind;
  int64_t batch, n, m;
  Operand x, out;
  int64_t outSize() const;  // elements of one result
};

struct SolvePlan {
  DType dtype;
  bool triangular, lower, unitDiagonal, transpose;
  int64_t batch, n, k;
  Operand a, b, out;
};

// An operand as rows: element (batch, i, j) is at offset + Σ index·batch + i·row + j·column.
struct RowsPlan {
  Operand at;
  int64_t batch[kMaxRank];
  int64_t row, column;
};

enum class MaskKind : uint8_t { kNone, kBool, kNumbers };

struct AttentionPlan {
  DType dtype;
  int batchRank;
  int64_t batchDims[kMaxRank];
  int64_t batch;
  int64_t queries, keys, width, values;
  bool causal, dropout;
  MaskKind mask;
  uint32_t threshold;  // of the top 24 bits of those kept
  double scale, keep;
  RowsPlan q, k, v, out, logSum, maskRows, g, dq, dk, dv;
  Operand state;
  int64_t stateStride;
};

struct RandomPlan {
  int64_t count;
  Operand state, out;
};

struct Instruction {
  Kernel kernel;
  int32_t origin;
  std::unique_ptr<FusedPlan> fused;
  std::unique_ptr<DotPlan> dot;
  std::unique_ptr<ConvolutionPlan> convolution;
  std::unique_ptr<WindowPlan> window;
  std::unique_ptr<IndexPlan> index;
  std::unique_ptr<ArgPlan> arg;
  std::unique_ptr<RandomPlan> random;
  std::unique_ptr<ScanPlan> scan;
  std::unique_ptr<SortPlan> sort;
  std::unique_ptr<FactorPlan> factor;
  std::unique_ptr<SolvePlan> solve;
  std::unique_ptr<AttentionPlan> attention;
};

struct Program {
  int64_t arenaBytes = 0;
  bool isLarge = false;  // some kernel has work for more than one thread
  std::vector<Buffer> buffers;
  std::vector<int32_t> externals;  // the buffer that checks each external slot
  std::vector<Instruction> instructions;
  // Nanoseconds that each instruction has taken so far, while profiling is on.
  mutable std::vector<double> times;
};

// Checks and decodes; on failure gives null and says why in `error`.
std::unique_ptr<Program> decodeProgram(const int32_t* words, int64_t wordCount,
                                       const double* constants, int64_t constantCount,
                                       std::string& error);

}  // namespace gradus
