// Convolutions and their input gradients: correlations over padded planes. A tile of the result is
// a matrix product whose rows of the second factor are shifted views of a plane, so nothing is
// copied but the planes and the weights.
#include "run.h"
#include "convolutionPatches.h"
#include "microkernel.h"
#include "planes.h"
#include "winograd.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

// Padded planes that one thread works on: about half of an L2 cache.
constexpr int64_t kSourceBytes = 512 * 1024;
constexpr int64_t kLinePositions = 2048;
constexpr int64_t kEnoughTasks = 8;
constexpr int64_t kOverread = 128;  // elements that tiles may read behind the planes

template <typename T>
class Correlation {
 public:
  Correlation(const ConvolutionPlan& plan, Run& run, bool inputGrad)
      : plan_(plan), run_(run), inputGrad_(inputGrad) {
    channels_ = inputGrad ? plan.o : plan.c;
    results_ = inputGrad ? plan.c : plan.o;
    groupChannels_ = channels_ / plan.groups;
    groupResults_ = results_ / plan.groups;
    source_ = run.at<const T>(inputGrad ? plan.y : plan.x);
    target_ = run.at<T>(inputGrad ? plan.x : plan.y);
    weights_ = run.at<const T>(plan.w);
    const Window& window = plan.window;
    sourceSize_ = inputGrad ? window.outSize() : window.inSize();
    targetSize_ = inputGrad ? window.inSize() : window.outSize();
    for (int d = 0; d < kMaxSpatial; d++) sizes_[d] = inputGrad ? window.in[d] : window.out[d];
    panels_ = ceilDiv(most(groupResults_, 1), kTileRows);
    panelRows_ = static_cast<int>(ceilDiv(most(groupResults_, 1), panels_));
    panels_ = ceilDiv(groupResults_, panelRows_);
  }

  void run() {
    if (plan_.n == 0 || results_ == 0 || targetSize_ == 0) return;
    cut();
    packed_ = reinterpret_cast<T*>(run_.shared(packedElements() * sizeof(T)));
    if (packed_ == nullptr || !run_.reserveLocals(scratchElements() * sizeof(T))) return;
    const double work = static_cast<double>(plan_.n) * static_cast<double>(targetSize_) *
                        static_cast<double>(results_ * groupChannels_) *
                        static_cast<double>(plan_.window.kernelSize());
    const bool parallel = work >= 1 << 18;
    run_.parallelFor(plan_.groups * panels_, parallel && packedElements() > 16384,
                     [&](int64_t p, int) { packWeights(p / panels_, p % panels_); });
    run_.parallelFor(ceilDiv(plan_.n, images_) * splits_, parallel,
                     [&](int64_t piece, int t) { correlate(piece, t); });
  }

 private:
  const ConvolutionPlan& plan_;
  Run& run_;
  bool inputGrad_;
  const T *source_, *weights_;
  T *target_, *packed_ = nullptr;
  int64_t channels_, results_, groupChannels_, groupResults_, sourceSize_, targetSize_;
  int64_t sizes_[kMaxSpatial];
  int64_t panels_;  // panels of a group
  int panelRows_;
  // Images of a piece; pieces that share the panels of one group of images.
  int64_t images_ = 1, splits_ = 1;
  bool byRows_ = false;

  // The kernel's rows that meet the source at row t1 of the result, and their taps.
  struct KernelRows {
    int64_t first, count;
  };
  KernelRows kernelRows(int64_t t1) const {
    const ConvolutionPass& pass = plan_.passes[0];
    const int64_t across = plan_.window.k[2];
    KernelRows rows = {0, 0};
    for (int64_t k = 0; k < plan_.window.k[1]; k++) {
      const int64_t at = t1 + pass.taps[static_cast<size_t>(k * across)] / plan_.plane[2];
      if (at < plan_.low[1] || at >= plan_.low[1] + plan_.source[1]) continue;
      if (rows.count++ == 0) rows.first = k;
    }
    return rows;
  }

  // Whether most of the work would be on zeros above, below and between the rows.
  bool suitsRows() const {
    const ConvolutionPass& pass = plan_.passes[0];
    const bool isFlat = plan_.passes.size() == 1 && plan_.plane[0] == 1 && pass.count[0] == 1 &&
                        pass.step[1] == 1 && pass.step[2] == 1 && plan_.step[1] == 1 &&
                        plan_.step[2] == 1;
    if (!isFlat || panelRows_ > kApartRows || plan_.n < kApart) return false;
    int64_t met = 0;
    for (int64_t t1 = 0; t1 < pass.count[1]; t1++) met += kernelRows(t1).count;
    const int64_t lanes = ceilDiv(pass.count[2], kWidth<T>) * kWidth<T>;
    return 5 * met * lanes < 4 * pass.count[1] * plan_.window.k[1] * plan_.plane[2];
  }

