// Convolutions of many channels, and their input gradients, that Winograd's algorithm does not suit
// (strides, kernels of other sizes): a block of patches is gathered with channels in blocks of a
// vector's width and multiplied by panels of weights. The passes of planConvolution.cpp say which
// taps meet which positions.
#include "blocked.h"
#include "convolutionPatches.h"
#include "planes.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kChunk = 8 * kTileRows;            // patches at once
constexpr int64_t kPatchElements = 256 * 1024;       // of them, in an L2 cache
constexpr int64_t kPiecePositions = 64;              // fewest of a piece
constexpr int64_t kEnoughPieces = 8;
constexpr int64_t kMostElements = 1024 * 1024;       // of one image on either side
constexpr int64_t kMostTaps = 64;
constexpr int64_t kLeastWork = 1 << 20;

class Patches {
 public:
  Patches(const ConvolutionPlan& plan, Run& run, bool inputGrad);
  void run();

 private:
  // Positions of some patches: where their values begin and where their results go, in elements.
  struct Chunk {
    int64_t count;
    int64_t from[kChunk], to[kChunk];
  };

  const ConvolutionPlan& plan_;
  Run& run_;
  bool inputGrad_;
  const float *source_, *weights_;
  float *target_, *packed_ = nullptr;
  int32_t* places_[kMaxSpatial];  // what a source index of each dim adds to the padded position
  int64_t channels_, results_, blocks_, panels_, taps_;
  int64_t sourceSize_, targetSize_;
  int64_t sizes_[kMaxSpatial];    // of the target
  int64_t images_, splits_, chunk_ = 1;

  int64_t panelElements() const { return taps_ * blocks_ * kLane * kPanel; }
  int64_t paddedImage() const { return blocks_ * plan_.channelSize * kLane; }
  int64_t stagedImage() const { return panels_ * kPanel * targetSize_; }
  int64_t mostTaps() const;

  void listPlaces(int32_t* to);
  float* weightsOf(size_t pass, int64_t panel) const;
  void packBlock(int64_t panel, int64_t block, float* scratch) const;
  void padImage(const float* from, float* to) const;
  void runPiece(int64_t piece, float* scratch) const;
  void runPass(size_t pass, int64_t images, int64_t firstPanel, int64_t lastPanel, float* padded,
               float* staged, float* patches) const;
  void listChunk(const ConvolutionPass& pass, int64_t first, Chunk& chunk) const;
  void writeImage(const float* staged, int64_t firstResult, int64_t lastResult, float* to) const;
};

Patches::Patches(const ConvolutionPlan& plan, Run& run, bool inputGrad)
    : plan_(plan), run_(run), inputGrad_(inputGrad) {
  const Window& w = plan.window;
  source_ = run.at<const float>(inputGrad ? plan.y : plan.x);
  target_ = run.at<float>(inputGrad ? plan.x : plan.y);
  weights_ = run.at<const float>(plan.w);
  channels_ = inputGrad ? plan.o : plan.c;
  results_ = inputGrad ? plan.c : plan.o;
  sourceSize_ = inputGrad ? w.outSize() : w.inSize();
  targetSize_ = inputGrad ? w.inSize() : w.outSize();
  for (int d = 0; d < kMaxSpatial; d++) sizes_[d] = inputGrad ? w.in[d] : w.out[d];
  blocks_ = ceilDiv(channels_, kLane);
  panels_ = ceilDiv(results_, kPanel);
  taps_ = w.kernelSize();
  int64_t positions = 1;
  for (const ConvolutionPass& pass : plan.passes)
    positions = most(positions, pass.count[0] * pass.count[1] * pass.count[2]);
  const int64_t fit = 2 * kMostElements / (paddedImage() + stagedImage());
  images_ = most(1, least(least(plan.n, fit), ceilDiv(kPiecePositions, positions)));
  splits_ = most(1, least(panels_, kEnoughPieces / ceilDiv(plan.n, images_)));
  chunk_ = most(kTileRows, least(kChunk, kPatchElements / most(1, mostTaps() * blocks_ * kLane)));
}

// The most taps of a pass.
int64_t Patches::mostTaps() const {
  int64_t taps = 0;
  for (const ConvolutionPass& pass : plan_.passes)
    taps = most(taps, static_cast<int64_t>(pass.taps.size()));
  return taps;
}

