/** The C++ engine on hand-encoded programs: every kernel on every instruction set against naive loops. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { KernelName } from "../src/backend/cpu/format.js";
import type { CpuModule } from "../src/backend/cpu/module.js";
import { loadNative } from "../src/backend/cpu/native.js";
import { instantiateWasm } from "../src/backend/cpu/wasm.js";
import type { TypedArray } from "../src/core/dtype.js";
import { BackendError } from "../src/core/errors.js";
import { elementaryFunctions, worstError } from "./engine/accuracy.js";
import { attentionCases } from "./engine/attentionCases.js";
import { type Case, difference } from "./engine/case.js";
import { fusedCases } from "./engine/fusedCases.js";
import { kernelCases } from "./engine/kernelCases.js";
import { lineCases } from "./engine/lineCases.js";
import { eighError, matrixCases, svdError } from "./engine/matrixCases.js";
import { encode, fused, noise } from "./engine/program.js";
import { windowCases } from "./engine/windowCases.js";

const cases = [
  ...fusedCases(),
  ...kernelCases(),
  ...lineCases(),
  ...windowCases(),
  ...matrixCases(),
  ...attentionCases(),
];

/** Copies of the arrays, equal ones staying equal, so that every run starts from the same values. */
function copies(arrays: readonly TypedArray[]): TypedArray[] {
  const copied = new Map<TypedArray, TypedArray>();
  for (const array of arrays) copied.set(array, array.slice());
  return arrays.map((array) => copied.get(array)!);
}

function runCase(module: CpuModule, { name, program, arrays, expected }: Case): TypedArray[] {
  const own = copies(arrays);
  const failure = module.load(program.words, program.constants).run(own);
  assert.equal(failure, null, name);
  for (const wanted of expected) {
    const wrong = difference(own[wanted.slot]!, wanted);
    assert.equal(wrong, undefined, `${module.isa}, ${name}: ${wrong}`);
  }
  return own;
}

const sameBits = (a: TypedArray, b: TypedArray) =>
  Buffer.compare(
    Buffer.from(a.buffer, a.byteOffset, a.byteLength),
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  ) === 0;

/** Words cut off, and each word in turn replaced by hostile ones: an error or a sound program, never a crash. */
function feedHostileWords(module: CpuModule, { program, arrays }: Case): void {
  const hostile = [-1, 9, 1 << 20, 2147483647, -2147483648];
  const tryWords = (words: Int32Array) => {
    let loaded: ReturnType<CpuModule["load"]>;
    try {
      loaded = module.load(words, program.constants);
    } catch (error) {
      assert.ok(error instanceof BackendError);
      return;
    }
    try {
      loaded.run(copies(arrays));
    } catch (error) {
      assert.ok(error instanceof BackendError);
    }
  };
  for (let length = 0; length < program.words.length; length++)
    assert.throws(
      () => module.load(program.words.slice(0, length), program.constants),
      BackendError,
    );
  for (let i = 0; i < program.words.length; i++)
    for (const value of hostile) {
      const words = program.words.slice();
      words[i] = value;
      tryWords(words);
    }
}

/** Small cases of each kernel, whose sizes are checked word by word. */
const hostileCases = () => {
  const seen = new Set<string>();
  return cases.filter(({ name, program }) => {
    const kernel = name.split(" ")[0]!;
    if (seen.has(kernel) || program.words.length > 120) return false;
    seen.add(kernel);
    return true;
  });
};

const sumProgram = (x: Float32Array) =>
  encode(
    [x, x],
    [
      fused({
        dims: [x.length],
        inputs: [{ buffer: 0, strides: [1] }],
        operations: [{ primitive: "add", from: "float32", operands: [0, 0] }],
        outputs: [{ buffer: 1, register: 1, strides: [1] }],
      }),
    ],
  );

