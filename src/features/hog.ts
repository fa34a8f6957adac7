/**
 * Histograms of oriented gradients, number for number as scikit-image's `hog`. A plain loop in float64: features are made once, and the
 * borders between orientations must fall alike on every backend. Read colorHistogram.ts next.
 */
import { ShapeError, ValueError } from "../core/errors.js";
import { checkNames as checkOptions } from "../core/options.js";
import type { ArrayData } from "../io/arrayData.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Pictures, picturesOf } from "./pictures.js";
import { FeatureStep } from "./step.js";

/** How a block of cells is brought to a common size. */
export type BlockNorm = "L1" | "L1-sqrt" | "L2" | "L2-Hys";

export interface HogOptions {
  /** Bins from 0° to 180°; default 9. */
  readonly orientations?: number;
  /** Rows and columns of a cell; default [8, 8]. */
  readonly pixelsPerCell?: readonly [rows: number, columns: number];
  /** Cells of a block; default [3, 3]. */
  readonly cellsPerBlock?: readonly [rows: number, columns: number];
  /** Default "L2-Hys": L2, cut off at 0.2, L2 again. */
  readonly blockNorm?: BlockNorm;
  /** Take the square root of the pixels first, which must not be negative; default false. */
  readonly transformSqrt?: boolean;
}

const defaults: Required<HogOptions> = {
  orientations: 9,
  pixelsPerCell: [8, 8],
  cellsPerBlock: [3, 3],
  blockNorm: "L2-Hys",
  transformSqrt: false,
};

type Normalize = (block: Float64Array) => void;

const eps = 1e-5;
const sumOf = (block: Float64Array, term: (v: number) => number): number =>
  block.reduce((sum, value) => sum + term(value), 0);

const change = (block: Float64Array, map: (v: number) => number): void => {
  for (let i = 0; i < block.length; i++) block[i] = map(block[i]!);
};

function byLength(block: Float64Array): void {
  const length = Math.sqrt(sumOf(block, (v) => v * v) + eps * eps);
  change(block, (v) => v / length);
}

function bySum(block: Float64Array): void {
  const sum = sumOf(block, Math.abs) + eps;
  change(block, (v) => v / sum);
}

const norms: Record<BlockNorm, Normalize> = {
  L1: bySum,
  "L1-sqrt": (block) => {
    bySum(block);
    change(block, Math.sqrt);
  },
  L2: byLength,
  "L2-Hys": (block) => {
    byLength(block);
    change(block, (v) => Math.min(v, 0.2));
    byLength(block);
  },
};

/** Row and column gradients of one channel: central differences, 0 at the borders. */
function gradientAt(
  pixels: Float64Array,
  at: number,
  y: number,
  x: number,
  { height, width }: Pictures,
): [down: number, right: number] {
  const down = y > 0 && y < height - 1 ? pixels[at + width]! - pixels[at - width]! : 0;
  const right = x > 0 && x < width - 1 ? pixels[at + 1]! - pixels[at - 1]! : 0;
  return [down, right];
}

/** The gradient of the channel where it is largest, the first of several. */
function strongestGradient(
  pixels: Float64Array,
  y: number,
  x: number,
  pictures: Pictures,
): [down: number, right: number, size: number] {
  const plane = pictures.height * pictures.width;
  const place = y * pictures.width + x;
  let best: [number, number, number] = [0, 0, -1];
  for (let c = 0; c < pictures.channels; c++) {
    const [down, right] = gradientAt(pixels, c * plane + place, y, x, pictures);
    const size = Math.sqrt(down * down + right * right);
    if (size > best[2]) best = [down, right, size];
  }
  return best;
}

/**
 * Histograms of oriented gradients (Dalal and Triggs, 2005): in each cell the sizes of gradients are summed by their direction from 0° to
 * 180°, and overlapping blocks of cells are brought to a common size. Of several channels each pixel takes the one with the largest
 * gradient. Pictures [N, H, W] or [N, C, H, W] of any dtype → float32 [N, blocks · cells · orientations].
 *
 * @throws ValueError for options out of range; ShapeError for pictures smaller than a block.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Hog } from "gradus/features";
 * const hog = new Hog({ pixelsPerCell: [4, 4], cellsPerBlock: [2, 2] });
 * console.log(hog.transform(rand([5, 28, 28])).shape); // → [ 5, 1296 ]
 * ```
 */
export class Hog extends FeatureStep {
  readonly #options: Required<HogOptions>;
  /** Lower borders of the bins in degrees, and the last one's upper border. */
  readonly #edges: readonly number[];