void Patches::run() {
  const int64_t places = plan_.source[0] + plan_.source[1] + plan_.source[2];
  const int64_t weights = panels_ * panelElements();
  packed_ = run_.sharedOf<float>(weights + places);
  const int64_t patches =
      most(mostTaps() * blocks_ * kLane * chunk_, kLane * taps_ * kLane + kLane);
  const int64_t local = images_ * (paddedImage() + stagedImage()) + patches + chunk_ * kPanel;
  if (packed_ == nullptr || !run_.reserveLocalsOf<float>(local)) return;
  listPlaces(reinterpret_cast<int32_t*>(packed_ + weights));
  run_.parallelFor(panels_ * blocks_, true, [&](int64_t piece, int thread) {
    packBlock(piece / blocks_, piece % blocks_, reinterpret_cast<float*>(run_.local(thread)));
  });
  run_.parallelFor(ceilDiv(plan_.n, images_) * splits_, true, [&](int64_t piece, int thread) {
    runPiece(piece, reinterpret_cast<float*>(run_.local(thread)));
  });
}

// Source index i is row (i + low) / step of phase (i + low) % step; −1 where no tap reads it.
void Patches::listPlaces(int32_t* to) {
  int64_t rowStep = 1, planeStep = plan_.plane[0] * plan_.plane[1] * plan_.plane[2];
  for (int d = kMaxSpatial - 1; d >= 0; d--) {
    places_[d] = to;
    const std::vector<int32_t>& phases = plan_.phases[d];
    for (int64_t i = 0; i < plan_.source[d]; i++) {
      const int64_t row = (i + plan_.low[d]) / plan_.step[d];
      const int64_t phase = (i + plan_.low[d]) % plan_.step[d];
      *to = -1;
      for (size_t p = 0; p < phases.size() && i + plan_.low[d] >= 0; p++)
        if (phases[p] == phase && row < plan_.plane[d])
          *to = static_cast<int32_t>(static_cast<int64_t>(p) * planeStep + row * rowStep);
      to++;
    }
    rowStep *= plan_.plane[d];
    planeStep *= static_cast<int64_t>(phases.size());
  }
}

float* Patches::weightsOf(size_t pass, int64_t panel) const {
  int64_t before = 0;
  for (size_t p = 0; p < pass; p++) before += static_cast<int64_t>(plan_.passes[p].taps.size());
  const auto taps = static_cast<int64_t>(plan_.passes[pass].taps.size());
  return packed_ + (before * panels_ + panel * taps) * blocks_ * kLane * kPanel;
}

// Weights of a pass and panel lie as [tap, channel, kPanel].
void Patches::packBlock(int64_t panel, int64_t block, float* scratch) const {
  for (int64_t half = 0; half < kTileVectors; half++) {
    packTaps(weights_, inputGrad_, channels_, results_, taps_, block * kLane,
             panel * kPanel + half * kLane, scratch);
    for (size_t p = 0; p < plan_.passes.size(); p++) {
      float* to = weightsOf(p, panel) + block * kLane * kPanel + half * kLane;
      for (int32_t k : plan_.passes[p].kernels) {
        for (int64_t i = 0; i < kLane; i++)
          store(to + i * kPanel, load(scratch + (i * taps_ + k) * kLane));
        to += blocks_ * kLane * kPanel;
      }
    }
  }
}

// [block, padded position, kLane].
void Patches::padImage(const float* from, float* to) const {
  const int64_t* size = plan_.source;
  zero(to, paddedImage());
  for (int64_t block = 0; block < blocks_; block++, to += plan_.channelSize * kLane) {
    const int count = static_cast<int>(least(kLane, channels_ - block * kLane));
    const float* planes = from + block * kLane * sourceSize_;
    int64_t i0 = 0, i1 = 0, i2 = 0;
    for (int64_t at = 0; at < sourceSize_; at += kLane) {
      const int64_t some = least(kLane, sourceSize_ - at);
      Lanes pixels[kLane];
      loadTurned(pixels, planes + at, sourceSize_, count, some, some == kLane);
      for (int64_t i = 0; i < some; i++) {
        const int32_t a = places_[0][i0], b = places_[1][i1], c = places_[2][i2];
        if ((a | b | c) >= 0) store(to + (int64_t{a} + b + c) * kLane, pixels[i]);
        if (++i2 < size[2]) continue;
        i2 = 0;
        if (++i1 < size[1]) continue;
        i1 = 0;
        i0++;
      }
    }
  }
}

// Some images and some panels of results.
void Patches::runPiece(int64_t piece, float* scratch) const {
  const int64_t first = piece / splits_ * images_, split = piece % splits_;
  const int64_t images = least(images_, plan_.n - first);
  const int64_t firstPanel = panels_ * split / splits_;
  const int64_t lastPanel = panels_ * (split + 1) / splits_;
  float* staged = scratch + images_ * paddedImage();
  float* patches = staged + images_ * stagedImage();
  for (int64_t i = 0; i < images; i++)
    padImage(source_ + (first + i) * channels_ * sourceSize_, scratch + i * paddedImage());
  for (const ConvolutionPass& pass : plan_.passes)
    if (pass.taps.empty()) {
      zero(staged, images * stagedImage());
      break;
    }
  for (size_t pass = 0; pass < plan_.passes.size(); pass++)
    if (!plan_.passes[pass].taps.empty())
      runPass(pass, images, firstPanel, lastPanel, scratch, staged, patches);
  for (int64_t i = 0; i < images; i++)
    writeImage(staged + i * stagedImage(), firstPanel * kPanel, least(results_, lastPanel * kPanel),
               target_ + (first + i) * results_ * targetSize_);
}

