/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based
 * generator, so that element i of call c depends on (seed, c, i) alone and is the same on every backend.
 */

const [m0, m1] = [0xd2511f53, 0xcd9e8d57];
const [w0, w1] = [0x9e3779b9, 0xbb67ae85];

/** High 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const [ah, al, bh, bl] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const low = al * bl;
  const middle = ah * bl + (low >>> 16);
  const cross = al * bh + (middle & 0xffff);
  return (ah * bh + Math.floor(middle / 65536) + (cross >>> 16)) >>> 0;
}

/** Encrypts `counter` (4 words) under `key` (2 words) into `out` (4 words), ten rounds. */
export function philox(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
  out: Int32Array | Uint32Array,
): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [h0, l0] = [mulHigh(m0, c0 >>> 0), Math.imul(m0, c0)];
    const [h1, l1] = [mulHigh(m1, c2 >>> 0), Math.imul(m1, c2)];
    c0 = h1 ^ c1 ^ k0;
    c1 = l1;
    c2 = h0 ^ c3 ^ k1;
    c3 = l0;
    k0 = (k0 + w0) | 0;
    k1 = (k1 + w1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/**
 * Fills `out` with the bits of one random call: element i is word i mod 4 of the block with counter
 * (⌊i/4⌋, 0, state[2], state[3]) under the key (state[0], state[1]).
 */
export function randomBits(state: ArrayLike<number>, out: Int32Array): void {
  const block = new Int32Array(4);
  const key = [state[0]!, state[1]!] as const;
  for (let i = 0; i < out.length; i += 4) {
    philox(key, [i >>> 2, 0, state[2]!, state[3]!], block);
    for (let j = 0; j < 4 && i + j < out.length; j++) out[i + j] = block[j]!;
  }
}
