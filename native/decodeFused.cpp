// Decoding of fused kernels: the words and their checks. How the loop is laid out is decided in
// planFused.cpp.
#include "decode.h"

namespace gradus {

namespace {

enum class Domain { kFloat, kNumber, kInteger, kBits, kAny };

// The operands that a pointwise primitive takes; arity 0: not a pointwise primitive of a program.
struct Signature {
  int arity;
  Domain domain;
  bool toBool;
};

Signature signatureOf(Primitive primitive) {
  switch (primitive) {
    case Primitive::kNegate:
    case Primitive::kAbs:
    case Primitive::kSign:
      return {1, Domain::kNumber, false};
    case Primitive::kFloor:
    case Primitive::kExponential:
    case Primitive::kLog:
    case Primitive::kSqrt:
    case Primitive::kRsqrt:
    case Primitive::kTanh:
    case Primitive::kLogistic:
    case Primitive::kExponentialMinusOne:
    case Primitive::kLogPlusOne:
    case Primitive::kLog2:
    case Primitive::kLog10:
    case Primitive::kSine:
    case Primitive::kCosine:
    case Primitive::kTan:
    case Primitive::kAsin:
    case Primitive::kAcos:
    case Primitive::kAtan:
    case Primitive::kSinh:
    case Primitive::kCosh:
    case Primitive::kAsinh:
    case Primitive::kAcosh:
    case Primitive::kAtanh:
    case Primitive::kErf:
    case Primitive::kErfc:
    case Primitive::kCeil:
    case Primitive::kRoundNearestEven:
    case Primitive::kTruncate:
      return {1, Domain::kFloat, false};
    case Primitive::kIsFinite:
      return {1, Domain::kFloat, true};
    case Primitive::kAdd:
    case Primitive::kSubtract:
    case Primitive::kMultiply:
    case Primitive::kDivide:
    case Primitive::kRemainder:
      return {2, Domain::kNumber, false};
    case Primitive::kPower:
    case Primitive::kAtan2:
      return {2, Domain::kFloat, false};
    case Primitive::kMaximum:
    case Primitive::kMinimum:
      return {2, Domain::kAny, false};
    case Primitive::kEqual:
    case Primitive::kNotEqual:
    case Primitive::kLess:
    case Primitive::kLessEqual:
    case Primitive::kGreater:
    case Primitive::kGreaterEqual:
      return {2, Domain::kAny, true};
    case Primitive::kAnd:
    case Primitive::kOr:
    case Primitive::kXor:
      return {2, Domain::kBits, false};
    case Primitive::kNot:
      return {1, Domain::kBits, true};
    case Primitive::kShiftLeft:
    case Primitive::kShiftRightLogical:
      return {2, Domain::kInteger, false};
    case Primitive::kSelect:
      return {3, Domain::kAny, false};
    case Primitive::kConvert:
      return {1, Domain::kAny, false};
    default:
      return {0, Domain::kAny, false};
  }
}

bool contains(Domain domain, DType dtype) {
  const bool isFloat = dtype == DType::kFloat32 || dtype == DType::kFloat64;
  switch (domain) {
    case Domain::kFloat:
      return isFloat;
    case Domain::kNumber:
      return dtype != DType::kBool;
    case Domain::kInteger:
      return dtype == DType::kInt32 || dtype == DType::kUint8;
    case Domain::kBits:
      return !isFloat;
    default:
      return true;
  }
}

int32_t functionOf(Primitive primitive, DType operand, DType result) {
  const int from = static_cast<int>(operand), to = static_cast<int>(result);
  if (primitive == Primitive::kConvert) return (kPrimitives + from) * kDTypes + to;
  if (primitive == Primitive::kSelect) return static_cast<int>(primitive) * kDTypes + to;
  return static_cast<int>(primitive) * kDTypes + from;
}

}  // namespace

void Decoder::decodeFusedOperands(FusedPlan& plan, std::vector<DType>& types) {
  const int64_t inputs = next(0, limit_ - at_, "the count of inputs does not fit");
  for (int64_t i = 0; i < inputs && !failed(); i++) {
    FusedInput input = {};
    input.at.buffer = static_cast<int32_t>(
        next(-1, static_cast<int64_t>(program.buffers.size()) - 1, "no such buffer"));
    input.at.offset = next();
    nextList(plan.rank, INT32_MIN, INT32_MAX, input.strides, "stride");
    if (failed()) return;
    if (input.at.buffer < 0) {
      input.dtype = DType::kInt32;
    } else {
      input.dtype = dtypeOf(input.at);
      checkReach(input.at, plan.rank, plan.dims, input.strides);
    }
    types.push_back(input.dtype);
    plan.inputs.push_back(input);
  }
  const int64_t constants = next(0, limit_ - at_, "the count of constants does not fit");
  for (int64_t i = 0; i < constants && !failed(); i++) {
    FusedConstant constant = {};
    constant.dtype = static_cast<DType>(next(0, kDTypes - 1, "no such dtype"));
    const int64_t index = next(0, constantCount_ - 1, "no such constant");
    if (failed()) return;
    constant.value = constants_[index];
    types.push_back(constant.dtype);
    plan.constants.push_back(constant);
  }
}

void Decoder::decodeFusedSteps(FusedPlan& plan, std::vector<DType>& types) {
  const int64_t steps = next(0, limit_ - at_, "the count of operations does not fit");
  for (int64_t i = 0; i < steps && !failed(); i++) {
    const auto primitive = static_cast<Primitive>(next(0, kPrimitives - 1, "no such primitive"));
    const auto operand = static_cast<DType>(next(0, kDTypes - 1, "no such dtype"));
    const auto result = static_cast<DType>(next(0, kDTypes - 1, "no such dtype"));
    const Signature signature = signatureOf(primitive);
    if (signature.arity == 0) fail("the primitive is not pointwise");
    const bool isSelect = primitive == Primitive::kSelect;
    const DType type = isSelect ? result : operand;
    if (!contains(signature.domain, type)) fail("the primitive does not take this dtype");
    const bool keeps = primitive != Primitive::kConvert;
    if (keeps && result != (signature.toBool ? DType::kBool : type))
      fail("the primitive does not give this dtype");
    FusedStep step;
    step.function = functionOf(primitive, operand, result);
    step.result = static_cast<int32_t>(types.size());
    for (int j = 0; j < 3; j++) {
      const bool used = j < signature.arity;
      step.operands[j] = static_cast<int32_t>(
          next(used ? 0 : INT32_MIN, used ? static_cast<int64_t>(types.size()) - 1 : INT32_MAX,
               "no such register"));
      if (failed()) return;
      const DType expected = isSelect && j == 0 ? DType::kBool : type;
      if (!used)
        step.operands[j] = step.operands[0];
      else if (types[static_cast<size_t>(step.operands[j])] != expected)
        fail("a register is of another dtype");
    }
    types.push_back(result);
    plan.steps.push_back(step);
  }
}

void Decoder::decodeFusedOutputs(FusedPlan& plan, const std::vector<DType>& types,
                                 std::vector<int64_t>& reductionStrides) {
  const int64_t last = static_cast<int64_t>(types.size()) - 1;
  const int64_t outputs = next(0, limit_ - at_, "the count of outputs does not fit");
  for (int64_t i = 0; i < outputs && !failed(); i++) {
    FusedOutput output = {};
    output.at = nextOperand();
    output.reg = static_cast<int32_t>(next(0, last, "no such register"));
    nextList(plan.rank, INT32_MIN, INT32_MAX, output.strides, "stride");
    if (failed()) return;
    markWritten(output.at);
    output.dtype = dtypeOf(output.at);
    if (output.dtype != types[static_cast<size_t>(output.reg)])
      fail("an output is of another dtype");
    checkReach(output.at, plan.rank, plan.dims, output.strides);
    plan.outputs.push_back(output);
  }
  const int64_t reductions = next(0, limit_ - at_, "the count of reductions does not fit");
  for (int64_t i = 0; i < reductions && !failed(); i++) {
    FusedReduction reduction = {};
    reduction.primitive = static_cast<Primitive>(
        next(static_cast<int64_t>(Primitive::kReduceSum),
             static_cast<int64_t>(Primitive::kReduceMin), "no such reduction"));
    reduction.at = nextOperand();
    reduction.reg = static_cast<int32_t>(next(0, last, "no such register"));
    int64_t strides[kMaxRank] = {};
    nextList(plan.rank, INT32_MIN, INT32_MAX, strides, "stride");
    if (failed()) return;
    markWritten(reduction.at);
    reduction.dtype = dtypeOf(reduction.at);
    if (reduction.dtype != types[static_cast<size_t>(reduction.reg)])
      fail("a reduction is of another dtype");
    reductionStrides.insert(reductionStrides.end(), strides, strides + kMaxRank);
    plan.reductions.push_back(reduction);
  }
}

void Decoder::decodeFused(FusedPlan& plan) {
  plan.rank = static_cast<int>(next(0, kMaxRank, "the rank is over 8"));
  nextList(plan.rank, 0, INT32_MAX, plan.dims, "a dim is negative");
  bool reduced[kMaxRank] = {};
  for (int i = 0; i < plan.rank; i++) reduced[i] = next(0, 1, "a flag is neither 0 nor 1") == 1;
  plan.total = 1;
  for (int i = 0; i < plan.rank; i++) {
    plan.total *= plan.dims[i];
    if (plan.total > kMaxElements) fail("the index space is too large");
    if (failed()) return;
  }
  std::vector<DType> types;
  std::vector<int64_t> strides;
  decodeFusedOperands(plan, types);
  if (!failed()) decodeFusedSteps(plan, types);
  if (!failed()) decodeFusedOutputs(plan, types, strides);
  if (failed()) return;
  if (plan.outputs.empty() && plan.reductions.empty()) fail("a fused kernel writes nothing");
  for (size_t i = 0; i < plan.reductions.size(); i++) {
    int64_t kept[kMaxRank];
    for (int d = 0; d < plan.rank; d++) kept[d] = reduced[d] ? 1 : plan.dims[d];
    checkReach(plan.reductions[i].at, plan.rank, kept, &strides[i * kMaxRank]);
  }
  if (plan.reductions.empty())
    for (int d = 0; d < plan.rank; d++)
      if (reduced[d]) fail("a dim is reduced and nothing folds it");
  if (failed()) return;
  plan.registers = static_cast<int32_t>(types.size());
  for (DType type : types) plan.widthOf.push_back(static_cast<uint8_t>(bytesOf(type)));
  planFused(plan, reduced, strides);
  // An input and an output in one piece of memory: known now where both are in the arena.
  for (FusedOutput& output : plan.outputs) {
    std::vector<Operand> kept;
    for (const Operand& hazard : output.hazards) {
      const Buffer& a = program.buffers[output.at.buffer];
      const Buffer& b = program.buffers[hazard.buffer];
      if (a.external && b.external && output.at.buffer != hazard.buffer)
        kept.push_back(hazard);
      else if (a.external == b.external &&
               a.place + output.at.offset * bytesOf(a.dtype) ==
                   b.place + hazard.offset * bytesOf(b.dtype))
        output.direct = false;
    }
    output.hazards = kept;
  }
}

}  // namespace gradus