void Patches::runPass(size_t number, int64_t images, int64_t firstPanel, int64_t lastPanel,
                      float* padded, float* staged, float* patches) const {
  const ConvolutionPass& pass = plan_.passes[number];
  const auto taps = static_cast<int64_t>(pass.taps.size());
  const int64_t total = images * pass.count[0] * pass.count[1] * pass.count[2];
  float* products = patches + mostTaps() * blocks_ * kLane * chunk_;
  Chunk chunk;
  for (int64_t position = 0; position < total; position += chunk_) {
    chunk.count = least(chunk_, total - position);
    listChunk(pass, position, chunk);
    float* to = patches;
    for (int32_t tap : pass.taps)
      for (int64_t block = 0; block < blocks_; block++) {
        const float* from = padded + (block * plan_.channelSize + tap) * kLane;
        for (int64_t i = 0; i < chunk.count; i++, to += kLane)
          store(to, load(from + chunk.from[i]));
      }
    for (int64_t panel = firstPanel; panel < lastPanel; panel++) {
      multiplyRows(chunk.count, taps * blocks_, patches, chunk.count * kLane,
                   weightsOf(number, panel), products, false);
      for (int64_t half = 0; half < kTileVectors; half++) {
        float* results = staged + (panel * kTileVectors + half) * targetSize_ * kLane;
        for (int64_t i = 0; i < chunk.count; i++)
          store(results + chunk.to[i], load(products + i * kPanel + half * kLane));
      }
    }
  }
}

void Patches::listChunk(const ConvolutionPass& pass, int64_t first, Chunk& chunk) const {
  for (int64_t i = 0; i < chunk.count; i++) {
    int64_t at = first + i;
    const int64_t t2 = at % pass.count[2];
    at /= pass.count[2];
    const int64_t t1 = at % pass.count[1];
    at /= pass.count[1];
    const int64_t t0 = at % pass.count[0], image = at / pass.count[0];
    const int64_t from = (t0 * plan_.plane[1] + t1) * plan_.plane[2] + t2;
    const int64_t row = (pass.start[0] + t0 * pass.step[0]) * sizes_[1] + pass.start[1] +
                        t1 * pass.step[1];
    const int64_t to = row * sizes_[2] + pass.start[2] + t2 * pass.step[2];
    chunk.from[i] = image * paddedImage() + from * kLane;
    chunk.to[i] = image * stagedImage() + to * kLane;
  }
}

// Finished results, [block of results, position, kLane], go to their planes.
void Patches::writeImage(const float* staged, int64_t firstResult, int64_t lastResult,
                         float* to) const {
  for (int64_t result = firstResult; result < lastResult; result += kLane) {
    const int count = static_cast<int>(least(kLane, lastResult - result));
    for (int64_t at = 0; at < targetSize_; at += kLane) {
      const int64_t some = least(kLane, targetSize_ - at);
      Lanes values[kLane];
      for (int64_t i = 0; i < kLane; i++)
        values[i] = i < some ? load(staged + (result * targetSize_) + (at + i) * kLane) : Lanes{};
      storeTurned(values, to + result * targetSize_ + at, targetSize_, count, some);
    }
  }
}

}  // namespace

bool suitsPatches(const ConvolutionPlan& plan, bool inputGrad) {
  const Window& w = plan.window;
  const int64_t channels = inputGrad ? plan.o : plan.c, results = inputGrad ? plan.c : plan.o;
  const int64_t target = inputGrad ? w.inSize() : w.outSize();
  if (plan.dtype != DType::kFloat32 || plan.groups != 1 || plan.n == 0 || target == 0) return false;
  if (w.kernelSize() > kMostTaps || channels == 0 || results == 0) return false;
  // Lanes beyond the channels and results are computed for nothing.
  const int64_t depth = ceilDiv(channels, kLane) * kLane, width = ceilDiv(results, kPanel) * kPanel;
  if (4 * depth > 5 * channels || 4 * width > 5 * results) return false;
  if (depth > kMostElements / plan.channelSize || width > kMostElements / target) return false;
  return plan.n * w.outSize() * w.kernelSize() >= kLeastWork / (channels * results);
}

void runPatches(const ConvolutionPlan& plan, Run& run, bool inputGrad) {
  Patches(plan, run, inputGrad).run();
}

}  // namespace GRADUS_ISA
}  // namespace gradus
