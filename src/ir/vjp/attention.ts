/**
 * Gradient rules of attention. The first is a primitive, which makes the scores again tile by tile; the gradients of that one and
 * of a mask of numbers are those of the plain composition.
 */
import { isFloat } from "../../core/dtype.js";
import { attentionGradParts, attentionResult, plainAttention } from "../attentionNodes.js";
import type { Builder } from "../builder.js";
import type { Node } from "../graph.js";
import { type AttentionAttributes, attentionSizes } from "../primitives/attention.js";
import type { Cotangents, Rule, Rules } from "../vjp.js";

/** `vjp` itself, for rules that differentiate a composition. */
type Differentiate = (
  b: Builder,
  outputs: readonly Node[],
  cotangents: Cotangents,
  wrt: readonly Node[],
) => Cotangents;

/** The same value as a node of its own, at which differentiation stops. */
const leaf = (b: Builder, x: Node): Node => b.make("reshape", [x], { shape: x.shape });

function maskCotangent(
  vjp: Differentiate,
  b: Builder,
  inputs: readonly Node[],
  attributes: AttentionAttributes,
  g: Node,
): Node | null {
  const mask = leaf(b, inputs[3]!);
  const own = [...inputs.slice(0, 3), mask, ...inputs.slice(4)];
  const { result } = plainAttention(b, own, attributes);
  return vjp(b, [result], [g], [mask])[0]!;
}

/** Over the batch dims in which an operand was stretched. */
const narrow = (b: Builder, gradients: readonly Node[], operands: readonly Node[]): Node[] =>
  gradients.map((x, i) => b.sumTo(x, operands[i]!.shape));

const attention =
  (vjp: Differentiate): Rule<"attention"> =>
  (b, node, cotangent) => {
    const { inputs, attributes } = node;
    const sizes = attentionSizes(inputs);
    const g = attentionResult(b, cotangent, sizes);
    const [operands, extras] = [inputs.slice(0, 3), inputs.slice(3)];
    const flat = b.make("attentionGrad", [...operands, node, g, ...extras], attributes);
    const gradients = narrow(b, attentionGradParts(b, flat, sizes), operands);
    const hasNumbers = attributes.hasMask && isFloat(inputs[3]!.dtype);
    const mask = hasNumbers ? maskCotangent(vjp, b, inputs, attributes, g) : null;
    return [...gradients, ...extras.map((_, i) => (i === 0 ? mask : null))];
  };

/** The rows that `attention` gave are no variable of their own: they follow from the operands. */
const attentionGrad =
  (vjp: Differentiate): Rule<"attentionGrad"> =>
  (b, node, cotangent) => {
    const { inputs, attributes } = node;
    const sizes = attentionSizes(inputs);
    const leaves = inputs.map((x) => (isFloat(x.dtype) ? leaf(b, x) : x));
    // The primitive gives a cotangent for each place of the batch, also of operands that are stretched to it.
    const operands = leaves
      .slice(0, 3)
      .map((x) => b.broadcastTo(x, [...sizes.batch, ...x.shape.slice(-2)]));
    const { result } = plainAttention(b, [...operands, ...leaves.slice(5)], attributes);
    const first = vjp(b, [result], [leaves[4]!], operands) as Node[];
    const wrt = leaves.filter((x, i) => i !== 3 && isFloat(x.dtype));
    const second = vjp(b, first, attentionGradParts(b, cotangent, sizes), wrt);
    return leaves.map((x) => second[wrt.indexOf(x)] ?? null);
  };

export const attentionRules = (vjp: Differentiate): Pick<Rules, "attention" | "attentionGrad"> => ({
  attention: attention(vjp),
  attentionGrad: attentionGrad(vjp),
});
