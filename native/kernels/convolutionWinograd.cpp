// Convolutions of 3×3 and stride 1, and their input gradients, by Winograd's F(4×4, 3×3): patches
// and weights are transformed, 36 matrix products over the channels follow, and their results are
// transformed back. Where all transformed weights stay near the cores, a thread does all three
// steps for a block of tiles; else it does them for a panel of results, whose weights it transforms
// as it goes. An infinity or NaN of x reaches all results of its tiles.
#include "blocked.h"
#include "winogradTiles.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kSharedWeights = 640 * 1024;         // elements of transformed weights
constexpr int64_t kBlockElements = 288 * 1024;         // of transformed tiles in an L2 cache
constexpr int64_t kBlockTiles = 64;
constexpr int64_t kEnoughBlocks = 8;
constexpr int64_t kGroupTiles = 128;
constexpr int64_t kDepth = 128;                        // channels of weights in an L2 cache
constexpr int64_t kSuperElements = 8 * 1024 * 1024;    // of transformed tiles at once
constexpr int64_t kFewestChannels = 16;
constexpr int64_t kFewestTiles = 8;                    // that are worth transforming the weights

class Winograd {
 public:
  Winograd(const ConvolutionPlan& plan, Run& run, bool inputGrad);
  void run();

 private:
  Run& run_;
  bool inputGrad_;
  const float *source_, *weights_;
  float* target_;
  TiledImages images_;
  int64_t channels_, results_, height_, width_;  // of the target
  int64_t lines_, blocks_, panels_;

  int64_t tilesOf(int64_t lines) const { return lines * images_.tilesAcross; }
  int64_t panelElements(int64_t channels) const { return kPoints * channels * kPanel; }
  int64_t productElements(int64_t tiles) const { return kPoints * apart(tiles * kPanel); }
  int64_t stagingElements() const { return kTile * kTile * images_.tilesAcross * kLane; }

  void runTileBlocks();
  void runPanels();
  bool runPanelsOf(int64_t firstLine, int64_t lines);
  void transformWeights(int64_t panel, int64_t block, float* to, int64_t pointStep) const;
  void multiply(const TransformedTiles& tiles, int64_t count, int64_t blocks, const float* weights,
                float* products, bool add) const;
  void finish(int64_t firstLine, int64_t lines, int64_t panel, const float* products,
              float* staging) const;
  void store(int64_t line, int64_t result, const float* staging) const;
};

Winograd::Winograd(const ConvolutionPlan& plan, Run& run, bool inputGrad)
    : run_(run), inputGrad_(inputGrad) {
  const Window& w = plan.window;
  const int64_t *from = inputGrad ? w.out : w.in, *to = inputGrad ? w.in : w.out;
  source_ = run.at<const float>(inputGrad ? plan.y : plan.x);
  target_ = run.at<float>(inputGrad ? plan.x : plan.y);
  weights_ = run.at<const float>(plan.w);
  channels_ = inputGrad ? plan.o : plan.c;
  results_ = inputGrad ? plan.c : plan.o;
  height_ = to[1];
  width_ = to[2];
  images_ = {channels_, from[1], from[2], w.pad[1], w.pad[2], ceilDiv(height_, kTile),
             ceilDiv(width_, kTile)};
  if (inputGrad) {
    images_.padTop = 2 - w.pad[1];
    images_.padLeft = 2 - w.pad[2];
  }
  lines_ = plan.n * images_.linesEach;
  blocks_ = images_.blocks();
  panels_ = ceilDiv(results_, kPanel);
}

void Winograd::run() {
  if (panels_ * panelElements(blocks_ * kLane) <= kSharedWeights)
    runTileBlocks();
  else
    runPanels();
}

