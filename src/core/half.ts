/**
 * The 16-bit floats that files and other programs store: float16 (IEEE 754 binary16) and bfloat16 (the upper half of a float32).
 * Nothing is computed in them: they are made from float32 and become float32 again. Read dtype.ts for what tensors hold.
 */

/** Formats that only store. */
export type HalfType = "float16" | "bfloat16";

export const halfTypes: readonly HalfType[] = ["float16", "bfloat16"];

/** What moves a float32's bits to a float16's, from the exponent's bias 127 to 15 and from 23 bits of fraction to 10. */
const dropped = 13;
const rebias = (127 - 15) << 23;
/** The bits of 2¹⁶ − 2⁴, from which on numbers round to infinity, and of 2⁻¹⁴, below which float16 has subnormal numbers. */
const overflows = 0x477ff000;
const smallestNormal = 0x38800000;
const infinity = 0x7f800000;

/** x / 2^shift rounded to the nearest whole number, halves to the even one. */
const roundShift = (x: number, shift: number): number =>
  (x + ((1 << (shift - 1)) - 1) + ((x >>> shift) & 1)) >>> shift;

function float16Bits(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > infinity) return sign | 0x7e00;
  if (size >= overflows) return sign | 0x7c00;
  if (size >= smallestNormal) return sign | roundShift(size - rebias, dropped);
  // Exact: the product is below 2¹¹. Halves go to the even number, as everywhere.
  const scaled = Math.abs(value) * 2 ** 24;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
  return sign | (floor + Number(up));
}

const bfloat16Bits = (bits: number): number =>
  (bits & 0x7fffffff) > infinity ? 0x7fc0 : roundShift(bits, 16) & 0xffff;

/** The bits of numbers in a half format, rounded to float32 first and then to the nearest, halves to even; NaN is made quiet. */
export function toHalfBits(values: ArrayLike<number>, type: HalfType): Uint16Array<ArrayBuffer> {
  const single = new Float32Array(1);
  const word = new Uint32Array(single.buffer);
  const out = new Uint16Array(values.length);
  const isFloat16 = type === "float16";
  for (let i = 0; i < values.length; i++) {
    single[0] = values[i]!;
    out[i] = isFloat16 ? float16Bits(word[0]!, single[0]!) : bfloat16Bits(word[0]!);
  }
  return out;
}

/** The values of bits in a half format, all of which float32 holds exactly. */
export function fromHalfBits(halves: Uint16Array, type: HalfType): Float32Array<ArrayBuffer> {
  if (type === "bfloat16") {
    const bits = Uint32Array.from(halves, (half) => half << 16);
    return new Float32Array(bits.buffer);
  }
  const bits = new Uint32Array(halves.length);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) values[i] = (sign ? -1 : 1) * fraction * 2 ** -24;
    else bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}
