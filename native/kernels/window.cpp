// windowArgMax: where the first maximum of each window lies in its plane.
#include "run.h"
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

namespace {

template <typename T>
GRADUS_INLINE bool isBetter(T value, T best) {
  return (value > best) | ((value != value) & (best == best));
}

// The part [low, high) of a kernel dim that lies inside the input, for output o.
GRADUS_INLINE int64_t clip(const Window& w, int d, int64_t o, int64_t& low, int64_t& high) {
  const int64_t start = o * w.stride[d] - w.pad[d];
  low = start >= 0 ? 0 : ceilDiv(-start, w.dilation[d]);
  high = start >= w.in[d] ? 0 : least(w.k[d], (w.in[d] - 1 - start) / w.dilation[d] + 1);
  return start;
}

template <typename T>
int32_t argMaxAt(const Window& w, const T* x, int64_t o0, int64_t o1, int64_t o2) {
  int64_t low[kMaxSpatial], high[kMaxSpatial];
  const int64_t s0 = clip(w, 0, o0, low[0], high[0]);
  const int64_t s1 = clip(w, 1, o1, low[1], high[1]);
  const int64_t s2 = clip(w, 2, o2, low[2], high[2]);
  int64_t at = -1;
  T best = T{0};
  for (int64_t k0 = low[0]; k0 < high[0]; k0++)
    for (int64_t k1 = low[1]; k1 < high[1]; k1++) {
      const int64_t row =
          ((s0 + k0 * w.dilation[0]) * w.in[1] + s1 + k1 * w.dilation[1]) * w.in[2] + s2;
      for (int64_t k2 = low[2]; k2 < high[2]; k2++) {
        const int64_t i = row + k2 * w.dilation[2];
        if (at >= 0 && !isBetter(x[i], best)) continue;
        at = i;
        best = x[i];
      }
    }
  return static_cast<int32_t>(at < 0 ? 0 : at);
}

template <typename T>
void argMaxPlane(const Window& w, const T* x, int32_t* out) {
  for (int64_t o0 = 0; o0 < w.out[0]; o0++)
    for (int64_t o1 = 0; o1 < w.out[1]; o1++)
      for (int64_t o2 = 0; o2 < w.out[2]; o2++) *out++ = argMaxAt(w, x, o0, o1, o2);
}

// Windows of 2 by 2, side by side and inside the input: no branches, so that rows become vectors.
bool isPairs(const Window& w) {
  const bool flat = w.in[0] == 1 && w.k[0] == 1 && w.out[0] == 1 && w.pad[0] == 0;
  bool fits = true;
  for (int d = 1; d < kMaxSpatial; d++)
    fits &= w.k[d] == 2 && w.stride[d] == 2 && w.pad[d] == 0 && w.dilation[d] == 1 &&
            2 * w.out[d] <= w.in[d];
  return flat && fits;
}

// What may be read behind a plane, and written behind its places.
template <typename T>
struct Room {
  const T* x;
  int32_t* out;
};

template <typename T>
void argMaxPairs(const Window& w, const T* x, int32_t* out, const Room<T>&) {
  const auto width = static_cast<int32_t>(w.in[2]);
  for (int64_t row = 0; row < w.out[1]; row++, out += w.out[2]) {
    const T* top = x + 2 * row * width;
    const T* bottom = top + width;
    const auto first = static_cast<int32_t>(2 * row * width);
    for (int32_t j = 0; j < static_cast<int32_t>(w.out[2]); j++) {
      const T a = top[2 * j], b = top[2 * j + 1], c = bottom[2 * j], d = bottom[2 * j + 1];
      const bool right = isBetter(b, a), lowRight = isBetter(d, c);
      const T high = right ? b : a, low = lowRight ? d : c;
      const int32_t highAt = right, lowAt = width + lowRight;
      out[j] = first + 2 * j + (isBetter(low, high) ? lowAt : highAt);
    }
  }
}

typedef Vector<float> VF;
typedef Vector<int32_t> VI;
constexpr int kStep = kWidth<float>;

GRADUS_INLINE VI isBetter(VF value, VF best) {
  return (value > best) | ((value != value) & (best == best));
}

// Elements first, first + 2 … of two vectors in a row.
template <int first, int... I>
GRADUS_INLINE VF everySecond(VF a, VF b, std::integer_sequence<int, I...>) {
  return GRADUS_SHUFFLE(float, a, b, (2 * I + first)...);
}

template <int... I>
GRADUS_INLINE VI ramp(std::integer_sequence<int, I...>) {
  return VI{(2 * I)...};
}

// One vector of windows whose upper left element has the flat index `first`.
GRADUS_INLINE void argMaxStep(const float* top, const float* bottom, int32_t width, int32_t first,
                              int32_t* out) {
  const VF a = load(top), b = load(top + kStep), c = load(bottom), d = load(bottom + kStep);
  const VF a0 = everySecond<0>(a, b, kEachLane<float>);
  const VF a1 = everySecond<1>(a, b, kEachLane<float>);
  const VF c0 = everySecond<0>(c, d, kEachLane<float>);
  const VF c1 = everySecond<1>(c, d, kEachLane<float>);
  const VI right = isBetter(a1, a0), lowRight = isBetter(c1, c0);
  const VF high = right ? a1 : a0, low = lowRight ? c1 : c0;
  // A true lane is −1.
  const VI lower = isBetter(low, high);
  const VI place = lower ? width - lowRight : -right;
  store<int32_t>(out, place + ramp(kEachLane<float>) + first);
}

// Whole vectors are read and stored where there is room; what they write too much, later rows and
// planes put right.
template <>
void argMaxPairs(const Window& w, const float* x, int32_t* out, const Room<float>& room) {
  const auto width = static_cast<int32_t>(w.in[2]);
  for (int64_t row = 0; row < w.out[1]; row++, out += w.out[2]) {
    const auto first = static_cast<int32_t>(2 * row * width);
    for (int64_t j = 0; j < w.out[2]; j += kStep) {
      const float* top = x + first + 2 * j;
      const int32_t at = first + static_cast<int32_t>(2 * j);
      if (room.x - (top + width) >= 2 * kStep && room.out - (out + j) >= kStep) {
        argMaxStep(top, top + width, width, at, out + j);
        continue;
      }
      const auto count = static_cast<size_t>(least(kStep, w.out[2] - j));
      float rows[2][2 * kStep] = {};
      int32_t places[kStep];
      std::memcpy(rows[0], top, 2 * count * sizeof(float));
      std::memcpy(rows[1], top + width, 2 * count * sizeof(float));
      argMaxStep(rows[0], rows[1], width, at, places);
      std::memcpy(out + j, places, count * sizeof(int32_t));
    }
  }
}

template <typename T>
void argMax(const WindowPlan& plan, Run& run) {
  const Window& w = plan.window;
  const T* x = run.at<const T>(plan.x);
  int32_t* out = run.at<int32_t>(plan.out);
  const int64_t size = w.outSize();
  if (size == 0) return;
  const int64_t work = most(1, size * w.kernelSize());
  const int64_t group = most(1, 16384 / work);
  const bool pairs = isPairs(w);
  run.parallelFor(ceilDiv(plan.planes, group), plan.planes * work > 32768, [&](int64_t p, int) {
    const int64_t end = least(plan.planes, (p + 1) * group);
    const Room<T> room = {x + plan.planes * w.inSize(), out + end * size};
    for (int64_t plane = p * group; plane < end; plane++)
      if (pairs)
        argMaxPairs(w, x + plane * w.inSize(), out + plane * size, room);
      else
        argMaxPlane(w, x + plane * w.inSize(), out + plane * size);
  });
}

}  // namespace

void runWindowArgMax(const WindowPlan& plan, Run& run) {
  switch (plan.dtype) {
    case DType::kFloat32:
      return argMax<float>(plan, run);
    case DType::kFloat64:
      return argMax<double>(plan, run);
    case DType::kInt32:
      return argMax<int32_t>(plan, run);
    default:
      return argMax<uint8_t>(plan, run);
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
