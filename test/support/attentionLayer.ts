/** Attention as a layer has it, as a graph: for test/attention.test.ts and bench/attention.ts. */
import { attentionResult, plainAttention } from "../../src/ir/attentionNodes.js";
import { Builder } from "../../src/ir/builder.js";
import type { Graph, Node } from "../../src/ir/graph.js";
import { attentionSizes } from "../../src/ir/primitives/attention.js";
import { vjp } from "../../src/ir/vjp.js";

export type AttentionShape = readonly [batch: number, heads: number, steps: number, width: number];

interface Way {
  /** Whether by the primitive, in tiles, or by the plain composition; default true. */
  readonly tiled?: boolean;
  /** Whether the projection's gradient is an output as well; default true. */
  readonly backward?: boolean;
}

/** Causal softmax(Q·Kᵀ / √D)·V of one projection [B, T, 3·H·D], of which queries, keys and values are slices. */
export function attentionLayer(
  [batch, heads, steps, width]: AttentionShape,
  { tiled = true, backward = true }: Way = {},
): Graph {
  const b = new Builder("attention");
  const channels = heads * width;
  const x = b.input(0, [batch, steps, 3 * channels], "float32");
  const g = b.input(1, [batch, steps, channels], "float32");
  const parts = [0, 1, 2].map((i) => {
    const part = b.slice(x, [0, 0, i * channels], [batch, steps, (i + 1) * channels]);
    return b.transpose(b.reshape(part, [batch, steps, heads, width]), [0, 2, 1, 3]);
  });
  const attributes = { scale: width ** -0.5, causal: true, hasMask: false, dropoutP: 0 };
  const result = tiled
    ? attentionResult(b, b.make("attention", parts, attributes), attentionSizes(parts))
    : plainAttention(b, parts, attributes).result;
  const joined = b.reshape(b.transpose(result, [0, 2, 1, 3]), [batch, steps, channels]);
  if (!backward) return { inputs: [x, g], outputs: [joined] };
  const [dx] = vjp(b, [joined], [g], [x]) as [Node];
  return { inputs: [x, g], outputs: [joined, dx] };
}
