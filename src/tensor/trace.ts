/**
 * A trace: the graph that a function builds while compile() runs it once on tensors without values. Tensors from outside are
 * cells: reading one makes it an input, assigning it makes it an output, and nothing outside changes
 * until a run has succeeded. Read compile.ts next.
 */
import { isFloat } from "../core/dtype.js";
import { ShapeError, TraceError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { vjp } from "../ir/vjp.js";
import { checkRoot } from "./autograd.js";
import { isGradEnabled, type TraceContext } from "./context.js";
import { TraceGradients } from "./detours.js";
import { runAccumulateHooks, runHooks } from "./hooks.js";
import { Tensor } from "./tensor.js";

/** A tensor from outside, as the traced function sees it. */
interface Cell {
  /** The input that gives its value at the start; null if the function assigns before it reads. */
  input: Node | null;
  current: Node | null;
  assigned: boolean;
}

export interface TraceInput {
  readonly node: Node;
  /** The cell read, the place among the function's tensor arguments, or the tensor whose gradient is read. */
  readonly from: Tensor | number | { readonly gradOf: Tensor };
}

export class Trace implements TraceContext {
  readonly builder = new Builder();
  readonly inputs: TraceInput[] = [];
  readonly cells = new Map<Tensor, Cell>();
  /** The function's own tensors, and their places among the arguments. */
  readonly args = new Map<Tensor, number>();
  /** The gradients that the function left, for the tensors whose gradient it touched. */
  readonly grads = new Map<Tensor, Tensor | null>();
  /** Values of the trace that requiresGrad_() made leaves. */
  private readonly ownLeaves = new Set<Tensor>();
  readonly guards: (() => boolean)[] = [];
  readonly detours = new TraceGradients(this.builder);
  private isOpen = true;

  wrap(node: Node, requiresGrad: boolean): Tensor {
    const source = { kind: "traced", trace: this, node } as const;
    return new Tensor(node.shape, node.dtype, source, requiresGrad);
  }

  argument(position: number, like: Tensor): Tensor {
    const tensor = this.wrap(this.addInput(like, position), like.requiresGrad);
    tensor.hooks = like.hooks;
    this.args.set(tensor, position);
    return tensor;
  }

  private addInput(like: Tensor, from: TraceInput["from"]): Node {
    const node = this.builder.input(this.inputs.length, like.shape, like.dtype);
    this.inputs.push({ node, from });
    return node;
  }

  /** After this, values of the trace that were left somewhere are of no use. */
  close(): void {
    this.isOpen = false;
  }

  nodeOf(tensor: Tensor): Node {
    if (tensor.source.kind === "concrete") return this.cellValue(tensor);
    const { trace, node } = tensor.source;
    if (trace !== this || !this.isOpen)
      throw new TraceError(
        this.builder.origin || "compile",
        `a value of type ${tensor.dtype}${formatShape(tensor.shape)} was kept from an earlier ` +
          "trace (in a variable or field outside of the compiled function); return it from the " +
          "function, or assign() it to a tensor that was made outside",
      );
    return node;
  }

  hasCaptured = (tensor: Tensor): boolean => this.cells.has(tensor);

  isLeaf = (tensor: Tensor): boolean => this.args.has(tensor) || this.ownLeaves.has(tensor);

  isParameter = (node: Node): boolean =>
    this.inputs.some(
      (one) => one.node === node && one.from instanceof Tensor && one.from.requiresGrad,
    );

  makeLeaf(tensor: Tensor): void {
    this.ownLeaves.add(tensor);
  }

  guard(check: () => boolean): void {
    this.guards.push(check);
  }

  private cell(tensor: Tensor): Cell {
    let cell = this.cells.get(tensor);
    if (!cell) {
      cell = { input: null, current: null, assigned: false };
      this.cells.set(tensor, cell);
      const { requiresGrad } = tensor;
      const hooks = tensor.hooks?.key ?? "";
      this.guard(() => tensor.requiresGrad === requiresGrad && (tensor.hooks?.key ?? "") === hooks);
    }
    return cell;
  }

  private cellValue(tensor: Tensor): Node {
    const cell = this.cell(tensor);
    if (!cell.current) {
      cell.input = this.addInput(tensor, tensor);
      cell.current = cell.input;
    }
    return cell.current;
  }

  assign(tensor: Tensor, value: Tensor): void {
    if (tensor.source.kind !== "concrete")
      throw new TraceError("assign", "only a tensor that was made outside can be assigned to");
    if (!sameShape(tensor.shape, value.shape) || tensor.dtype !== value.dtype) {
      const [want, got] = [tensor, value].map((x) => x.dtype + formatShape(x.shape));
      throw new ShapeError("assign", `expected ${want}, got ${got}`);
    }
    const cell = this.cell(tensor);
    cell.current = this.builder.stopGradient(this.nodeOf(value));
    cell.assigned = true;
  }

  readGrad(tensor: Tensor): Tensor | null {
    const known = this.grads.get(tensor);
    if (known !== undefined) return known;
    const grad = tensor.concreteGrad;
    this.guard(() => (tensor.concreteGrad === null) === (grad === null));
    const value = grad && this.wrap(this.addInput(grad, { gradOf: tensor }), false);
    this.grads.set(tensor, value);
    return value;
  }

  writeGrad(tensor: Tensor, grad: Tensor | null): void {
    this.grads.set(tensor, grad && this.wrap(this.nodeOf(grad), grad.requiresGrad));
  }

  gradients(
    roots: readonly Tensor[],
    cotangents: readonly (Tensor | null)[],
    wrt: readonly Tensor[],
  ): (Tensor | null)[] {
    const b = this.builder;
    const nodes = roots.map((root) => this.nodeOf(root));
    const starts = nodes.map((node, i) => {
      const given = cotangents[i];
      return given ? this.nodeOf(given) : b.constant(1, node.dtype, node.shape);
    });
    const leaves = wrt.map((x) => this.nodeOf(x));
    const flows = isGradEnabled();
    return vjp(b, nodes, starts, leaves, this.detours).map(
      (g, i) => g && runHooks(wrt[i]!.hooks, this.wrap(g, flows)),
    );
  }

  backward(root: Tensor, gradient: Tensor | null): void {
    checkRoot(root, gradient);
    this.nodeOf(root);
    const leaves = [...this.cells.keys(), ...this.args.keys(), ...this.ownLeaves].filter(
      (x) => x.requiresGrad && isFloat(x.dtype),
    );
    this.gradients([root], [gradient], leaves).forEach((grad, i) => {
      if (!grad) return;
      const leaf = leaves[i]!;
      const before = this.readGrad(leaf);
      const [b, node] = [this.builder, this.nodeOf(grad)];
      const total = before ? b.add(this.nodeOf(before), node) : node;
      this.grads.set(leaf, this.wrap(b.stopGradient(total), false));
      runAccumulateHooks(leaf);
    });
  }
}