// Every thread has the weights of all panels and takes a block of tiles through all steps.
void Winograd::runTileBlocks() {
  const int64_t fit =
      most(kTileRows, least(kBlockTiles, kBlockElements / (kPoints * blocks_ * kLane)));
  const int64_t lines = most(1, least(fit / images_.tilesAcross, ceilDiv(lines_, kEnoughBlocks)));
  const int64_t tiles = tilesOf(lines), depth = blocks_ * kLane;
  float* weights = run_.sharedOf<float>(panels_ * panelElements(depth));
  const int64_t tileSize = tileElements(tiles, blocks_), productSize = productElements(tiles);
  const int64_t local = tileSize + productSize + stripElements(images_) + stagingElements();
  if (weights == nullptr || !run_.reserveLocalsOf<float>(local)) return;
  run_.parallelFor(panels_ * blocks_, true, [&](int64_t piece, int) {
    const int64_t panel = piece / blocks_, block = piece % blocks_;
    transformWeights(panel, block,
                     weights + panel * panelElements(depth) + block * kLane * kPanel,
                     depth * kPanel);
  });
  run_.parallelFor(ceilDiv(lines_, lines), true, [&](int64_t piece, int thread) {
    float* scratch = reinterpret_cast<float*>(run_.local(thread));
    float* products = scratch + tileSize;
    float* strip = products + productSize;
    const int64_t first = piece * lines, count = least(lines, lines_ - first);
    const TransformedTiles to = tilesAt(scratch, tilesOf(count), blocks_);
    transformLines<kPatch, winograd::input>(images_, source_, first, count, strip, to);
    for (int64_t panel = 0; panel < panels_; panel++) {
      multiply(to, tilesOf(count), blocks_, weights + panel * panelElements(depth), products,
               false);
      finish(first, count, panel, products, strip + stripElements(images_));
    }
  });
}

// Tiles are transformed for all threads, as many as leave the memory bounded.
void Winograd::runPanels() {
  const int64_t perLine = tileElements(images_.tilesAcross, blocks_);
  const int64_t lines = most(1, kSuperElements / perLine);
  for (int64_t line = 0; line < lines_; line += lines)
    if (!runPanelsOf(line, least(lines, lines_ - line))) return;
}

bool Winograd::runPanelsOf(int64_t firstLine, int64_t lines) {
  const int64_t groupLines = most(1, kGroupTiles / images_.tilesAcross);
  const int64_t groups = ceilDiv(lines, groupLines), depth = least(kDepth, blocks_ * kLane);
  const int64_t productSize = productElements(tilesOf(least(lines, groupLines)));
  const int64_t local = panelElements(depth) + productSize +
                        most(stripElements(images_), stagingElements());
  float* data = run_.sharedOf<float>(tileElements(tilesOf(lines), blocks_));
  if (data == nullptr || !run_.reserveLocalsOf<float>(local)) return false;
  const TransformedTiles all = tilesAt(data, tilesOf(lines), blocks_);
  const int64_t pieceLines = stripLines(images_);
  run_.parallelFor(ceilDiv(lines, pieceLines), true, [&](int64_t piece, int thread) {
    float* scratch = reinterpret_cast<float*>(run_.local(thread));
    float* strip = scratch + panelElements(depth) + productSize;
    const int64_t first = piece * pieceLines;
    transformLines<kPatch, winograd::input>(
        images_, source_, firstLine + first, least(pieceLines, lines - first), strip,
        {data + tilesOf(first) * kLane, all.blockStep, all.pointStep});
  });
  run_.parallelFor(groups * panels_, true, [&](int64_t piece, int thread) {
    float* weights = reinterpret_cast<float*>(run_.local(thread));
    float* products = weights + panelElements(depth);
    const int64_t panel = piece / groups, first = piece % groups * groupLines;
    const int64_t count = least(groupLines, lines - first), step = depth / kLane;
    for (int64_t block = 0; block < blocks_; block += step) {
      const int64_t some = least(step, blocks_ - block);
      for (int64_t i = 0; i < some; i++)
        transformWeights(panel, block + i, weights + i * kLane * kPanel, some * kLane * kPanel);
      float* from = data + block * all.blockStep + tilesOf(first) * kLane;
      multiply({from, all.blockStep, all.pointStep}, tilesOf(count), some, weights, products,
               block > 0);
    }
    finish(firstLine + first, count, panel, products, products + productSize);
  });
  return true;
}