  void cut() {
    byRows_ = suitsRows();
    const int64_t bytes = most(channels_ * plan_.channelSize, 1) * static_cast<int64_t>(sizeof(T));
    images_ = most(1, least(kSourceBytes / bytes, ceilDiv(plan_.n, kEnoughTasks)));
    const int64_t pieces = ceilDiv(plan_.n, images_);
    splits_ = most(1, least(panels_, kEnoughTasks / pieces));
  }

  size_t packedElements() const {
    return static_cast<size_t>(results_ * groupChannels_ * plan_.window.kernelSize());
  }
  int64_t sourceElements() const {
    return ceilDiv(images_ * channels_ * plan_.channelSize + kOverread, 64) * 64;
  }
  // A line holds the positions of some rows, rounded up to whole tiles.
  int64_t lineElements() const {
    return kLinePositions + kOverread;
  }
  size_t scratchElements() const {
    return static_cast<size_t>(sourceElements() + panelRows_ * lineElements());
  }

  // Weights of a panel as [channel, tap, row].
  T* panelOf(size_t pass, int64_t group, int64_t panel) const {
    int64_t at = 0;
    for (size_t p = 0; p < pass; p++) at += static_cast<int64_t>(plan_.passes[p].taps.size());
    const auto taps = static_cast<int64_t>(plan_.passes[pass].taps.size());
    return packed_ + at * results_ * groupChannels_ +
           (group * groupResults_ + panel * panelRows_) * groupChannels_ * taps;
  }

  void packWeights(int64_t group, int64_t panel) {
    const int64_t kernel = plan_.window.kernelSize();
    const int64_t perGroup = plan_.c / plan_.groups;
    const int64_t first = panel * panelRows_;
    const int rows = static_cast<int>(least(panelRows_, groupResults_ - first));
    // w is [o, c, kernel]: results are its first dim forward and its second in the gradient.
    const int64_t rowStep = inputGrad_ ? kernel : perGroup * kernel;
    const int64_t channelStep = inputGrad_ ? perGroup * kernel : kernel;
    const int64_t start = group * (plan_.o / plan_.groups) * perGroup * kernel;
    const T* from = weights_ + start + first * rowStep;
    for (size_t p = 0; p < plan_.passes.size(); p++) {
      const ConvolutionPass& pass = plan_.passes[p];
      T* to = panelOf(p, group, panel);
      for (int64_t channel = 0; channel < groupChannels_; channel++)
        for (int32_t k : pass.kernels) {
          const T* w = from + channel * channelStep + k;
          for (int row = 0; row < rows; row++) *to++ = w[row * rowStep];
        }
    }
  }

  void correlate(int64_t piece, int thread) {
    T* planes = reinterpret_cast<T*>(run_.local(thread));
    T* lines = planes + sourceElements();
    const int64_t first = piece / splits_ * images_, split = piece % splits_;
    const int64_t images = least(images_, plan_.n - first);
    for (int64_t i = 0; i < images * channels_; i++)
      padChannel(plan_, planes + i * plan_.channelSize,
                 source_ + (first * channels_ + i) * sourceSize_);
    zero(planes + images * channels_ * plan_.channelSize, kOverread);
    const int64_t panelBegin = panels_ * split / splits_;
    const int64_t panelEnd = panels_ * (split + 1) / splits_;
    for (size_t pass = 0; pass < plan_.passes.size(); pass++)
      for (int64_t group = 0; group < plan_.groups; group++)
        for (int64_t panel = panelBegin; panel < panelEnd; panel++)
          if (byRows_)
            correlateRows(group, panel, first, images, planes, lines);
          else
            for (int64_t i = 0; i < images; i++)
              correlatePanel(pass, group, panel, first + i,
                             planes + (i * channels_ + group * groupChannels_) * plan_.channelSize,
                             lines);
  }

  // Vectors of the same row of several images at once, over the kernel's rows that meet the source.
  void correlateRows(int64_t group, int64_t panel, int64_t image, int64_t images, const T* planes,
                     T* tile) {
    const ConvolutionPass& pass = plan_.passes[0];
    const int64_t across = plan_.window.k[2], each = ceilDiv(pass.count[2], kWidth<T>);
    const int64_t row = panel * panelRows_, imageStep = channels_ * plan_.channelSize;
    const int rows = static_cast<int>(least(panelRows_, groupResults_ - row));
    T* to = target_ + (image * results_ + group * groupResults_ + row) * targetSize_;
    planes += group * groupChannels_ * plan_.channelSize;
    for (int64_t t1 = 0; t1 < pass.count[1]; t1++) {
      const KernelRows met = kernelRows(t1);
      const int64_t firstTap = met.first * across;
      for (int64_t v = 0; v < images * each; v += kApart) {
        const T* sources[kApart];
        // What is computed twice at the end is written once.
        for (int64_t j = 0; j < kApart; j++) {
          const int64_t at = least(v + j, images * each - 1);
          sources[j] = planes + at / each * imageStep + t1 * plan_.plane[2] +
                       at % each * kWidth<T>;
        }
        correlateApartOf<T>(rows)(groupChannels_, plan_.channelSize, pass.taps.data() + firstTap,
                                  met.count * across,
                                  panelOf(0, group, panel) + firstTap * rows,
                                  plan_.window.kernelSize() * rows, sources, tile);
        for (int64_t j = 0; j < least(kApart, images * each - v); j++)
          for (int r = 0; r < rows; r++) {
            const int64_t x = (v + j) % each * kWidth<T>;
            T* plane = to + ((v + j) / each * results_ + r) * targetSize_;
            const T* from = tile + (r * kApart + j) * kWidth<T>;
            copyOver(plane + t1 * pass.count[2] + x, plane + targetSize_, from,
                     from + kWidth<T>, least(kWidth<T>, pass.count[2] - x));
          }
      }
    }
  }

