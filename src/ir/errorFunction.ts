/**
 * The error function in float64, for the interpreter: a series of positive terms near 0, a continued fraction
 * far from it (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 and 7.1.14).
 */

const border = 2.5;

/** erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)). */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc(x) for x > 0: e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))). */
function fraction(x: number): number {
  let rest = x;
  for (let n = 120; n > 0; n--) rest = x + n / 2 / rest;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / rest;
}

export function erf(x: number): number {
  if (Math.abs(x) <= border) return series(x);
  return Math.sign(x) * (1 - fraction(Math.abs(x)));
}

export function erfc(x: number): number {
  // From 1.5 on the fraction converges within its terms, and loses no digits to a difference.
  return x < 1.5 ? 1 - erf(x) : fraction(x);
}
