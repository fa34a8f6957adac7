// Weight gradients of convolutions of few channels: each is a dot product, over all positions of
// all images, of a plane of the output's gradient with a shifted view of a padded input plane.
// Vectors run along the positions; places between rows hold zeros in the gradient. (An infinity in
// x can so turn entries of its own channel to NaN that it does not reach by itself.)
#include "convolutionWeight.h"
#include "planes.h"
#include "winograd.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

#if GRADUS_VECTOR_BYTES == 64
constexpr int kGradRows = 6, kGradColumns = 4;
#else
constexpr int kGradRows = 3, kGradColumns = 3;
#endif
constexpr int64_t kTasks = 8;
// Planes that are walked for all weights of a task before the next.
constexpr int64_t kGroupBytes = 96 * 1024;
// Sums of a task, each a vector.
constexpr int64_t kSumElements = 16 * 1024;

// sums[i][j] += products of a[i·aStep + …] and b[columns[j] + …], lane by lane, over images and
// positions; sums has rows of kGradColumns vectors.
template <typename T, int MR, int NJ>
void dotPlanes(int64_t images, int64_t vectors, const T* a, int64_t aStep, int64_t aImage,
               const T* b, const int64_t* columns, int64_t bImage, T* sums) {
  Vector<T> tile[MR][NJ];
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++)
#pragma GCC unroll 8
    for (int j = 0; j < NJ; j++) tile[i][j] = load(sums + (i * kGradColumns + j) * kWidth<T>);
  for (int64_t image = 0; image < images; image++, a += aImage, b += bImage)
    for (int64_t v = 0; v < vectors; v++) {
      Vector<T> row[NJ];
#pragma GCC unroll 8
      for (int j = 0; j < NJ; j++) row[j] = load(b + columns[j] + v * kWidth<T>);
#pragma GCC unroll 8
      for (int i = 0; i < MR; i++) {
        const Vector<T> value = load(a + i * aStep + v * kWidth<T>);
#pragma GCC unroll 8
        for (int j = 0; j < NJ; j++) tile[i][j] += value * row[j];
      }
    }
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++)
#pragma GCC unroll 8
    for (int j = 0; j < NJ; j++) store(sums + (i * kGradColumns + j) * kWidth<T>, tile[i][j]);
}

template <typename T>
using DotPlanes = void (*)(int64_t, int64_t, const T*, int64_t, int64_t, const T*, const int64_t*,
                           int64_t, T*);

template <typename T, int MR = kGradRows, int NJ = kGradColumns>
DotPlanes<T> dotPlanesOf(int rows, int columns) {
  if constexpr (MR > 1)
    if (rows < MR) return dotPlanesOf<T, MR - 1, NJ>(rows, columns);
  if constexpr (NJ > 1)
    if (columns < NJ) return dotPlanesOf<T, MR, NJ - 1>(rows, columns);
  return dotPlanes<T, MR, NJ>;
}

template <typename T>
class WeightGrad {
 public:
  WeightGrad(const ConvolutionPlan& plan, Run& run) : plan_(plan), run_(run) {
    const ConvolutionPass& pass = plan.passes[0];
    kernel_ = plan.window.kernelSize();
    groupChannels_ = plan.c / plan.groups;
    groupResults_ = plan.o / plan.groups;
    columns_ = groupChannels_ * kernel_;
    const int64_t* plane = plan.plane;
    const int64_t positions =
        ((pass.count[0] - 1) * plane[1] + pass.count[1] - 1) * plane[2] + pass.count[2];
    vectors_ = plan.window.outSize() == 0 ? 0 : ceilDiv(positions, kWidth<T>);
    lineSize_ = vectors_ * kWidth<T>;
    cut();
  }

  void run();

 private:
  const ConvolutionPlan& plan_;
  Run& run_;
  int64_t kernel_, groupChannels_, groupResults_, columns_, vectors_, lineSize_;
  int64_t parts_, partImages_, groupImages_, taskColumns_;
  T* partials_ = nullptr;

  int64_t weights() const { return plan_.o * columns_; }
  // Of some images, the channels of one group: planes of the input, lines of the gradient.
  int64_t planeElements() const {
    return ceilDiv(groupImages_ * groupChannels_ * plan_.channelSize + 64, 64) * 64;
  }
  int64_t lineElements() const {
    return ceilDiv(groupImages_ * groupResults_ * lineSize_ + 64, 64) * 64;
  }
  int64_t sumElements() const { return groupResults_ * taskColumns_ * kWidth<T>; }

  void cut() {
    parts_ = partsOf(plan_);
    partImages_ = ceilDiv(plan_.n, parts_);
    parts_ = most(1, ceilDiv(plan_.n, most(partImages_, 1)));
    const int64_t image = (groupChannels_ * plan_.channelSize + groupResults_ * lineSize_) *
                          static_cast<int64_t>(sizeof(T));
    groupImages_ = most(1, least(partImages_, kGroupBytes / most(image, 1)));
    const int64_t chunks = ceilDiv(kTasks, parts_ * plan_.groups);
    const int64_t fit = kSumElements / most(1, groupResults_ * kWidth<T>);
    taskColumns_ = least(ceilDiv(most(columns_, 1), chunks), fit);
    taskColumns_ = most(1, ceilDiv(taskColumns_, kGradColumns)) * kGradColumns;
  }

  // Row by row as the padded planes lie, with zeros between.
  void padGradient(T* to, const T* from) const {
    const int64_t *out = plan_.window.out, *plane = plan_.plane;
    const T *const toEnd = to + lineSize_, *const fromEnd = from + plan_.window.outSize();
    for (int64_t i = 0; i < out[0]; i++) {
      for (int64_t j = 0; j < out[1]; j++, from += out[2]) {
        copyOver(to, toEnd, from, fromEnd, out[2]);
        to += out[2];
        const int64_t gap = least(plane[2] - out[2], toEnd - to);
        zeroOver(to, toEnd, gap);
        to += gap;
      }
      const int64_t gap = least((plane[1] - out[1]) * plane[2], toEnd - to);
      zeroOver(to, toEnd, gap);
      to += gap;
    }
    zero(to, toEnd - to);
  }

