// Weight gradients where a row of the kernel spans enough channels: for each row of taps, the
// gradient of the output times the shifted images is a matrix product whose long side is all
// positions of all images. With channels innermost its second factor is read in place.
#include "channelsLast.h"
#include "convolutionWeight.h"
#include "microkernel.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

constexpr int64_t kDepth = 512;  // products that are summed before they go into memory
constexpr int64_t kSlack = 64;   // elements behind a panel that transposing may write

template <typename T>
class PanelWeightGrad {
 public:
  PanelWeightGrad(const ConvolutionPlan& plan, Run& run)
      : plan_(plan), run_(run), layout_(channelsLastOf(plan)) {
    const Window& w = plan.window;
    groupChannels_ = plan.c / plan.groups;
    groupResults_ = plan.o / plan.groups;
    positions_ = w.outSize();
    runTaps_ = tapsInRun(plan);
    runs_ = w.kernelSize() / runTaps_;
    lanes_ = runTaps_ * groupChannels_;
    panels_ = ceilDiv(groupResults_, kTileRows);
    panelRows_ = static_cast<int>(ceilDiv(groupResults_, panels_));
    panels_ = ceilDiv(groupResults_, panelRows_);
    parts_ = partsOf(plan);
    partImages_ = ceilDiv(plan.n, parts_);
    parts_ = ceilDiv(plan.n, partImages_);
  }

  void run();

 private:
  static constexpr int64_t kLanes = kTileVectors * kWidth<T>;
  const ConvolutionPlan& plan_;
  Run& run_;
  ChannelsLast layout_;
  int64_t groupChannels_, groupResults_, positions_;
  // Taps side by side; such runs in a kernel; taps·channels of one.
  int64_t runTaps_, runs_, lanes_;
  int64_t panels_, parts_, partImages_;
  int panelRows_;
  T *images_ = nullptr, *panelData_ = nullptr, *partials_ = nullptr;
  int32_t* offsets_ = nullptr;  // of each position

  int64_t weights() const { return plan_.o * runs_ * lanes_; }
  int64_t panelElements() const { return plan_.n * positions_ * panelRows_ + kSlack; }

  void listOffsets();
  void packPanelOf(int64_t group, int64_t panel);
  int64_t tapOffset(int64_t run) const;
  void sumTask(int64_t part, int64_t group, int64_t run, int64_t lane);
  void sumDepth(int64_t image, int64_t images, int64_t position, int64_t count, int64_t group,
                const T* source, int64_t width, T* to);
  void merge(int64_t result);
};

template <typename T>
void PanelWeightGrad<T>::run() {
  const int64_t imageElements = plan_.n * layout_.imageStep + kSlack;
  const int64_t panelTotal = plan_.groups * panels_ * panelElements();
  const int64_t elements = imageElements + panelTotal + parts_ * weights();
  const size_t offsetBytes = static_cast<size_t>(ceilDiv(positions_, 16) * 64);
  char* shared = run_.shared(offsetBytes + static_cast<size_t>(elements) * sizeof(T));
  if (shared == nullptr) return;
  offsets_ = reinterpret_cast<int32_t*>(shared);
  images_ = reinterpret_cast<T*>(shared + offsetBytes);
  panelData_ = images_ + imageElements;
  partials_ = panelData_ + panelTotal;
  listOffsets();
  const T* x = run_.at<const T>(plan_.x);
  const bool parallel =
      static_cast<double>(weights()) * static_cast<double>(plan_.n * positions_) >= 1 << 18;
  const int64_t packs = plan_.groups * panels_;
  run_.parallelFor(plan_.n + packs, parallel, [&](int64_t piece, int) {
    if (piece < plan_.n)
      padChannelsLast(plan_, layout_, images_ + piece * layout_.imageStep,
                      x + piece * plan_.c * plan_.window.inSize());
    else
      packPanelOf((piece - plan_.n) / panels_, (piece - plan_.n) % panels_);
  });
  const int64_t chunks = ceilDiv(lanes_, kLanes);
  run_.parallelFor(parts_ * plan_.groups * runs_ * chunks, parallel, [&](int64_t task, int) {
    const int64_t unit = task / chunks;
    sumTask(unit / runs_ / plan_.groups, unit / runs_ % plan_.groups, unit % runs_,
            task % chunks * kLanes);
  });
  run_.parallelFor(plan_.o, weights() > 65536, [&](int64_t result, int) { merge(result); });
}

template <typename T>
void PanelWeightGrad<T>::listOffsets() {
  const Window& w = plan_.window;
  int32_t* to = offsets_;
  for (int64_t o0 = 0; o0 < w.out[0]; o0++)
    for (int64_t o1 = 0; o1 < w.out[1]; o1++)
      for (int64_t o2 = 0; o2 < w.out[2]; o2++) {
        const int64_t row = o0 * w.stride[0] * layout_.size[1] + o1 * w.stride[1];
        *to++ = static_cast<int32_t>((row * layout_.size[2] + o2 * w.stride[2]) * plan_.c);
      }
}