  // All positions of one pass for the results of one panel and one image, some rows at a time.
  void correlatePanel(size_t number, int64_t group, int64_t panel, int64_t image, const T* planes,
                      T* lines) {
    const ConvolutionPass& pass = plan_.passes[number];
    const int64_t row = panel * panelRows_;
    const int rows = static_cast<int>(least(panelRows_, groupResults_ - row));
    T* to = target_ + (image * results_ + group * groupResults_ + row) * targetSize_;
    const int64_t width = plan_.plane[2];
    const int64_t atOnce = most(1, kLinePositions / most(width, 1));
    const int64_t lineStep = lineElements();
    for (int64_t t0 = 0; t0 < pass.count[0]; t0++)
      for (int64_t t1 = 0; t1 < pass.count[1]; t1 += atOnce) {
        const int64_t count = least(atOnce, pass.count[1] - t1);
        for (int64_t t2 = 0; t2 < pass.count[2]; t2 += kLinePositions) {
          const int64_t across = least(kLinePositions, pass.count[2] - t2);
          const int64_t start = (t0 * plan_.plane[1] + t1) * width + t2;
          correlateLine(number, group, panel, rows, planes + start, lines,
                        (count - 1) * width + across);
          for (int r = 0; r < rows; r++)
            writeRows(pass, to + r * targetSize_, lines + r * lineStep, t0, t1, count, t2, across);
        }
      }
  }

  void correlateLine(size_t number, int64_t group, int64_t panel, int rows, const T* planes,
                     T* lines, int64_t positions) {
    const ConvolutionPass& pass = plan_.passes[number];
    const T* weights = panelOf(number, group, panel);
    for (int64_t q = 0; q < positions;) {
      int vectors = vectorsFor(rows);
      while (vectors > 1 && (positions - q) <= vectors / 2 * kWidth<T>) vectors /= 2;
      // One loop over all taps of all channels where they were listed.
      const bool isFlat = !pass.flat.empty();
      const std::vector<int32_t>& taps = isFlat ? pass.flat : pass.taps;
      correlateTileOf<T>(rows, vectors)(
          isFlat ? 1 : groupChannels_, plan_.channelSize, taps.data(),
          static_cast<int64_t>(taps.size()), weights, planes + q, lines + q, lineElements());
      q += vectors * kWidth<T>;
    }
  }

  void writeRows(const ConvolutionPass& pass, T* to, const T* from, int64_t t0, int64_t t1,
                 int64_t count, int64_t t2, int64_t across) const {
    const T* const end = to + targetSize_;
    const bool inOrder = plan_.passes.size() == 1;
    for (int64_t i = 0; i < count; i++, from += plan_.plane[2]) {
      const int64_t at0 = pass.start[0] + t0 * pass.step[0];
      const int64_t at1 = pass.start[1] + (t1 + i) * pass.step[1];
      T* row = to + (at0 * sizes_[1] + at1) * sizes_[2] + pass.start[2] + t2 * pass.step[2];
      if (inOrder && pass.step[2] == 1)
        copyOver(row, end, from, from + across + kOverread, across);
      else
        for (int64_t j = 0; j < across; j++) row[j * pass.step[2]] = from[j];
    }
  }
};

template <typename T>
void correlate(const ConvolutionPlan& plan, Run& run, bool inputGrad) {
  Correlation<T>(plan, run, inputGrad).run();
}

}  // namespace

void runConvolution(const ConvolutionPlan& plan, Run& run) {
  if (suitsWinograd(plan)) return runWinograd(plan, run, false);
  if (suitsPatches(plan, false)) return runPatches(plan, run, false);
  plan.dtype == DType::kFloat32 ? correlate<float>(plan, run, false)
                                : correlate<double>(plan, run, false);
}

void runConvolutionInputGrad(const ConvolutionPlan& plan, Run& run) {
  if (suitsWinograd(plan)) return runWinograd(plan, run, true);
  if (suitsPatches(plan, true)) return runPatches(plan, run, true);
  plan.dtype == DType::kFloat32 ? correlate<float>(plan, run, true)
                                : correlate<double>(plan, run, true);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