  void sumTask(int64_t part, int64_t group, int64_t begin, int64_t end, T* scratch);
  void sumColumns(int64_t images, int64_t column, int count, const T* planes, const T* lines,
                  T* sums);
  void mergeParts();
};

template <typename T>
void WeightGrad<T>::run() {
  if (weights() == 0) return;
  partials_ = run_.template sharedOf<T>(parts_ * weights());
  const int64_t local = planeElements() + lineElements() + sumElements();
  if (partials_ == nullptr || !run_.template reserveLocalsOf<T>(local)) return;
  const bool parallel =
      static_cast<double>(weights()) * static_cast<double>(plan_.n * lineSize_) >= 1 << 18;
  const int64_t chunks = ceilDiv(columns_, taskColumns_);
  run_.parallelFor(parts_ * plan_.groups * chunks, parallel, [&](int64_t task, int thread) {
    const int64_t begin = task % chunks * taskColumns_;
    sumTask(task / chunks / plan_.groups, task / chunks % plan_.groups, begin,
            least(columns_, begin + taskColumns_), reinterpret_cast<T*>(run_.local(thread)));
  });
  mergeParts();
}

// Some columns (channel and tap) of all rows of a group, over the images of a part.
template <typename T>
void WeightGrad<T>::sumTask(int64_t part, int64_t group, int64_t begin, int64_t end, T* scratch) {
  T *lines = scratch + planeElements(), *sums = lines + lineElements();
  zero(sums, sumElements());
  const T* x = run_.at<const T>(plan_.x);
  const T* y = run_.at<const T>(plan_.y);
  const int64_t last = least(plan_.n, (part + 1) * partImages_);
  const int64_t chunkStep = groupResults_ * kGradColumns * kWidth<T>;
  for (int64_t first = part * partImages_; first < last; first += groupImages_) {
    const int64_t images = least(groupImages_, last - first);
    for (int64_t i = 0; i < images * groupChannels_; i++) {
      const int64_t channel = group * groupChannels_ + i % groupChannels_;
      padChannel(plan_, scratch + i * plan_.channelSize,
                 x + ((first + i / groupChannels_) * plan_.c + channel) * plan_.window.inSize());
    }
    for (int64_t i = 0; i < images * groupResults_; i++) {
      const int64_t result = group * groupResults_ + i % groupResults_;
      padGradient(lines + i * lineSize_,
                  y + ((first + i / groupResults_) * plan_.o + result) * plan_.window.outSize());
    }
    // Loads pass the last plane by less than its slack and a vector.
    zero(scratch + images * groupChannels_ * plan_.channelSize, 64);
    for (int64_t column = begin; column < end; column += kGradColumns)
      sumColumns(images, column, static_cast<int>(least(kGradColumns, end - column)), scratch,
                 lines, sums + (column - begin) / kGradColumns * chunkStep);
  }
  T* to = partials_ + part * weights() + group * groupResults_ * columns_;
  for (int64_t column = begin; column < end; column++) {
    const int64_t chunk = (column - begin) / kGradColumns, j = (column - begin) % kGradColumns;
    for (int64_t row = 0; row < groupResults_; row++) {
      const T* sum = sums + chunk * chunkStep + (row * kGradColumns + j) * kWidth<T>;
      to[row * columns_ + column] = sumLanes<T>(load(sum));
    }
  }
}

template <typename T>
void WeightGrad<T>::sumColumns(int64_t images, int64_t column, int count, const T* planes,
                               const T* lines, T* sums) {
  const ConvolutionPass& pass = plan_.passes[0];
  int64_t sources[kGradColumns];
  for (int j = 0; j < count; j++) {
    const int64_t channel = (column + j) / kernel_, tap = (column + j) % kernel_;
    sources[j] = channel * plan_.channelSize + pass.taps[static_cast<size_t>(tap)];
  }
  for (int64_t row = 0; row < groupResults_; row += kGradRows) {
    const int rows = static_cast<int>(least(kGradRows, groupResults_ - row));
    dotPlanesOf<T>(rows, count)(images, vectors_, lines + row * lineSize_, lineSize_,
                                groupResults_ * lineSize_, planes, sources,
                                groupChannels_ * plan_.channelSize,
                                sums + row * kGradColumns * kWidth<T>);
  }
}

template <typename T>
void WeightGrad<T>::mergeParts() {
  T* w = run_.at<T>(plan_.w);
  run_.parallelFor(ceilDiv(weights(), 4096), weights() > 65536, [&](int64_t piece, int) {
    const int64_t end = least(weights(), (piece + 1) * 4096);
    for (int64_t i = piece * 4096; i < end; i++) {
      double sum = 0;
      for (int64_t part = 0; part < parts_; part++)
        sum += static_cast<double>(partials_[part * weights() + i]);
      w[i] = static_cast<T>(sum);
    }
  });
}

}  // namespace

void runConvolutionWeightGrad(const ConvolutionPlan& plan, Run& run) {
  if (suitsWinograd(plan)) return runWinogradWeightGrad(plan, run);
  if (plan.o > 0 && plan.c > 0 && suitsPanels(plan)) return runPanelWeightGrad(plan, run);
  if (plan.dtype == DType::kFloat32)
    WeightGrad<float>(plan, run).run();
  else
    WeightGrad<double>(plan, run).run();
}

}  // namespace GRADUS_ISA
}  // namespace gradus
