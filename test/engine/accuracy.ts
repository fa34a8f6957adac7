/** How far elementary functions are from the exact result, in units of the last place of float32. */
import type { CpuModule } from "../../src/backend/cpu/module.js";
import {
  type PointwiseName,
  type PointwisePrimitive,
  primitives,
} from "../../src/ir/primitives.js";
import { encode, fused } from "./program.js";

export const elementaryFunctions = [
  ...(["exponential", "log", "tanh", "logistic", "exponentialMinusOne", "logPlusOne"] as const),
  ...(["log2", "log10", "sine", "cosine", "tan", "asin", "acos", "atan", "sinh", "cosh"] as const),
  ...(["asinh", "acosh", "atanh", "erf", "erfc", "sqrt", "rsqrt"] as const),
] satisfies PointwiseName[];

/** Every size of float32, and many numbers near 0 and near the ends of what exp can hold. */
function operands(): Float32Array {
  const list: number[] = [0, -0, 1, -1, Number.NaN, Infinity, -Infinity];
  for (let exponent = -149; exponent < 128; exponent++)
    for (let i = 0; i < 8; i++) {
      const value = 2 ** exponent * (1 + ((i * 0.618) % 1));
      list.push(value, -value);
    }
  for (let x = -5; x < 5; x += 0.005) list.push(x);
  for (let x = -110; x < 110; x += 0.11) list.push(x);
  return Float32Array.from(list);
}

/** The step from |x| to the next float32. */
function lastPlace(x: number): number {
  const value = Float32Array.of(Math.abs(x));
  if (!Number.isFinite(value[0])) return 2 ** 104;
  new Int32Array(value.buffer)[0]!++;
  return value[0] === Infinity ? 2 ** 104 : value[0]! - Math.abs(Math.fround(x));
}

/** The largest error of a function, and the operand that has it; NaN or a wrong infinity count as infinite. */
export function worstError(module: CpuModule, name: PointwiseName): { error: number; at: number } {
  const x = operands();
  const out = new Float32Array(x.length);
  const strides = [1];
  const kernel = fused({
    dims: [x.length],
    inputs: [{ buffer: 0, strides }],
    operations: [{ primitive: name, from: "float32", operands: [0] }],
    outputs: [{ buffer: 1, register: 1, strides }],
  });
  const program = encode([x, out], [kernel]);
  module.load(program.words, program.constants).run([x, out]);
  const { evaluate } = primitives[name] as PointwisePrimitive;
  let worst = { error: 0, at: 0 };
  x.forEach((value, i) => {
    const exact = evaluate(value, 0, 0);
    if (Object.is(Math.fround(exact), out[i])) return;
    const distance = Math.abs(out[i]! - exact) / lastPlace(exact);
    // The sign of a zero is part of the result.
    const isWrong = Number.isNaN(distance) || (out[i] === 0 && Math.fround(exact) === 0);
    const error = isWrong ? Infinity : distance;
    if (error > worst.error) worst = { error, at: value };
  });
  return worst;
}
