/** The cubic kernel of interpolation (Keys, 1981), which resizing and grids share. Read interpolate.ts next. */

/** The kernel of parameter a at distances below 1 and from 1 to 2: coefficients from the constant one up. */
export const cubicKernel = (
  a: number,
): { readonly near: readonly number[]; readonly far: readonly number[] } => ({
  near: [1, 0, -(a + 3), a + 2],
  far: [-4 * a, 8 * a, -5 * a, a],
});