// The weights of a block of channels for one panel, kPanel results side by side.
void Winograd::transformWeights(int64_t panel, int64_t block, float* to, int64_t pointStep) const {
  alignas(64) float packed[kTaps * kLane * kLane + kLane];
  for (int half = 0; half < kTileVectors; half++) {
    packTaps(weights_, inputGrad_, channels_, results_, kTaps, block * kLane,
             panel * kPanel + half * kLane, packed);
    // The gradient turns the kernel about its middle.
    const float* first = inputGrad_ ? packed + (kTaps - 1) * kLane : packed;
    const int64_t step = inputGrad_ ? -kLane : kLane;
    for (int64_t i = 0; i < kLane; i++)
      winograd::both<3, 6, winograd::weight>(first + i * kTaps * kLane, 3 * step, step,
                                             to + i * kPanel + half * kLane, 6 * pointStep,
                                             pointStep);
  }
}

// products [point][tile][kPanel]; weights [point][channels of the blocks][kPanel].
void Winograd::multiply(const TransformedTiles& tiles, int64_t count, int64_t blocks,
                        const float* weights, float* products, bool add) const {
  for (int64_t point = 0; point < kPoints; point++)
    multiplyRows(count, blocks, tiles.data + point * tiles.pointStep, tiles.blockStep,
                 weights + point * blocks * kLane * kPanel,
                 products + point * apart(count * kPanel), add);
}

void Winograd::finish(int64_t firstLine, int64_t lines, int64_t panel, const float* products,
                      float* staging) const {
  const int64_t across = images_.tilesAcross, step = apart(tilesOf(lines) * kPanel);
  for (int64_t line = 0; line < lines; line++)
    for (int half = 0; half < kTileVectors; half++) {
      const int64_t result = panel * kPanel + half * kLane;
      if (result >= results_) break;
      const float* from = products + line * across * kPanel + half * kLane;
      for (int64_t tile = 0; tile < across; tile++)
        winograd::both<6, 4, winograd::output>(from + tile * kPanel, 6 * step, step,
                                               staging + tile * kTile * kLane,
                                               across * kTile * kLane, kLane);
      store(firstLine + line, result, staging);
    }
}

// One line of finished tiles, [rows, columns, kLane results], goes to its planes.
void Winograd::store(int64_t line, int64_t result, const float* staging) const {
  const int64_t image = line / images_.linesEach, top = line % images_.linesEach * kTile;
  const int64_t plane = height_ * width_, columns = images_.tilesAcross * kTile;
  const int count = static_cast<int>(least(kLane, results_ - result));
  float* to = target_ + (image * results_ + result) * plane + top * width_;
  const int64_t size = least(kTile, height_ - top) * width_;
  int64_t x = 0;
  for (int64_t at = 0; at < size; at += kLane) {
    Lanes values[kLane];
    const int64_t some = least(kLane, size - at);
    for (int64_t i = 0; i < some; i++) {
      values[i] = load(staging + x * kLane);
      if (++x == width_) {
        x = 0;
        staging += columns * kLane;
      }
    }
    for (int64_t i = some; i < kLane; i++) values[i] = Lanes{};
    storeTurned(values, to + at, plane, count, some);
  }
}

}  // namespace

bool suitsWinograd(const ConvolutionPlan& plan) {
  const Window& w = plan.window;
  if (plan.dtype != DType::kFloat32 || plan.groups != 1 || plan.n == 0) return false;
  if (plan.c < kFewestChannels || plan.o < kFewestChannels) return false;
  if (w.in[0] != 1 || w.k[0] != 1 || w.out[0] != 1 || w.pad[0] != 0) return false;
  for (int d = 1; d < kMaxSpatial; d++)
    if (w.k[d] != 3 || w.stride[d] != 1 || w.dilation[d] != 1 || w.pad[d] < 0 || w.pad[d] > 2 ||
        w.in[d] > 2048 || w.out[d] > 2048)
      return false;
  // Parts of tiles beyond the edge are computed for nothing.
  const int64_t smaller = least(w.inSize(), w.outSize());
  const int64_t rows = ceilDiv(most(w.in[1], w.out[1]), kTile);
  const int64_t tiles = rows * ceilDiv(most(w.in[2], w.out[2]), kTile);
  return smaller >= kLane && plan.n * tiles >= kFewestTiles &&
         tiles * kTile * kTile <= 2 * smaller;
}

void runWinograd(const ConvolutionPlan& plan, Run& run, bool inputGrad) {
  Winograd(plan, run, inputGrad).run();
}

}  // namespace GRADUS_ISA
}  // namespace gradus
