// Winograd's minimal filtering F(4×4, 3×3): a tile of 4×4 results from 6×6 values by 36 products
// instead of 144 (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015). The
// polynomials are evaluated at 0, ±5/8, ±3/2 and ∞, whose rounding errors are a third of those of
// the usual 0, ±1, ±2, ∞. Vectors run along channels. Read winogradTiles.h next.
#pragma once
#include "blocked.h"
#include "run.h"

namespace gradus {
namespace GRADUS_ISA {

constexpr int kTile = 4;         // results of a tile along one dim
constexpr int kPatch = 6;        // values they are made of
constexpr int kPoints = 36;      // products a tile
constexpr int kTaps = 9;

namespace winograd {

constexpr float a = 0.625f, b = 1.5f;
constexpr float a2 = a * a, b2 = b * b, a3 = a2 * a, b3 = b2 * b;
constexpr float sum = a2 + b2, product = a2 * b2;
// What the filter's polynomial is divided by at each point.
constexpr float n0 = 1 / product, na = 1 / (2 * a2 * (a2 - b2)), nb = 1 / (2 * b2 * (b2 - a2));

// What even and odd terms give at ±a and ±b.
GRADUS_INLINE void atPoints(Lanes evenA, Lanes oddA, Lanes evenB, Lanes oddB, Lanes (&to)[6]) {
  to[1] = evenA + oddA;
  to[2] = evenA - oddA;
  to[3] = evenB + oddB;
  to[4] = evenB - oddB;
}

// Six values of the input to six factors.
GRADUS_INLINE void input(const Lanes (&d)[6], Lanes (&to)[6]) {
  const Lanes even1 = d[4] - b2 * d[2], odd1 = a * (d[3] - b2 * d[1]);
  const Lanes even2 = d[4] - a2 * d[2], odd2 = b * (d[3] - a2 * d[1]);
  to[0] = (d[4] - sum * d[2]) + product * d[0];
  atPoints(even1, odd1, even2, odd2, to);
  to[5] = (d[5] - sum * d[3]) + product * d[1];
}

// Three taps to six factors.
GRADUS_INLINE void weight(const Lanes (&g)[3], Lanes (&to)[6]) {
  const Lanes even1 = na * g[0] + (na * a2) * g[2], odd1 = (na * a) * g[1];
  const Lanes even2 = nb * g[0] + (nb * b2) * g[2], odd2 = (nb * b) * g[1];
  to[0] = n0 * g[0];
  atPoints(even1, odd1, even2, odd2, to);
  to[5] = g[2];
}

// Six products to four results.
GRADUS_INLINE void output(const Lanes (&m)[6], Lanes (&to)[4]) {
  const Lanes sum1 = m[1] + m[2], difference1 = m[1] - m[2];
  const Lanes sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  to[0] = (m[0] + sum1) + sum2;
  to[1] = a * difference1 + b * difference2;
  to[2] = a2 * sum1 + b2 * sum2;
  to[3] = (m[5] + a3 * difference1) + b3 * difference2;
}

// The transpose of `output`: four gradients of results to six of products.
GRADUS_INLINE void outputGrad(const Lanes (&y)[4], Lanes (&to)[6]) {
  const Lanes even1 = y[0] + a2 * y[2], odd1 = a * y[1] + a3 * y[3];
  const Lanes even2 = y[0] + b2 * y[2], odd2 = b * y[1] + b3 * y[3];
  to[0] = y[0];
  atPoints(even1, odd1, even2, odd2, to);
  to[5] = y[3];
}

// The transpose of `weight`: six gradients of factors to three of taps.
GRADUS_INLINE void weightGrad(const Lanes (&u)[6], Lanes (&to)[3]) {
  const Lanes sum1 = u[1] + u[2], difference1 = u[1] - u[2];
  const Lanes sum2 = u[3] + u[4], difference2 = u[3] - u[4];
  to[0] = n0 * u[0] + (na * sum1 + nb * sum2);
  to[1] = (na * a) * difference1 + (nb * b) * difference2;
  to[2] = u[5] + ((na * a2) * sum1 + (nb * b2) * sum2);
}

// Applies a transform of From to To values along both dims: element (i, j) is read at
// from + i·rowStep + j·columnStep, and results are stored in the same way.
template <int From, int To, void (*transform)(const Lanes (&)[From], Lanes (&)[To])>
GRADUS_INLINE void both(const float* from, int64_t rowStep, int64_t columnStep, float* to,
                        int64_t toRowStep, int64_t toColumnStep) {
  Lanes half[To][From];
#pragma GCC unroll 8
  for (int j = 0; j < From; j++) {
    Lanes column[From], result[To];
#pragma GCC unroll 8
    for (int i = 0; i < From; i++) column[i] = load(from + i * rowStep + j * columnStep);
    transform(column, result);
#pragma GCC unroll 8
    for (int i = 0; i < To; i++) half[i][j] = result[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < To; i++) {
    Lanes result[To];
    transform(half[i], result);
#pragma GCC unroll 8
    for (int j = 0; j < To; j++) store(to + i * toRowStep + j * toColumnStep, result[j]);
  }
}

}  // namespace winograd

// Whether F(4×4, 3×3) computes this convolution, or one of its gradients, faster than directly.
bool suitsWinograd(const ConvolutionPlan& plan);
void runWinograd(const ConvolutionPlan& plan, Run& run, bool inputGrad);
void runWinogradWeightGrad(const ConvolutionPlan& plan, Run& run);

}  // namespace GRADUS_ISA
}  // namespace gradus