// The output's gradient as [image, position, row] for the results of one panel.
template <typename T>
void PanelWeightGrad<T>::packPanelOf(int64_t group, int64_t panel) {
  const int64_t first = panel * panelRows_;
  const int rows = static_cast<int>(least(panelRows_, groupResults_ - first));
  const T* y = run_.at<const T>(plan_.y) + (group * groupResults_ + first) * positions_;
  T* to = panelData_ + (group * panels_ + panel) * panelElements();
  for (int64_t image = 0; image < plan_.n; image++)
    packPanel(to + image * positions_ * rows, rows, rows, y + image * plan_.o * positions_,
              positions_, 1, positions_);
}

template <typename T>
int64_t PanelWeightGrad<T>::tapOffset(int64_t run) const {
  const Window& w = plan_.window;
  const int64_t perRow = w.k[2] / runTaps_;
  const int64_t k2 = run % perRow * runTaps_, k1 = run / perRow % w.k[1];
  const int64_t k0 = run / perRow / w.k[1];
  const int64_t row = k0 * w.dilation[0] * layout_.size[1] + k1 * w.dilation[1];
  return (row * layout_.size[2] + k2 * w.dilation[2]) * plan_.c;
}

// Some lanes of one run of taps, for all results of a group and all images of a part.
template <typename T>
void PanelWeightGrad<T>::sumTask(int64_t part, int64_t group, int64_t run, int64_t lane) {
  const int64_t width = least(kLanes, lanes_ - lane);
  T* to = partials_ + part * weights() + (group * groupResults_ * runs_ + run) * lanes_ + lane;
  for (int64_t row = 0; row < groupResults_; row++) zero(to + row * runs_ * lanes_, width);
  const T* source = images_ + tapOffset(run) + group * groupChannels_ + lane;
  const int64_t last = least(plan_.n, (part + 1) * partImages_);
  const int64_t atOnce = most(1, kDepth / positions_);
  for (int64_t image = part * partImages_; image < last; image += atOnce) {
    const int64_t images = least(atOnce, last - image);
    for (int64_t position = 0; position < positions_; position += kDepth)
      sumDepth(image, images, position, least(kDepth, positions_ - position), group, source, width,
               to);
  }
}

template <typename T>
void PanelWeightGrad<T>::sumDepth(int64_t image, int64_t images, int64_t position, int64_t count,
                                  int64_t group, const T* source, int64_t width, T* to) {
  const int vectors = width > kWidth<T> ? 2 : 1;
  T spare[kTileRows * kLanes];
  for (int64_t panel = 0; panel < panels_; panel++) {
    const int64_t first = panel * panelRows_;
    const int rows = static_cast<int>(least(panelRows_, groupResults_ - first));
    const T* a = panelData_ + (group * panels_ + panel) * panelElements() +
                 (image * positions_ + position) * rows;
    correlateTileOf<T>(rows, vectors)(images, layout_.imageStep, offsets_ + position, count, a,
                                      source + image * layout_.imageStep, spare, kLanes);
    for (int row = 0; row < rows; row++) {
      T* sums = to + (first + row) * runs_ * lanes_;
      for (int64_t j = 0; j < width; j++) sums[j] += spare[row * kLanes + j];
    }
  }
}

// Adds the parts in order and puts the kernel's taps innermost again.
template <typename T>
void PanelWeightGrad<T>::merge(int64_t result) {
  const int64_t kernel = plan_.window.kernelSize(), size = runs_ * lanes_;
  T* w = run_.at<T>(plan_.w) + result * size;
  const T* from = partials_ + result * size;
  for (int64_t tap = 0; tap < kernel; tap++)
    for (int64_t channel = 0; channel < groupChannels_; channel++) {
      double sum = 0;
      for (int64_t part = 0; part < parts_; part++)
        sum += static_cast<double>(from[part * weights() + tap * groupChannels_ + channel]);
      w[channel * kernel + tap] = static_cast<T>(sum);
    }
}

}  // namespace

int64_t tapsInRun(const ConvolutionPlan& plan) {
  return plan.groups == 1 && plan.window.dilation[2] == 1 ? plan.window.k[2] : 1;
}

bool suitsPanels(const ConvolutionPlan& plan) {
  const int width = plan.dtype == DType::kFloat32 ? kWidth<float> : kWidth<double>;
  const ChannelsLast layout = channelsLastOf(plan);
  // Large strides skip most of an image, which the planes of the other way leave out.
  return plan.n > 0 && plan.window.outSize() > 0 &&
         layout.imageStep <= least(8 * plan.c * plan.channelSize + 65536, INT32_MAX) &&
         tapsInRun(plan) * (plan.c / plan.groups) >= width;
}

void runPanelWeightGrad(const ConvolutionPlan& plan, Run& run) {
  if (plan.dtype == DType::kFloat32)
    PanelWeightGrad<float>(plan, run).run();
  else
    PanelWeightGrad<double>(plan, run).run();
}

}  // namespace GRADUS_ISA
}  // namespace gradus
