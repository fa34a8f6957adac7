// Weight gradients of 3×3 convolutions of stride 1 by the transpose of Winograd's F(4×4, 3×3): with
// Y = A·(G g Gᵀ ∘ Bᵀ d B)·Aᵀ the gradient is Gᵀ·(Σ A dY Aᵀ ∘ Bᵀ d B)·G, summed over all tiles, and
// the sum is 36 matrix products whose long side is the tiles.
#include "microkernel.h"
#include "winogradTiles.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int kGradRows = kLane > 4 ? kLane / 2 : kLane;  // results of a register tile
constexpr int64_t kSide = 64;          // most results and channels of one task
constexpr int64_t kParts = 16;         // sums of their own, where few weights are one task
constexpr int64_t kFewTasks = 16;
constexpr int64_t kPartTiles = 32;     // tiles that stay in an L2 cache
constexpr int64_t kSumTiles = 256;     // tiles that are summed before they go into memory
constexpr int64_t kSuperElements = 8 * 1024 * 1024;  // of transformed tiles at once

// sums [kGradRows results, NV·kLane channels] (+)= Σ over tiles of y[tile][result]·x[tile][channel]
template <int NV>
void sumTiles(int64_t tiles, const float* y, const float* x, int64_t xStep, float* sums,
              int64_t sumStep, bool add) {
  Tile<float, kGradRows, NV> tile;
  clearTile<float, kGradRows, NV>(tile);
  for (int64_t t = 0; t < tiles; t++, y += kLane, x += kLane) {
    Lanes row[NV];
#pragma GCC unroll 8
    for (int j = 0; j < NV; j++) row[j] = load(x + j * xStep);
#pragma GCC unroll 16
    for (int i = 0; i < kGradRows; i++)
#pragma GCC unroll 8
      for (int j = 0; j < NV; j++) tile[i][j] += y[i] * row[j];
  }
  storeTile<float, kGradRows, NV>(tile, sums, sumStep, add);
}

class WinogradWeight {
 public:
  WinogradWeight(const ConvolutionPlan& plan, Run& run);
  void run();

 private:
  // A task's share of the weights, in blocks of kLane.
  struct Share {
    int64_t result, results, channel, channels;
  };

  const ConvolutionPlan& plan_;
  Run& run_;
  TiledImages x_, y_;
  const float *xData_, *yData_;
  float* target_;
  int64_t lines_, resultBlocks_, channelBlocks_;

  int64_t tilesOf(int64_t lines) const { return lines * x_.tilesAcross; }
  int64_t weights() const { return plan_.o * plan_.c * kTaps; }
  static int64_t sumElements() { return kPoints * apart(kSide * kSide); }

  void runParts();
  void runShares();
  bool runSharesOf(int64_t firstLine, int64_t lines);
  void transform(int64_t line, int64_t lines, float* strip, const TransformedTiles& x,
                 const TransformedTiles& y) const;
  void accumulate(const Share& share, const TransformedTiles& x, const TransformedTiles& y,
                  int64_t tiles, float* sums, bool add) const;
  void finish(const Share& share, const float* sums, float* to, bool add) const;
  void merge(const float* partials, int64_t parts) const;
};

WinogradWeight::WinogradWeight(const ConvolutionPlan& plan, Run& run) : plan_(plan), run_(run) {
  const Window& w = plan.window;
  const int64_t each = ceilDiv(w.out[1], kTile), across = ceilDiv(w.out[2], kTile);
  x_ = {plan.c, w.in[1], w.in[2], w.pad[1], w.pad[2], each, across};
  y_ = {plan.o, w.out[1], w.out[2], 0, 0, each, across};
  xData_ = run.at<const float>(plan.x);
  yData_ = run.at<const float>(plan.y);
  target_ = run.at<float>(plan.w);
  lines_ = plan.n * each;
  resultBlocks_ = y_.blocks();
  channelBlocks_ = x_.blocks();
}

void WinogradWeight::run() {
  if (resultBlocks_ * kLane <= kSide && channelBlocks_ * kLane <= kSide)
    runParts();
  else
    runShares();
}

void WinogradWeight::transform(int64_t line, int64_t lines, float* strip, const TransformedTiles& x,
                               const TransformedTiles& y) const {
  transformLines<kPatch, winograd::input>(x_, xData_, line, lines, strip, x);
  transformLines<kTile, winograd::outputGrad>(y_, yData_, line, lines, strip, y);
}

// One task would do all weights: lines are cut in parts of their own sums, in a way that only the
// plan decides.
void WinogradWeight::runParts() {
  const int64_t partLines = ceilDiv(lines_, kParts), parts = ceilDiv(lines_, partLines);
  const int64_t lines = most(1, kPartTiles / x_.tilesAcross), tiles = tilesOf(lines);
  const int64_t xSize = tileElements(tiles, channelBlocks_);
  const int64_t ySize = tileElements(tiles, resultBlocks_);
  float* partials = run_.sharedOf<float>(parts * weights());
  const int64_t local = xSize + ySize + sumElements() + stripElements(x_);
  if (partials == nullptr || !run_.reserveLocalsOf<float>(local)) return;
  run_.parallelFor(parts, true, [&](int64_t part, int thread) {
    float* scratch = reinterpret_cast<float*>(run_.local(thread));
    float* sums = scratch + xSize + ySize;
    const Share all = {0, resultBlocks_, 0, channelBlocks_};
    const int64_t first = part * partLines, last = least(lines_, first + partLines);
    for (int64_t line = first; line < last; line += lines) {
      const int64_t count = tilesOf(least(lines, last - line));
      const TransformedTiles x = tilesAt(scratch, count, channelBlocks_);
      const TransformedTiles y = tilesAt(scratch + xSize, count, resultBlocks_);
      transform(line, least(lines, last - line), sums + sumElements(), x, y);
      accumulate(all, x, y, count, sums, line > first);
    }
    finish(all, sums, partials + part * weights(), false);
  });
  merge(partials, parts);
}

