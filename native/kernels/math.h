// Elementary functions on float32 vectors, within 2 to 4 units in the last place, with IEEE's
// infinities and NaNs. Polynomials approximate on one reduced interval; coefficients are
// least-squares-on-Chebyshev-nodes or Taylor ones.
#pragma once
#include "vector.h"

namespace gradus {
namespace GRADUS_ISA {

typedef Vector<float> VF;
typedef Vector<int32_t> VI;

GRADUS_INLINE VI bitsOf(VF v) { return (VI)v; }
GRADUS_INLINE VF floatOf(VI v) { return (VF)v; }
GRADUS_INLINE VF choose(VI mask, VF yes, VF no) {
  return floatOf((bitsOf(yes) & mask) | (bitsOf(no) & ~mask));
}
GRADUS_INLINE VF absolute(VF x) { return floatOf(bitsOf(x) & 0x7fffffff); }

// Adding and taking away 1.5·2²³ rounds to a whole number; valid for |x| < 2²².
constexpr float kRounder = 12582912.0f;

// 2^n for whole n in [-252, 254], in two factors so that results below the normal range are right
// too.
GRADUS_INLINE VF scaleByPower(VF x, VI n) {
  const VI half = n >> 1;
  const VF first = floatOf((half + 127) << 23);
  const VF second = floatOf((n - half + 127) << 23);
  return x * first * second;
}

// exp(r) − 1 for |r| ≤ ln(2)/2, Taylor to degree 7.
GRADUS_INLINE VF expm1Reduced(VF r) {
  VF p = splat(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  return p * r * r + r;
}

// x = n·ln(2) + r, with ln(2) in two parts so that r keeps its digits.
GRADUS_INLINE VF reduceExponent(VF x, VF& rounded) {
  rounded = (x * 1.44269504f + kRounder) - kRounder;
  return (x - rounded * 0.693359375f) + rounded * 2.12194440e-4f;
}

GRADUS_INLINE VI wholeOf(VF rounded) {
  return bitsOf(rounded + kRounder) - bitsOf(splat(kRounder));
}

GRADUS_INLINE VF exponential(VF x) {
  const VF clamped = choose(x > 89.0f, splat(89.0f), choose(x < -104.5f, splat(-104.5f), x));
  VF rounded;
  const VF r = reduceExponent(clamped, rounded);
  const VF result = scaleByPower(expm1Reduced(r) + 1.0f, wholeOf(rounded));
  return choose(x != x, x, result);
}

// log(x) = e·ln(2) + log(m), m in [√½, √2), by 2·atanh(s) with s = (m − 1) / (m + 1).
GRADUS_INLINE VF logarithm(VF x) {
  const VI isTiny = x < 1.17549435e-38f;
  const VF scaled = choose(isTiny, x * 8388608.0f, x);
  // Unsigned, for the bits of a negative number go below the smallest int32.
  const VI bits = (VI)((Vector<uint32_t>)bitsOf(scaled) - 0x3f3504f3u);
  const VI exponent = (bits >> 23) - (isTiny & 23);
  const VF m = floatOf((bits & 0x007fffff) + 0x3f3504f3);
  const VF e = floatOf(exponent + bitsOf(splat(kRounder))) - kRounder;
  const VF f = m - 1.0f;
  const VF s = f / (f + 2.0f);
  const VF z = s * s;
  VF p = splat(2.0f / 9);
  p = p * z + 2.0f / 7;
  p = p * z + 2.0f / 5;
  p = p * z + 2.0f / 3;
  // log(1 + f) = f − f²/2 + s·(f²/2 + z·p), where only the last, small term is rounded much.
  const VF half = f * f * 0.5f;
  const VF tail = s * (half + z * p);
  VF result = e * 0.693359375f + (f - (half - (tail + e * -2.12194440e-4f)));
  result = choose(x == 0.0f, splat(-__builtin_inff()), result);
  result = choose((x < 0.0f) | (x != x), splat(__builtin_nanf("")), result);
  return choose(x == __builtin_inff(), x, result);
}

// tanh(x) = 1 − 2 / (exp(2x) + 1) for large |x|; with e = exp(2x) − 1 kept exact for small ones, e
// / (e + 2).
GRADUS_INLINE VF hyperbolicTangent(VF x) {
  const VF size = absolute(x);
  const VF doubled = choose(size > 10.0f, splat(20.0f), size + size);
  VF rounded;
  const VF r = reduceExponent(doubled, rounded);
  const VF power = floatOf((wholeOf(rounded) + 127) << 23);
  const VF e = expm1Reduced(r) * power + (power - 1.0f);
  const VF result = floatOf(bitsOf(e / (e + 2.0f)) | (bitsOf(x) & INT32_MIN));
  return choose(x != x, x, choose(size < 1e-4f, x, result));
}

GRADUS_INLINE VF logistic(VF x) {
  // exp(−|x|) never overflows, and e / (1 + e) keeps the digits of small results.
  const VF e = exponential(floatOf(bitsOf(x) | INT32_MIN));
  return choose(x < 0.0f, e, splat(1.0f)) / (e + 1.0f);
}

// exp(x) − 1, which keeps the digits of small results: half of 2^n·(exp(r) − 1) + (2^n − 1), so
// that the largest 2^n is in range.
GRADUS_INLINE VF expMinusOne(VF x) {
  const VF clamped = choose(x > 89.0f, splat(89.0f), choose(x < -18.0f, splat(-18.0f), x));
  VF rounded;
  const VF r = reduceExponent(clamped, rounded);
  const VF power = floatOf((wholeOf(rounded) + 126) << 23);
  const VF half = expm1Reduced(r) * power + (power - 0.5f);
  return choose((absolute(x) < 1e-30f) | (x != x), x, half + half);
}

// log(1 + x): what rounding took from u = 1 + x is put back as its share c / u.
GRADUS_INLINE VF logPlusOne(VF x) {
  const VF u = x + 1.0f;
  const VF c = x - (u - 1.0f);
  const VF whole = logarithm(u);
  const VF result = choose((u > 0.0f) & (u < __builtin_inff()), whole + c / u, whole);
  return choose(absolute(x) < 1e-30f, x, result);
}

// An odd polynomial below 1; above, 1 − exp of a polynomial that approximates log(erfc(x)).
GRADUS_INLINE VF errorFunction(VF x) {
  const VF z = x * x;
  VF low = splat(7.853847e-05f);
  low = low * z - 8.01018895e-04f;
  low = low * z + 5.18832728e-03f;
  low = low * z - 2.68538109e-02f;
  low = low * z + 1.12835854e-01f;
  low = low * z - 3.7612626e-01f;
  low = low * z + 1.28379107e-01f;
  const VF size = absolute(x);
  const VF far = choose(size > 4.0f, splat(4.0f), size);
  VF high = splat(1.92428968e-04f);
  high = high * far - 3.00856424e-03f;
  high = high * far + 2.20877435e-02f;
  high = high * far - 1.03640527e-01f;
  high = high * far - 6.37516797e-01f;
  high = high * far - 1.12747514f;
  high = high * far - 2.44685070e-04f;
  const VF above = floatOf(bitsOf(1.0f - exponential(high)) | (bitsOf(x) & INT32_MIN));
  // The first coefficient of the odd polynomial is over 1: the whole part is added apart. Relaxed SIMD may
  // take the smaller of 4 and NaN for 4.
  return choose(size < 1.0f, low * x + x, choose(x == x, above, x));
}

}  // namespace GRADUS_ISA
}  // namespace gradus
