/**
 * How much there is to do in a plan, about, in operations on numbers: enough to tell a program of microseconds from one of
 * milliseconds.
 */
import { sizeOf } from "../../core/shape.js";
import { is, type Node } from "../graph.js";
import { classOf } from "../primitives.js";
import { type Kernel, written } from "./fuse.js";
import type { Plan } from "./plan.js";

/** Operations a result of a factorization or a sort may cost beyond one a number. */
const manyTimes = 64;

/** √K of windows from 3×3 to 5×5. */
const usualTaps = 4;

function workOfNode(node: Node): number {
  const largest = Math.max(sizeOf(node.shape), ...node.inputs.map((x) => sizeOf(x.shape)));
  if (is(node, "dotGeneral")) {
    const { lhsContract } = node.attributes;
    const terms = lhsContract.reduce((n, dim) => n * node.inputs[0]!.shape[dim]!, 1);
    return 2 * sizeOf(node.shape) * terms;
  }
  const kind = classOf(node.primitive);
  // A convolution of N pictures, C to O channels and K taps has sizes whose product's root is N·O·C·√K times the places.
  if (kind === "contract") {
    const sizes = [node, ...node.inputs].map((x) => Math.max(1, sizeOf(x.shape)));
    return 2 * usualTaps * Math.sqrt(sizes.reduce((product, n) => product * n, 1));
  }
  return kind === "pointwise" || kind === "move" || kind === "index"
    ? largest
    : manyTimes * largest;
}

const workOfKernel = (kernel: Kernel): number =>
  kernel.kind === "single"
    ? workOfNode(kernel.node)
    : sizeOf(kernel.shape) * (kernel.members.length + written(kernel).length);

/** Operations of one run, about. */
export const workOf = ({ kernels }: Plan): number =>
  kernels.reduce((sum, kernel) => sum + workOfKernel(kernel), 0);