function commonTests(module: CpuModule): void {
  test("float32 functions are within three units in the last place", () => {
    for (const isa of module.availableIsas) {
      module.setIsa(isa);
      for (const name of elementaryFunctions) {
        const { error, at } = worstError(module, name);
        assert.ok(error < 3, `${isa}: ${name}(${at}) is ${error} units off`);
      }
    }
    module.setIsa(module.availableIsas[0]!);
  });

  test("hostile words are refused", () => {
    for (const one of hostileCases()) feedHostileWords(module, one);
  });

  test("arrays of another count, type or length are refused", () => {
    const x = noise(8);
    const program = sumProgram(x);
    const loaded = module.load(program.words, program.constants);
    assert.throws(() => loaded.run([x]), BackendError);
    assert.throws(() => loaded.run([x, new Float64Array(8)]), BackendError);
    assert.throws(() => loaded.run([x, new Float32Array(7)]), BackendError);
    assert.throws(() => module.setIsa("quantum"), BackendError);
  });

  const run = (kernel: KernelName, payload: readonly number[], arrays: readonly TypedArray[]) => {
    const program = encode(arrays, [{ kernel, payload }]);
    return module.load(program.words, program.constants).run(arrays);
  };

  test("an index out of range is reported", () => {
    const index = Int32Array.of(0, 1, 2, 7, -1, 2);
    const failure = { code: 1, instruction: 0, value: 7, limit: 3 };
    const three = [noise(6), index, new Float32Array(6)];
    for (const kernel of ["gather", "scatterAdd"] as const)
      assert.deepEqual(run(kernel, [1, 3, 2, 3, 0, 0, 1, 0, 2, 0], three), failure);
    for (const kernel of ["indexSelect", "indexAdd"] as const)
      assert.deepEqual(run(kernel, [1, 3, 1, 6, 0, 0, 1, 0, 2, 0], three), failure);
    const four = [noise(6), index, noise(6), new Float32Array(6)];
    assert.deepEqual(run("scatter", [1, 3, 2, 3, 0, 0, 1, 0, 2, 0, 3, 0], four), failure);
  });

  test("matrices that have no solution or factor are reported, the first of a batch", () => {
    const a = new Float64Array(200 * 4).map((_, i) => (i >= 68 ? 1 : [2, 1, 1, 2][i % 4]!));
    const b = new Float64Array(200 * 2);
    const solve = run("solve", [0, 0, 0, 0, 200, 2, 1, 0, 0, 1, 0, 2, 0], [a, b, b.slice()]);
    assert.deepEqual(solve, { code: 3, instruction: 0, value: 17, limit: 0 });
    const cholesky = run("factor", [0, 200, 2, 2, 0, 0, 1, 0], [a, a.slice()]);
    assert.deepEqual(cholesky, { code: 4, instruction: 0, value: 17, limit: 0 });
  });

  test("eigenvectors of matrices with equal eigenvalues are orthonormal", () => {
    const entries: readonly ((i: number, j: number) => number)[] = [
      () => 0,
      (i, j) => Number(i === j),
      () => 1,
      (i, j) => Math.cos(i) * Math.cos(j),
      (i, j) => Number(i === j) * (i % 3) + Math.sin(i + 2) * Math.sin(j + 2),
      (i, j) => Number(Math.abs(i - j) === 1),
      (i, j) => 1 / (i + j + 1),
    ];
    for (const n of [1, 2, 20, 47, 48, 49, 101])
      entries.forEach((entry, kind) => {
        const a = new Float64Array(n * n).map((_, at) => entry(Math.floor(at / n), at % n));
        const out = new Float64Array((n + 1) * n);
        assert.equal(run("factor", [2, 1, n, n, 0, 0, 1, 0], [a, out]), null);
        assert.ok(eighError(a, n, out) < 2e-14 * n, `kind ${kind} of size ${n}`);
      });
  });

  test("singular vectors of matrices of low rank are orthonormal", () => {
    for (const [n, m] of [
      [7, 40],
      [40, 7],
      [9, 9],
      [3, 1],
    ] as const) {
      const k = Math.min(n, m);
      for (const rank of [0, 1, 2]) {
        const entry = (i: number) => Array.from({ length: rank }, (_, r) => Math.cos(i * (r + 1)));
        const a = new Float64Array(n * m).map((_, i) => {
          const [row, column] = [entry(Math.floor(i / m)), entry((i % m) + 50)];
          return row.reduce((sum, value, r) => sum + value * column[r]!, 0);
        });
        const out = new Float64Array((n + 1 + m) * k);
        assert.equal(run("factor", [4, 1, n, m, 0, 0, 1, 0], [a, out]), null);
        assert.ok(svdError(a, [n, m], out) < 1e-12, `${n} × ${m} of rank ${rank}`);
      }
    }
  });

  test("asynchronous runs keep their order and do not disturb others", async () => {
    const x = new Float32Array(50000).fill(1);
    const program = sumProgram(x);
    const double = module.load(program.words, program.constants);
    const own = new Float32Array(50000).fill(1);
    const waiting: Promise<unknown>[] = [];
    for (let i = 0; i < 10; i++) {
      waiting.push(double.runAsync([x, x]));
      assert.equal(double.run([own, own]), null);
    }
    assert.deepEqual(await Promise.all(waiting), new Array(10).fill(null));
    assert.ok(x.every((value) => value === 1024));
    assert.ok(own.every((value) => value === 1024));
  });

  test("nothing is allocated after the first run", () => {
    const big = cases.find(({ name }) => name.startsWith("dot float32 1 × 501"))!;
    const loaded = module.load(big.program.words, big.program.constants);
    loaded.run(copies(big.arrays));
    const { allocations } = module.memory();
    for (let i = 0; i < 3; i++) loaded.run(copies(big.arrays));
    assert.equal(module.memory().allocations, allocations);
  });
}

const native = loadNative();

if ("missing" in native) {
  test("native engine", { skip: native.missing }, () => {});
} else {
  describe("native engine", () => {
    for (const isa of native.availableIsas)
      test(`${isa} equals naive loops, with any number of threads`, () => {
        native.setIsa(isa);
        native.setThreads(1);
        const alone = cases.map((one) => runCase(native, one));
        native.setThreads(2);
        cases.forEach((one, i) => {
          const together = runCase(native, one);
          for (const [slot, array] of together.entries())
            assert.ok(sameBits(array, alone[i]![slot]!), `${isa}, ${one.name}: threads differ`);
        });
        native.setIsa(native.availableIsas[0]!);
      });
    commonTests(native);
  });
}

const wasmFile = new URL("../dist/wasm/gradus.wasm", import.meta.url);

if (!existsSync(wasmFile)) {
  test("wasm engine", { skip: "dist/wasm/gradus.wasm is not built" }, () => {});
} else {
  describe("wasm engine", () => {
    const wasm = instantiateWasm(readFileSync(wasmFile));
    test("simd128 equals naive loops", () => {
      for (const one of cases) runCase(wasm, one);
    });
    commonTests(wasm);
  });
}
