/** Cases for attention and its gradient: sizes around those of tiles, masks in every form, dropping, equal to the interpreter's. */
import { attentionResult } from "../../src/ir/attentionNodes.js";
import type { Builder } from "../../src/ir/builder.js";
import type { Node } from "../../src/ir/graph.js";
import { type AttentionAttributes, attentionSizes } from "../../src/ir/primitives/attention.js";
import { builtCase, type Input, random } from "./builtCase.js";
import type { Case } from "./case.js";

type Float = "float32" | "float64";

/** batch dims, queries, keys, width, width of values. */
type Sizes = readonly [batch: readonly number[], t: number, s: number, e: number, v: number];

interface Variation {
  readonly causal?: boolean;
  readonly dropoutP?: number;
  /** The mask's shape, given those of the scores. */
  readonly mask?: (batch: readonly number[], t: number, s: number) => readonly number[];
  readonly isBool?: boolean;
}

const state = (): Input => ({ shape: [4], dtype: "int32", array: Int32Array.of(7, -3, 11, 2) });

function inputsOf(dtype: Float, [batch, t, s, e, v]: Sizes, variation: Variation): Input[] {
  const shapes = [
    [...batch, t, e],
    [...batch, s, e],
    [...batch, s, v],
  ];
  const inputs = shapes.map((shape, i) => random(dtype, shape, i + 1, 2));
  const mask = variation.mask?.(batch, t, s);
  if (mask) inputs.push(random(variation.isBool ? "bool" : dtype, mask, 9, 2));
  if (variation.dropoutP) inputs.push(state());
  return inputs;
}

function casesOf(dtype: Float, sizes: Sizes, variation: Variation, label: string): Case[] {
  const attributes: AttentionAttributes = {
    scale: 0.3,
    causal: variation.causal ?? false,
    hasMask: variation.mask !== undefined,
    dropoutP: variation.dropoutP ?? 0,
  };
  const inputs = inputsOf(dtype, sizes, variation);
  const [batch, t, , , v] = sizes;
  const cotangent = random(dtype, [...batch, t, v], 20);
  const forward = (b: Builder, nodes: readonly Node[]) => b.make("attention", nodes, attributes);
  const backward = (b: Builder, nodes: readonly Node[]) => {
    const own = nodes.slice(0, -1);
    const flat = forward(b, own);
    const parts = [...own.slice(0, 3), flat, nodes.at(-1)!, ...own.slice(3)];
    return b.make("attentionGrad", parts, attributes);
  };
  const tolerance = dtype === "float32" ? 2e-5 : 1e-12;
  return [
    builtCase(`attention ${label}`, inputs, (b, ...nodes) => forward(b, nodes), tolerance),
    builtCase(
      `attentionGrad ${label}`,
      [...inputs, cotangent],
      (b, ...nodes) => backward(b, nodes),
      tolerance,
    ),
  ];
}

const sizes: readonly Sizes[] = [
  [[], 3, 5, 4, 2],
  [[2], 1, 1, 1, 1],
  [[2, 3], 7, 7, 16, 16],
  [[2, 2], 64, 64, 32, 32],
  [[1, 3], 65, 130, 20, 33],
  [[1], 150, 70, 17, 8],
  [[2], 5, 0, 3, 2],
  [[2], 0, 5, 3, 2],
  [[2], 5, 6, 0, 2],
  [[2], 5, 6, 3, 0],
  [[0], 5, 6, 3, 2],
  [[2, 1, 2, 1], 20, 20, 8, 8],
];

const variations: Readonly<Record<string, Variation>> = {
  plain: {},
  causal: { causal: true },
  "with a full mask of numbers": { mask: (batch, t, s) => [...batch, t, s] },
  "with a full mask": { mask: (batch, t, s) => [...batch, t, s], isBool: true },
  "with padding": { mask: (batch, _, s) => [...batch.map(() => 1), 1, s], isBool: true },
  "with numbers for each query": { mask: (batch, t) => [...batch, t, 1], causal: true },
  "with dropping": { dropoutP: 0.3, causal: true },
};

/** Operands that are slices, transposed, of one array, as a projection gives them. */
function viewCases(dtype: Float): Case[] {
  const [batch, t, heads, width] = [2, 70, 3, 16];
  const attributes = { scale: 0.25, causal: true, hasMask: false, dropoutP: 0 };
  const parts = (b: Builder, all: Node) =>
    [0, 1, 2].map((i) => {
      const part = b.slice(all, [0, 0, i * 48], [batch, t, i * 48 + 48]);
      return b.transpose(b.reshape(part, [batch, t, heads, width]), [0, 2, 1, 3]);
    });
  const all = random(dtype, [batch, t, 144], 1, 2);
  const result = (b: Builder, x: Node) => {
    const qkv = parts(b, x);
    return attentionResult(b, b.make("attention", qkv, attributes), attentionSizes(qkv));
  };
  const tolerance = dtype === "float32" ? 1e-5 : 1e-12;
  return [builtCase("attention of views", [all], result, tolerance)];
}

export const attentionCases = (): Case[] =>
  (["float32", "float64"] as const).flatMap((dtype) => [
    ...Object.entries(variations).flatMap(([label, variation]) =>
      sizes.flatMap((size) => casesOf(dtype, size, variation, label)),
    ),
    ...viewCases(dtype),
  ]);