  constructor(options: HogOptions = {}) {
    super();
    checkOptions("Hog", options, Object.keys(defaults));
    const filled = { ...defaults, ...options };
    const { orientations, pixelsPerCell, cellsPerBlock, blockNorm } = filled;
    for (const value of [orientations, ...pixelsPerCell, ...cellsPerBlock])
      if (!Number.isInteger(value) || value < 1)
        throw new ValueError("Hog", `sizes and counts must be whole numbers ≥ 1, got ${value}`);
    if (!Object.hasOwn(norms, blockNorm)) {
      const known = Object.keys(norms).join(", ");
      throw new ValueError("Hog", `blockNorm is "${blockNorm}"; expected one of ${known}`);
    }
    this.#options = filled;
    this.#edges = Array.from({ length: orientations + 1 }, (_, i) => (180 / orientations) * i);
  }

  transform(x: ArrayData): Tensor {
    const pictures = picturesOf("Hog", x);
    const [cellsDown, cellsRight] = this.#cells(pictures);
    const [blockRows, blockColumns] = this.#options.cellsPerBlock;
    const [down, right] = [cellsDown - blockRows + 1, cellsRight - blockColumns + 1];
    if (down < 1 || right < 1)
      throw new ShapeError(
        "Hog",
        `${pictures.height} × ${pictures.width} pixels have no block of ` +
          `${blockRows} × ${blockColumns} cells; take smaller cells or blocks`,
      );
    const width = down * right * blockRows * blockColumns * this.#options.orientations;
    const out = new Float32Array(pictures.count * width);
    const size = pictures.channels * pictures.height * pictures.width;
    const pixels = new Float64Array(size);
    for (let i = 0; i < pictures.count; i++) {
      this.#read(pictures, i * size, pixels);
      this.#blocks(this.#histograms(pixels, pictures), cellsRight, down, right, out, i * width);
    }
    return fromTypedArray(out, { shape: [pictures.count, width] });
  }

  #cells({ height, width }: Pictures): [down: number, right: number] {
    const [rows, columns] = this.#options.pixelsPerCell;
    return [Math.floor(height / rows), Math.floor(width / columns)];
  }

  #read({ data }: Pictures, from: number, pixels: Float64Array): void {
    for (let p = 0; p < pixels.length; p++) {
      const value = data[from + p]!;
      pixels[p] = this.#options.transformSqrt ? Math.sqrt(value) : value;
      if (!Number.isFinite(pixels[p]!))
        throw new ValueError("Hog", `a pixel is ${value}, which has no gradient here`);
    }
  }

  #bin(down: number, right: number): number {
    const degrees = (Math.atan2(down, right) * (180 / Math.PI)) % 180;
    const angle = degrees < 0 ? degrees + 180 : degrees;
    const edges = this.#edges;
    let bin = Math.floor((angle * this.#options.orientations) / 180);
    // The quotient may round to the other side of a border.
    if (bin > 0 && angle < edges[bin]!) bin--;
    else if (angle >= (edges[bin + 1] ?? 0)) bin++;
    return bin;
  }

  /** Mean size of gradients by direction in each cell: [cells, orientations]. */
  #histograms(pixels: Float64Array, pictures: Pictures): Float64Array {
    const { orientations, pixelsPerCell } = this.#options;
    const [rows, columns] = pixelsPerCell;
    const [down, right] = this.#cells(pictures);
    const out = new Float64Array(down * right * orientations);
    for (let y = 0; y < down * rows; y++) {
      for (let x = 0; x < right * columns; x++) {
        const [gradientDown, gradientRight, size] = strongestGradient(pixels, y, x, pictures);
        if (size === 0) continue;
        const bin = this.#bin(gradientDown, gradientRight);
        const cell = Math.floor(y / rows) * right + Math.floor(x / columns);
        // An angle that rounds up to 180° belongs to no bin.
        if (bin < orientations) out[cell * orientations + bin]! += size / (rows * columns);
      }
    }
    return out;
  }

  #blocks(
    cells: Float64Array,
    cellsRight: number,
    down: number,
    right: number,
    out: Float32Array,
    start: number,
  ): void {
    const { orientations, cellsPerBlock, blockNorm } = this.#options;
    const [rows, columns] = cellsPerBlock;
    const row = columns * orientations;
    const block = new Float64Array(rows * row);
    let at = start;
    for (let y = 0; y < down; y++) {
      for (let x = 0; x < right; x++) {
        for (let r = 0; r < rows; r++) {
          const from = ((y + r) * cellsRight + x) * orientations;
          block.set(cells.subarray(from, from + row), r * row);
        }
        norms[blockNorm](block);
        out.set(block, at);
        at += block.length;
      }
    }
  }
}
