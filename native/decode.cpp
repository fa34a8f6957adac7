// Decoding: header, buffer table and the walk over instructions. Read decodeFused.cpp next.
#include "decode.h"

namespace gradus {

bool Decoder::fail(const char* what) {
  if (error.empty())
    error = "instruction " + std::to_string(instruction_) + ", word " + std::to_string(at_) +
            ": " + what;
  return false;
}

int32_t Decoder::next() {
  if (at_ >= limit_) {
    fail("the words end too early");
    return 0;
  }
  return words_[at_++];
}

int64_t Decoder::next(int64_t low, int64_t high, const char* what) {
  const int64_t value = next();
  if (value >= low && value <= high) return value;
  fail(what);
  return low;
}

void Decoder::nextList(int count, int64_t low, int64_t high, int64_t* out, const char* what) {
  for (int i = 0; i < count; i++) out[i] = next(low, high, what);
}

Operand Decoder::nextOperand() {
  Operand operand;
  operand.buffer = static_cast<int32_t>(
      next(0, static_cast<int64_t>(program.buffers.size()) - 1, "no such buffer"));
  operand.offset = next(0, INT32_MAX, "the offset is negative");
  return operand;
}

bool Decoder::isFloat(const Operand& operand) const {
  return dtypeOf(operand) == DType::kFloat32 || dtypeOf(operand) == DType::kFloat64;
}

void Decoder::checkReach(const Operand& operand, int rank, const int64_t* dims,
                         const int64_t* strides) {
  int64_t low = operand.offset, high = operand.offset;
  for (int i = 0; i < rank; i++)
    if (dims[i] == 0) return;
  for (int i = 0; i < rank; i++) {
    const int64_t reach = (dims[i] - 1) * strides[i];
    if (reach > kMaxElements || reach < -kMaxElements) {
      fail("an operand reaches outside its buffer");
      return;
    }
    (reach < 0 ? low : high) += reach;
  }
  if (low < 0 || high >= program.buffers[operand.buffer].elements)
    fail("an operand reaches outside its buffer");
}

void Decoder::checkContiguous(const Operand& operand, int64_t elements) {
  if (operand.offset + elements > program.buffers[operand.buffer].elements)
    fail("an operand reaches outside its buffer");
}

Walk joinDims(int rank, const int64_t* dims, const int64_t* strides) {
  Walk walk;
  for (int i = 0; i < rank; i++) {
    if (dims[i] == 1) continue;
    const int last = walk.rank - 1;
    if (last >= 0 && walk.strides[last] == strides[i] * dims[i]) {
      walk.dims[last] *= dims[i];
      walk.strides[last] = strides[i];
    } else {
      walk.dims[walk.rank] = dims[i];
      walk.strides[walk.rank++] = strides[i];
    }
  }
  if (walk.rank == 0) {
    walk.rank = 1;
    walk.dims[0] = 1;
    walk.strides[0] = 1;
  }
  return walk;
}

bool Decoder::decodeBuffers(int64_t count, int64_t externals) {
  if (count * 4 > end_ - at_ || externals > count) return fail("the buffer table is cut off");
  program.externals.assign(static_cast<size_t>(externals), -1);
  for (int64_t i = 0; i < count; i++) {
    Buffer buffer;
    buffer.external = next(0, 1, "no such kind of buffer") == 1;
    buffer.place = next(0, INT32_MAX, "the place of a buffer is negative");
    buffer.elements = next(0, INT32_MAX, "the size of a buffer is negative");
    buffer.dtype = static_cast<DType>(next(0, kDTypes - 1, "no such dtype"));
    if (buffer.external) {
      if (buffer.place >= externals) return fail("no such external slot");
      int32_t& slot = program.externals[static_cast<size_t>(buffer.place)];
      if (slot >= 0) return fail("two buffers have one external slot");
      slot = static_cast<int32_t>(i);
    } else {
      buffer.place *= static_cast<int64_t>(kAlignment);
      if (buffer.place + buffer.elements * bytesOf(buffer.dtype) > program.arenaBytes)
        return fail("a buffer reaches outside the arena");
    }
    if (failed()) return false;
    program.buffers.push_back(buffer);
  }
  for (int32_t slot : program.externals)
    if (slot < 0) return fail("an external slot has no buffer");
  return true;
}

bool Decoder::decodeKernel(Instruction& instruction) {
  switch (instruction.kernel) {
    case Kernel::kFused:
      decodeFused(*(instruction.fused = std::make_unique<FusedPlan>()));
      break;
    case Kernel::kDot:
      decodeDot(*(instruction.dot = std::make_unique<DotPlan>()));
      break;
    case Kernel::kConvolution:
    case Kernel::kConvolutionInputGrad:
    case Kernel::kConvolutionWeightGrad:
      instruction.convolution = std::make_unique<ConvolutionPlan>();
      decodeConvolution(*instruction.convolution, instruction.kernel);
      break;
    case Kernel::kWindowArgMax:
    case Kernel::kWindowSum:
    case Kernel::kWindowSumGrad:
      instruction.window = std::make_unique<WindowPlan>();
      decodeWindow(*instruction.window, instruction.kernel);
      break;
    case Kernel::kGather:
    case Kernel::kScatterAdd:
    case Kernel::kIndexSelect:
    case Kernel::kIndexAdd:
    case Kernel::kScatter:
      decodeIndex(*(instruction.index = std::make_unique<IndexPlan>()), instruction.kernel);
      break;
    case Kernel::kArgReduce:
      decodeArg(*(instruction.arg = std::make_unique<ArgPlan>()));
      break;
    case Kernel::kRandomBits:
      decodeRandom(*(instruction.random = std::make_unique<RandomPlan>()));
      break;
    case Kernel::kScan:
      decodeScan(*(instruction.scan = std::make_unique<ScanPlan>()));
      break;
    case Kernel::kArgSort:
      decodeSort(*(instruction.sort = std::make_unique<SortPlan>()));
      break;
    case Kernel::kFactor:
      decodeFactor(*(instruction.factor = std::make_unique<FactorPlan>()));
      break;
    case Kernel::kSolve:
      decodeSolve(*(instruction.solve = std::make_unique<SolvePlan>()));
      break;
    case Kernel::kAttention:
    case Kernel::kAttentionGrad:
      instruction.attention = std::make_unique<AttentionPlan>();
      decodeAttention(*instruction.attention, instruction.kernel);
      break;
  }
  return !failed();
}

namespace {

// Whether the work of an instruction, in about nanoseconds of one thread, is worth a second one.
bool isLarge(const Instruction& instruction) {
  constexpr double kWorth = 16384;
  double work = 0;
  if (const auto& p = instruction.fused)
    work = static_cast<double>(p->total) * static_cast<double>(1 + p->steps.size()) / 2;
  if (const auto& p = instruction.dot)
    work = static_cast<double>(p->batch) * static_cast<double>(p->m * p->n) *
           static_cast<double>(p->k) / 16;
  if (const auto& p = instruction.convolution)
    work = static_cast<double>(p->n * p->o) * static_cast<double>(p->c / p->groups) *
           static_cast<double>(p->window.kernelSize() * p->window.outSize()) / 16;
  if (const auto& p = instruction.window)
    work = static_cast<double>(p->planes) *
           static_cast<double>(p->window.outSize() * p->window.kernelSize()) / 2;
  if (const auto& p = instruction.index)
    work = static_cast<double>(p->outer * p->inner) * static_cast<double>(p->size + p->count) / 2;
  if (const auto& p = instruction.arg)
    work = static_cast<double>(p->outer * p->inner) * static_cast<double>(p->size);
  if (const auto& p = instruction.random) work = static_cast<double>(p->count) / 2;
  if (const auto& p = instruction.scan)
    work = static_cast<double>(p->outer * p->inner) * static_cast<double>(p->size);
  if (const auto& p = instruction.sort)
    work = static_cast<double>(p->outer * p->inner) * static_cast<double>(p->size) * 8;
  if (const auto& p = instruction.factor)
    work = static_cast<double>(p->batch * p->n) * static_cast<double>(p->m) *
           static_cast<double>(1 + p->n + p->m);
  if (const auto& p = instruction.solve)
    work = static_cast<double>(p->batch * p->n) * static_cast<double>(p->n) *
           static_cast<double>(p->n + p->k);
  if (const auto& p = instruction.attention)
    work = static_cast<double>(p->batch * p->queries) * static_cast<double>(p->keys) *
           (4 + static_cast<double>(p->width + p->values) / 16);
  return work > kWorth;
}

}  // namespace

bool Decoder::decodeInstruction() {
  Instruction instruction;
  const int64_t start = at_;
  limit_ = end_;
  instruction.kernel = static_cast<Kernel>(
      next(0, kKernelCount - 1, "no such kernel"));
  const int64_t words = next(3, end_ - start, "the words of an instruction are cut off");
  instruction.origin = next();
  if (failed()) return false;
  limit_ = start + words;
  if (!decodeKernel(instruction)) return false;
  if (at_ != limit_) return fail("an instruction has words left over");
  program.isLarge |= isLarge(instruction);
  program.instructions.push_back(std::move(instruction));
  return true;
}

bool Decoder::decode() {
  limit_ = end_;
  if (end_ < kHeaderWords) return fail("the header is cut off");
  if (next() != kMagic) return fail("this is no program");
  if (next() != kVersion) return fail("the engine was built from other tables; run npm run build");
  if (next() != end_) return fail("the count of words differs from the header's");
  const int64_t buffers = next(0, INT32_MAX, "the count of buffers is negative");
  const int64_t externals = next(0, INT32_MAX, "the count of external slots is negative");
  const int64_t instructions = next(0, INT32_MAX, "the count of instructions is negative");
  program.arenaBytes =
      next(0, INT32_MAX, "the size of the arena is negative") * static_cast<int64_t>(kAlignment);
  if (next() != constantCount_) return fail("the count of constants differs from the header's");
  if (failed() || !decodeBuffers(buffers, externals)) return false;
  for (instruction_ = 0; instruction_ < instructions; instruction_++)
    if (!decodeInstruction()) return false;
  return at_ == end_ || fail("words are left over");
}

std::unique_ptr<Program> decodeProgram(const int32_t* words, int64_t wordCount,
                                       const double* constants, int64_t constantCount,
                                       std::string& error) {
  Decoder decoder(words, wordCount, constants, constantCount);
  if (!decoder.decode()) {
    error = decoder.error;
    return nullptr;
  }
  return std::make_unique<Program>(std::move(decoder.program));
}

}  // namespace gradus