// Tiles are transformed for all threads, as many as leave the memory bounded, and each task sums
// its share of the weights over them.
void WinogradWeight::runShares() {
  const int64_t perLine = tileElements(x_.tilesAcross, channelBlocks_) +
                          tileElements(x_.tilesAcross, resultBlocks_);
  const int64_t lines = most(1, kSuperElements / perLine);
  for (int64_t line = 0; line < lines_; line += lines)
    if (!runSharesOf(line, least(lines, lines_ - line))) return;
}

bool WinogradWeight::runSharesOf(int64_t firstLine, int64_t lines) {
  const int64_t tiles = tilesOf(lines), xSize = tileElements(tiles, channelBlocks_);
  float* data = run_.sharedOf<float>(xSize + tileElements(tiles, resultBlocks_));
  if (data == nullptr || !run_.reserveLocalsOf<float>(sumElements() + stripElements(x_)))
    return false;
  const TransformedTiles x = tilesAt(data, tiles, channelBlocks_);
  const TransformedTiles y = tilesAt(data + xSize, tiles, resultBlocks_);
  const int64_t pieceLines = stripLines(x_);
  run_.parallelFor(ceilDiv(lines, pieceLines), true, [&](int64_t piece, int thread) {
    const int64_t line = piece * pieceLines, start = tilesOf(line) * kLane;
    transform(firstLine + line, least(pieceLines, lines - line),
              reinterpret_cast<float*>(run_.local(thread)),
              {x.data + start, x.blockStep, x.pointStep},
              {y.data + start, y.blockStep, y.pointStep});
  });
  const int64_t side = kSide / kLane, across = ceilDiv(channelBlocks_, side);
  const bool few = ceilDiv(resultBlocks_, side) * across < kFewTasks;
  const int64_t height = few ? most(1, side / 2) : side;
  run_.parallelFor(ceilDiv(resultBlocks_, height) * across, true, [&](int64_t piece, int thread) {
    float* sums = reinterpret_cast<float*>(run_.local(thread));
    const int64_t result = piece / across * height, channel = piece % across * side;
    const Share share = {result, least(height, resultBlocks_ - result), channel,
                         least(side, channelBlocks_ - channel)};
    accumulate(share, x, y, tiles, sums, false);
    finish(share, sums, target_, firstLine > 0);
  });
  return true;
}

// sums [point][result of the share][channel of the share].
void WinogradWeight::accumulate(const Share& share, const TransformedTiles& x,
                                const TransformedTiles& y, int64_t tiles, float* sums,
                                bool add) const {
  const int64_t step = share.channels * kLane;
  for (int64_t point = 0; point < kPoints; point++, sums += apart(kSide * kSide))
    for (int64_t tile = 0; tile < tiles; tile += kSumTiles) {
      const int64_t count = least(kSumTiles, tiles - tile);
      const bool more = add || tile > 0;
      for (int64_t c = 0; c < share.channels; c += 2) {
        const float* from = x.data + point * x.pointStep + (share.channel + c) * x.blockStep +
                            tile * kLane;
        const auto sum = c + 1 < share.channels ? sumTiles<2> : sumTiles<1>;
        for (int64_t r = 0; r < share.results; r++) {
          const float* by = y.data + point * y.pointStep + (share.result + r) * y.blockStep +
                            tile * kLane;
          for (int row = 0; row < kLane; row += kGradRows)
            sum(count, by + row, from, x.blockStep,
                sums + (r * kLane + row) * step + c * kLane, step, more);
        }
      }
    }
}

// The gradients of the taps, as the weights lie.
void WinogradWeight::finish(const Share& share, const float* sums, float* to, bool add) const {
  const int64_t step = share.channels * kLane, pointStep = apart(kSide * kSide);
  const int64_t results = least(share.results * kLane, plan_.o - share.result * kLane);
  alignas(64) float taps[kTaps * kLane], flat[kTaps * kLane];
  for (int64_t result = 0; result < results; result++)
    for (int64_t c = 0; c < share.channels; c++) {
      const int64_t channel = (share.channel + c) * kLane;
      winograd::both<6, 3, winograd::weightGrad>(sums + result * step + c * kLane, 6 * pointStep,
                                                 pointStep, taps, 3 * kLane, kLane);
      for (int lane = 0; lane < kLane; lane++)
        for (int tap = 0; tap < kTaps; tap++) flat[lane * kTaps + tap] = taps[tap * kLane + lane];
      float* at = to + ((share.result * kLane + result) * plan_.c + channel) * kTaps;
      const int64_t count = least(kLane, plan_.c - channel) * kTaps;
      for (int64_t i = 0; i < count; i++) at[i] = add ? at[i] + flat[i] : flat[i];
    }
}

void WinogradWeight::merge(const float* partials, int64_t parts) const {
  constexpr int64_t kPiece = 4096;
  run_.parallelFor(ceilDiv(weights(), kPiece), true, [&](int64_t piece, int) {
    const int64_t end = least(weights(), (piece + 1) * kPiece);
    for (int64_t i = piece * kPiece; i < end; i++) {
      double sum = 0;
      for (int64_t part = 0; part < parts; part++)
        sum += static_cast<double>(partials[part * weights() + i]);
      target_[i] = static_cast<float>(sum);
    }
  });
}

}  // namespace

void runWinogradWeightGrad(const ConvolutionPlan& plan, Run& run) {
  WinogradWeight(plan, run).run();
}

}  // namespace GRADUS_ISA
}  // namespace gradus
