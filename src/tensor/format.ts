/** Prints tensors as NumPy prints arrays: aligned columns, nested brackets, long dims shortened. */
import { isFloat } from "../core/dtype.js";
import { formatShape } from "../core/shape.js";
import type { Tensor } from "./tensor.js";

/** A dim is shortened to this many entries at either end once the tensor has over `threshold` elements. */
const [edge, threshold, digits] = [3, 1000, 4];

function formatNumbers(values: readonly number[], tensor: Tensor): string[] {
  if (tensor.dtype === "bool") return values.map((v) => (v ? "true" : "false"));
  if (!isFloat(tensor.dtype)) return values.map(String);
  const finite = values.filter((v) => Number.isFinite(v) && v !== 0).map(Math.abs);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const scientific = finite.length > 0 && (high >= 1e8 || low < 1e-4 || high / low > 1e6);
  const show = (v: number): string => {
    if (!Number.isFinite(v)) return Number.isNaN(v) ? "nan" : v > 0 ? "inf" : "-inf";
    return scientific ? v.toExponential(digits) : trimZeros(v.toFixed(digits));
  };
  const shown = values.map(show);
  if (scientific) return shown;
  // All get as many decimals as the longest needs, so that points stand under each other.
  const decimals = Math.max(0, ...shown.map((s) => (s.split(".")[1] ?? "").length));
  return values.map((v, i) => (Number.isFinite(v) ? padDecimals(shown[i]!, decimals) : shown[i]!));
}

const trimZeros = (text: string): string => text.replace(/0+$/, "").replace(/^-0\.$/, "0.");

function padDecimals(text: string, decimals: number): string {
  const [whole, fraction = ""] = text.split(".");
  return `${whole}.${fraction.padEnd(decimals, "0")}`;
}

/** Indices shown along a dim; null stands for the dots. */
function shownIndices(n: number, shorten: boolean): (number | null)[] {
  const all = Array.from({ length: n }, (_, i) => i);
  if (!shorten || n <= 2 * edge) return all;
  return [...all.slice(0, edge), null, ...all.slice(-edge)];
}

function layOut(tensor: Tensor): string {
  const { shape } = tensor;
  const { data } = tensor.storageFor("toString");
  const shorten = data.length > threshold;
  const indices = shape.map((n) => shownIndices(n, shorten));
  const values: number[] = [];
  const collect = (dim: number, offset: number): void => {
    if (dim === shape.length) values.push(data[offset]!);
    else for (const i of indices[dim]!) if (i !== null) collect(dim + 1, offset * shape[dim]! + i);
  };
  collect(0, 0);
  const texts = formatNumbers(values, tensor);
  const width = shape.length === 0 ? 0 : Math.max(0, ...texts.map((t) => t.length));
  let next = 0;
  const build = (dim: number, indent: string): string => {
    if (dim === shape.length) return texts[next++]!.padStart(width);
    const parts = indices[dim]!.map((i) => (i === null ? "..." : build(dim + 1, `${indent} `)));
    const last = dim === shape.length - 1;
    const separator = last ? ", " : `,${"\n".repeat(shape.length - dim - 1)}${indent} `;
    return `[${parts.join(separator)}]`;
  };
  return build(0, "       ");
}

export function formatTensor(tensor: Tensor): string {
  const type = `shape=${formatShape(tensor.shape)}, dtype=${tensor.dtype}`;
  const flag = tensor.requiresGrad ? ", requiresGrad" : "";
  if (tensor.source.kind === "traced") return `tensor(traced, ${type}${flag})`;
  return `tensor(${layOut(tensor)}, ${type}${flag})`;
}
