// Turns every convolution into stride-1 correlations over padded planes, in which the value at a
// position is a sum over taps of plane[tap + position]: rows of the patch matrix are then shifted
// views of a plane, and no patch is ever copied. A stride splits the planes (forward) or the
// targets (input gradient) into phases.
#include <algorithm>
#include <unordered_map>

#include "decode.h"

namespace gradus {

namespace {

constexpr int64_t kMaxPasses = 4096;
constexpr int64_t kMaxTaps = int64_t{1} << 20;
// Vector loads may pass the end of a channel's plane by one vector.
constexpr int64_t kSlack = 16;
// Tap lists of all channels are kept up to this length, so that they stay in the L1 cache.
constexpr int64_t kMaxFlat = 2048;
constexpr int64_t kMostPadding = 64;

struct Tap {
  int32_t kernel;
  int32_t phase;  // index of the source's phase
  int64_t row;    // row of the sub-plane at position 0
};

// What one dim gives to the passes.
struct DimPass {
  int64_t count, start, step;
  std::vector<Tap> taps;
};

std::vector<DimPass> planForward(ConvolutionPlan& plan, int d) {
  const Window& w = plan.window;
  plan.step[d] = w.stride[d];
  plan.low[d] = w.pad[d];
  plan.source[d] = w.in[d];
  plan.plane[d] = w.out[d] + (w.k[d] - 1) * w.dilation[d] / w.stride[d];
  DimPass pass = {w.out[d], 0, 1, {}};
  std::vector<int32_t>& phases = plan.phases[d];
  std::unordered_map<int32_t, int32_t> places;
  for (int64_t k = 0; k < w.k[d]; k++) {
    const int64_t at = k * w.dilation[d];
    const auto phase = static_cast<int32_t>(at % w.stride[d]);
    const auto [place, isNew] = places.emplace(phase, static_cast<int32_t>(phases.size()));
    if (isNew) phases.push_back(phase);
    pass.taps.push_back({static_cast<int32_t>(k), place->second, at / w.stride[d]});
  }
  return {pass};
}

// Input i = stride·t + phase − pad takes from output t − (k·dilation − phase) / stride for the k of
// that phase.
std::vector<DimPass> planInputGrad(ConvolutionPlan& plan, int d) {
  const Window& w = plan.window;
  const int64_t stride = w.stride[d];
  plan.step[d] = 1;
  plan.source[d] = w.out[d];
  plan.phases[d] = {0};
  std::vector<DimPass> passes;
  int64_t lowest = INT64_MAX, highest = INT64_MIN;
  for (int64_t phase = 0; phase < stride; phase++) {
    const int64_t behind = w.pad[d] - phase;
    const int64_t first = behind > 0 ? (behind + stride - 1) / stride : -(-behind / stride);
    DimPass pass = {0, stride * first + phase - w.pad[d], stride, {}};
    if (pass.start >= w.in[d]) continue;
    pass.count = (w.in[d] - 1 - pass.start) / stride + 1;
    for (int64_t k = 0; k < w.k[d]; k++) {
      const int64_t at = k * w.dilation[d] - phase;
      if (at % stride != 0) continue;
      const int64_t row = first - at / stride;
      pass.taps.push_back({static_cast<int32_t>(k), 0, row});
    }
    for (const Tap& tap : pass.taps) {
      lowest = std::min(lowest, tap.row);
      highest = std::max(highest, tap.row + pass.count);
    }
    passes.push_back(std::move(pass));
  }
  if (lowest > highest) lowest = highest = 0;
  plan.low[d] = -lowest;
  plan.plane[d] = highest - lowest;
  for (DimPass& pass : passes)
    for (Tap& tap : pass.taps) tap.row -= lowest;
  return passes;
}

ConvolutionPass combine(const ConvolutionPlan& plan, const DimPass* const (&dims)[kMaxSpatial]) {
  ConvolutionPass pass;
  for (int d = 0; d < kMaxSpatial; d++) {
    pass.count[d] = dims[d]->count;
    pass.start[d] = dims[d]->start;
    pass.step[d] = dims[d]->step;
  }
  const int64_t* plane = plan.plane;
  const int64_t* k = plan.window.k;
  for (const Tap& a : dims[0]->taps)
    for (const Tap& b : dims[1]->taps)
      for (const Tap& c : dims[2]->taps) {
        const auto phases1 = static_cast<int64_t>(plan.phases[1].size());
        const auto phases2 = static_cast<int64_t>(plan.phases[2].size());
        const int64_t sub = (a.phase * phases1 + b.phase) * phases2 + c.phase;
        const int64_t row = (sub * plane[0] + a.row) * plane[1] + b.row;
        pass.taps.push_back(static_cast<int32_t>(row * plane[2] + c.row));
        const int64_t kernelRow = a.kernel * k[1] + b.kernel;
        pass.kernels.push_back(static_cast<int32_t>(kernelRow * k[2] + c.kernel));
      }
  return pass;
}

}  // namespace

bool planConvolution(ConvolutionPlan& plan, Kernel kernel) {
  const bool inputGrad = kernel == Kernel::kConvolutionInputGrad;
  int64_t combinations = 1;
  for (int64_t stride : plan.window.stride) {
    if (inputGrad && (stride > kMaxPasses || (combinations *= stride) > kMaxPasses)) return false;
  }
  int64_t taps = 1;
  for (int64_t k : plan.window.k)
    if ((taps *= k) > kMaxTaps) return false;
  std::vector<DimPass> dims[kMaxSpatial];
  plan.channelSize = 1;
  for (int d = 0; d < kMaxSpatial; d++) {
    dims[d] = inputGrad ? planInputGrad(plan, d) : planForward(plan, d);
    plan.channelSize *= plan.plane[d] * static_cast<int64_t>(plan.phases[d].size());
    if (plan.channelSize > INT32_MAX / 4) return false;
  }
  // Padding and dilation that outgrow the operands this much are no convolution that anyone means.
  const Window& w = plan.window;
  const int64_t largest = w.inSize() + w.outSize() + w.kernelSize();
  if (plan.channelSize > kMostPadding * largest + 65536) return false;
  plan.channelSize += kSlack;
  const int64_t channels = inputGrad ? plan.o : plan.c;
  if (channels > 0 && plan.channelSize > INT32_MAX / channels) return false;
  for (const DimPass& a : dims[0])
    for (const DimPass& b : dims[1])
      for (const DimPass& c : dims[2]) plan.passes.push_back(combine(plan, {&a, &b, &c}));
  const int64_t groupChannels = channels / plan.groups;
  for (ConvolutionPass& pass : plan.passes)
    if (groupChannels * static_cast<int64_t>(pass.taps.size()) <= kMaxFlat)
      for (int64_t channel = 0; channel < groupChannels; channel++)
        for (int32_t tap : pass.taps)
          pass.flat.push_back(static_cast<int32_t>(channel * plan.channelSize + tap));
  return true;
}

}  // namespace gradus
