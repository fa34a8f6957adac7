// windowSum and its transpose. A window's sum is one over rows, then one along the row: the first
// adds whole rows as vectors, and float32 is summed in float64.
#include "run.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

template <typename T>
struct Sum {
  using type = uint32_t;
};
template <>
struct Sum<float> {
  using type = double;
};
template <>
struct Sum<double> {
  using type = double;
};

struct Range {
  int64_t low, high;
};

// The places k of a window over `size` elements that starts at `start` for which start + k·dilation
// is inside.
GRADUS_INLINE Range inside(int64_t start, int64_t k, int64_t dilation, int64_t size) {
  if (start >= 0 && start + (k - 1) * dilation < size) return {0, k};
  const int64_t low = start >= 0 ? 0 : ceilDiv(-start, dilation);
  return {low, start >= size ? 0 : least(k, (size - 1 - start) / dilation + 1)};
}

template <typename A, typename T>
GRADUS_INLINE void addRow(A* sum, const T* row, int64_t n) {
  GRADUS_INDEPENDENT
  for (int64_t i = 0; i < n; i++) sum[i] += static_cast<A>(row[i]);
}

template <typename A>
GRADUS_INLINE void clear(A* sum, int64_t n) {
  std::memset(sum, 0, static_cast<size_t>(n) * sizeof(A));
}

// One row of results from the sum of the rows that its windows span.
template <typename A, typename T>
void sumAlong(const Window& w, const A* sum, T* out) {
  const int64_t stride = w.stride[2], dilation = w.dilation[2], k = w.k[2];
  for (int64_t o = 0; o < w.out[2]; o++) {
    const int64_t start = o * stride - w.pad[2];
    const Range range = inside(start, k, dilation, w.in[2]);
    A total = 0;
    for (int64_t i = range.low; i < range.high; i++) total += sum[start + i * dilation];
    out[o] = static_cast<T>(total);
  }
}

template <typename A, typename T>
void sumPlane(const Window& w, const T* x, T* out, A* sum) {
  for (int64_t o0 = 0; o0 < w.out[0]; o0++) {
    const int64_t s0 = o0 * w.stride[0] - w.pad[0];
    const Range r0 = inside(s0, w.k[0], w.dilation[0], w.in[0]);
    for (int64_t o1 = 0; o1 < w.out[1]; o1++, out += w.out[2]) {
      const int64_t s1 = o1 * w.stride[1] - w.pad[1];
      const Range r1 = inside(s1, w.k[1], w.dilation[1], w.in[1]);
      clear(sum, w.in[2]);
      for (int64_t k0 = r0.low; k0 < r0.high; k0++)
        for (int64_t k1 = r1.low; k1 < r1.high; k1++) {
          const int64_t row = (s0 + k0 * w.dilation[0]) * w.in[1] + s1 + k1 * w.dilation[1];
          addRow(sum, x + row * w.in[2], w.in[2]);
        }
      sumAlong(w, sum, out);
    }
  }
}

// Calls f(o) for each output along a dim whose window has input i.
template <typename F>
GRADUS_INLINE void forCovering(const Window& w, int d, int64_t i, F&& f) {
  const int64_t reach = i + w.pad[d];
  if (w.k[d] == 1 && w.stride[d] == 1) {
    if (reach >= 0 && reach < w.out[d]) f(reach);
    return;
  }
  for (int64_t k = 0; k < w.k[d]; k++) {
    const int64_t at = reach - k * w.dilation[d];
    if (at < 0) return;
    if (at % w.stride[d] == 0 && at / w.stride[d] < w.out[d]) f(at / w.stride[d]);
  }
}

// One row of results: each sum goes to all places of its window along the row.
template <typename A, typename T>
void spreadAlong(const Window& w, const A* sum, A* wide, T* out) {
  clear(wide, w.in[2]);
  for (int64_t o = 0; o < w.out[2]; o++) {
    const int64_t start = o * w.stride[2] - w.pad[2];
    const Range range = inside(start, w.k[2], w.dilation[2], w.in[2]);
    for (int64_t i = range.low; i < range.high; i++) wide[start + i * w.dilation[2]] += sum[o];
  }
  for (int64_t i = 0; i < w.in[2]; i++) out[i] = static_cast<T>(wide[i]);
}

template <typename A, typename T>
void spreadPlane(const Window& w, const T* g, T* out, A* sum) {
  for (int64_t i0 = 0; i0 < w.in[0]; i0++)
    for (int64_t i1 = 0; i1 < w.in[1]; i1++, out += w.in[2]) {
      clear(sum, w.out[2]);
      forCovering(w, 0, i0, [&](int64_t o0) {
        forCovering(w, 1, i1, [&](int64_t o1) {
          addRow(sum, g + (o0 * w.out[1] + o1) * w.out[2], w.out[2]);
        });
      });
      spreadAlong(w, sum, sum + w.out[2], out);
    }
}

template <typename T, bool isGrad>
void sumWindows(const WindowPlan& plan, Run& run) {
  using A = typename Sum<T>::type;
  const Window& w = plan.window;
  const T* x = run.at<const T>(plan.x);
  T* out = run.at<T>(plan.out);
  const int64_t from = isGrad ? w.outSize() : w.inSize();
  const int64_t to = isGrad ? w.inSize() : w.outSize();
  if (plan.planes == 0 || to == 0) return;
  if (!run.reserveLocalsOf<A>(w.in[2] + w.out[2])) return;
  const int64_t work = most(1, w.outSize() * (w.k[0] * w.k[1] + w.k[2]));
  const int64_t group = most(1, 16384 / work);
  const bool isLarge = plan.planes > 32768 / work;
  run.parallelFor(ceilDiv(plan.planes, group), isLarge, [&](int64_t p, int thread) {
    auto* sum = reinterpret_cast<A*>(run.local(thread));
    const int64_t end = least(plan.planes, (p + 1) * group);
    for (int64_t plane = p * group; plane < end; plane++) {
      if constexpr (isGrad)
        spreadPlane(w, x + plane * from, out + plane * to, sum);
      else
        sumPlane(w, x + plane * from, out + plane * to, sum);
    }
  });
}

template <bool isGrad>
void sumWindowsOf(const WindowPlan& plan, Run& run) {
  switch (plan.dtype) {
    case DType::kFloat32:
      return sumWindows<float, isGrad>(plan, run);
    case DType::kFloat64:
      return sumWindows<double, isGrad>(plan, run);
    case DType::kInt32:
      return sumWindows<uint32_t, isGrad>(plan, run);
    default:
      return sumWindows<uint8_t, isGrad>(plan, run);
  }
}

}  // namespace

void runWindowSum(const WindowPlan& plan, Run& run) { sumWindowsOf<false>(plan, run); }

void runWindowSumGrad(const WindowPlan& plan, Run& run) { sumWindowsOf<true>(plan, run); }

}  // namespace GRADUS_ISA
}  // namespace gradus
