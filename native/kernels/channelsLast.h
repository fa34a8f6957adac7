// Padded images with channels innermost, [d0, d1, d2, C]: neighbouring taps of a kernel row then
// lie side by side.
#pragma once
#include "pack.h"
#include "planes.h"

namespace gradus {
namespace GRADUS_ISA {

struct ChannelsLast {
  int64_t size[kMaxSpatial];  // padded sizes, as far as any tap reads
  int64_t imageStep;          // elements from one image to the next, zeros behind included
};

// Vector loads may pass the end of an image by this many elements.
constexpr int64_t kImageSlack = 128;

inline ChannelsLast channelsLastOf(const ConvolutionPlan& plan) {
  const Window& w = plan.window;
  ChannelsLast layout;
  layout.imageStep = plan.c;
  for (int d = 0; d < kMaxSpatial; d++) {
    layout.size[d] = (w.out[d] - 1) * w.stride[d] + (w.k[d] - 1) * w.dilation[d] + 1;
    layout.imageStep *= layout.size[d];
  }
  layout.imageStep += kImageSlack;
  return layout;
}

// One image [C, in…]. Rows are transposed in whole vectors, and what these write behind a row comes
// next.
template <typename T>
void padChannelsLast(const ConvolutionPlan& plan, const ChannelsLast& layout, T* to,
                     const T* from) {
  const Window& w = plan.window;
  const int64_t channels = plan.c, plane = w.inSize(), row = layout.size[2] * channels;
  const T* const toEnd = to + layout.imageStep;
  const int64_t before = least(layout.size[2], most(0, w.pad[2]));
  const int64_t skipped = most(0, -w.pad[2]);
  const int64_t inside = most(0, least(w.in[2] - skipped, layout.size[2] - before));
  for (int64_t i0 = 0; i0 < layout.size[0]; i0++)
    for (int64_t i1 = 0; i1 < layout.size[1]; i1++, to += row) {
      const int64_t at0 = i0 - w.pad[0], at1 = i1 - w.pad[1];
      if (at0 < 0 || at0 >= w.in[0] || at1 < 0 || at1 >= w.in[1]) {
        zeroOver(to, toEnd, row);
        continue;
      }
      zeroOver(to, toEnd, before * channels);
      packPanel(to + before * channels, static_cast<int>(channels), static_cast<int>(channels),
                from + (at0 * w.in[1] + at1) * w.in[2] + skipped, plane, 1, inside);
      const int64_t after = before + inside;
      zeroOver(to + after * channels, toEnd, (layout.size[2] - after) * channels);
    }
  zero(to, toEnd - to);
}

}  // namespace GRADUS_ISA
}  // namespace gradus
