/**
 * Functions whose gradient the user gives: PyTorch's torch.autograd.Function. Eager calls become one node of the tape; in a
 * trace they are a detour of the gradient (detours.ts). Read checkpoint.ts next.
 */
import { isFloat } from "../core/dtype.js";
import { GradusError, ValueError } from "../core/errors.js";
import { activeTrace, enableGrad, isGradEnabled, noGrad, type TraceContext } from "./context.js";
import { checkLike, zerosLike } from "./grad.js";
import { freedError, type InputGradient, type Kept, keep, Saved, TapeNode } from "./tape.js";
import { Tensor } from "./tensor.js";

/** What a custom function's forward leaves for its backward. */
export interface FunctionContext {
  /** Keeps inputs, outputs or values between for the backward; changing one in place before it is an error. */
  saveForBackward(...tensors: Tensor[]): void;
  /** What was saved. Inputs and outputs among it carry gradients, for gradients of gradients. */
  readonly savedTensors: readonly Tensor[];
  /** For each argument, whether its gradient is wanted. */
  readonly needsInputGrad: readonly boolean[];
  /** Says that no gradient flows through these outputs. */
  markNonDifferentiable(...outputs: Tensor[]): void;
  /** A place for anything else: numbers, shapes. */
  readonly values: Record<string, unknown>;
}

/** The two halves of {@link customFunction}. */
export interface CustomFunction<
  A extends readonly unknown[],
  R extends Tensor | readonly Tensor[],
> {
  /** For messages. */
  readonly name?: string;
  /** Computes the outputs; what it does is not recorded. */
  forward(ctx: FunctionContext, ...args: A): R;
  /**
   * Gives the gradients of the arguments, one each in their order, from those of the outputs (zeros where none came): a tensor of
   * the argument's shape and dtype, or null where nothing flows or the argument is no tensor.
   */
  backward(
    ctx: FunctionContext,
    ...gradOutputs: Tensor[]
  ): Tensor | null | readonly (Tensor | null)[];
}

/** One call of a custom function. */
class Call implements FunctionContext {
  readonly name: string;
  readonly values: Record<string, unknown> = {};
  readonly needsInputGrad: readonly boolean[];
  readonly args: readonly unknown[];
  /** The arguments that are tensors, by their places. */
  readonly places: readonly number[];
  readonly flat = new Set<Tensor>();
  /** What forward gave, and the tensors that stand for it outside. */
  raw: readonly Tensor[] = [];
  outputs: readonly Tensor[] = [];
  private readonly definition: CustomFunction<readonly unknown[], Tensor | readonly Tensor[]>;
  private tensors: readonly Tensor[] = [];
  private kept: Kept<readonly Saved[]> | null = null;

  constructor(
    definition: CustomFunction<readonly unknown[], Tensor | readonly Tensor[]>,
    args: readonly unknown[],
  ) {
    this.definition = definition;
    this.name = definition.name ?? "customFunction";
    this.args = args;
    this.places = args.flatMap((x, i) => (x instanceof Tensor ? [i] : []));
    this.needsInputGrad = args.map(
      (x) => x instanceof Tensor && x.requiresGrad && isFloat(x.dtype) && isGradEnabled(),
    );
  }

  get inputs(): Tensor[] {
    return this.places.map((i) => this.args[i] as Tensor);
  }

  saveForBackward(...tensors: Tensor[]): void {
    this.tensors = tensors;
  }

  markNonDifferentiable(...outputs: Tensor[]): void {
    for (const x of outputs) this.flat.add(x);
  }

  get savedTensors(): readonly Tensor[] {
    if (activeTrace() || !this.outputs.length) return this.tensors.map((x) => this.outside(x));
    if (!this.kept) throw freedError(this.name);
    return this.kept.get().map((saved) => saved.recall(this.name));
  }

  /** An output that was saved is what stands for it outside, which carries gradients. */
  private outside(x: Tensor): Tensor {
    return this.outputs[this.raw.indexOf(x)] ?? x;
  }

  /** After forward: keeps what was saved, as the tape keeps values. */
  settle(outputs: readonly Tensor[]): void {
    this.outputs = outputs;
    if (activeTrace()) return;
    const saved = this.tensors.map((x) => new Saved(this.outside(x)));
    this.kept = keep(this.name, saved, this.inputs);
    this.tensors = [];
  }

  release(): void {
    this.kept = null;
  }

  /** The gradients of the tensor arguments, in the order of {@link places}. */
  pull(cotangents: readonly (Tensor | null)[]): (Tensor | null)[] {
    const given = this.outputs.map((y, i) => cotangents[i] ?? zerosLike(y));
    const result = this.definition.backward(this, ...given);
    const list = Array.isArray(result) ? (result as (Tensor | null)[]) : [result as Tensor | null];
    const isShort = list.length < this.args.length && list.length !== this.places.length;
    if (isShort || list.length > this.args.length)
      throw new ValueError(
        this.name,
        `backward gave ${list.length} gradient(s) for ${this.args.length} argument(s); ` +
          "give null for an argument without one",
      );
    const isByTensor = list.length !== this.args.length;
    return this.places.map((place, i) => {
      const gradient = list[isByTensor ? i : place] ?? null;
      if (!gradient || !this.needsInputGrad[place]) return null;
      checkLike(
        this.name,
        `the gradient of argument ${place}`,
        gradient,
        this.args[place] as Tensor,
      );
      return gradient;
    });
  }
}

/** A call on the tape. */
class CustomNode extends TapeNode {
  private readonly call: Call;

  constructor(call: Call) {
    const wanted = call.places.map((i) => call.needsInputGrad[i]!);
    super(call.name, call.inputs, wanted, call.raw.length);
    this.call = call;
  }

  differentiate(
    cotangents: readonly (Tensor | null)[],
    needed: readonly boolean[] | null,
  ): readonly InputGradient[] {
    return this.call
      .pull(cotangents)
      .flatMap((g, i): InputGradient[] => (g && (!needed || needed[i]) ? [[i, g]] : []));
  }

  release(): void {
    this.call.release();
  }
}

const isFlat = (call: Call, raw: Tensor): boolean => call.flat.has(raw) || !isFloat(raw.dtype);

function recordEager(call: Call): Tensor[] {
  const node = new CustomNode(call);
  return call.raw.map((raw, index) => {
    const output = new Tensor(raw.shape, raw.dtype, raw.source);
    if (isFlat(call, raw)) return output;
    output.tape = { node, index };
    output.requiresGrad = true;
    return output;
  });
}

function recordTraced(trace: TraceContext, call: Call): Tensor[] {
  const b = trace.builder;
  const outputs = call.raw.map((raw) => {
    const node = b.alias(b.stopGradient(trace.nodeOf(raw)));
    return trace.wrap(node, !isFlat(call, raw));
  });
  const flowing = outputs.flatMap((y, i) => (y.requiresGrad ? [i] : []));
  trace.detours.addCall(
    flowing.map((i) => trace.nodeOf(outputs[i]!)),
    call.inputs.map((x) => trace.nodeOf(x)),
    (cotangents) => {
      const all: (Tensor | null)[] = outputs.map(() => null);
      flowing.forEach((at, i) => {
        const g = cotangents[i];
        if (g) all[at] = trace.wrap(g, true);
      });
      return enableGrad(() => call.pull(all)).map((g) => g && trace.nodeOf(g));
    },
  );
  return outputs;
}

/**
 * A function with a gradient of its own, as torch.autograd.Function: for what has none (rounding, clipping), one that is more
 * stable, or one that should be another on purpose. It works eagerly and inside compile(), where both halves are traced. Gradients of
 * gradients follow from `backward`'s own operations.
 *
 * @throws ValueError if backward gives more or fewer gradients than there are arguments; ShapeError if one does not fit.
 * @example
 * ```ts
 * import { customFunction, type Tensor, tensor } from "gradus";
 * const roundThrough = customFunction({
 *   forward: (_, x: Tensor, step: number) => x.div(step).round().mul(step),
 *   backward: (_, g) => [g, null],
 * });
 * const x = tensor([0.2, 0.7], { requiresGrad: true });
 * const y = roundThrough(x, 0.5);
 * y.sum().backward();
 * console.log(y.toArray(), x.grad?.toArray()); // → [ 0, 0.5 ] [ 1, 1 ]
 * ```
 */
export function customFunction<A extends readonly unknown[], R extends Tensor | readonly Tensor[]>(
  definition: CustomFunction<A, R>,
): (...args: A) => R {
  return (...args: A): R => {
    const call = new Call(
      definition as unknown as CustomFunction<readonly unknown[], Tensor | readonly Tensor[]>,
      args,
    );
    const result = noGrad(() => definition.forward(call, ...args));
    const isOne = result instanceof Tensor;
    call.raw = isOne ? [result] : [...(result as readonly Tensor[])];
    if (!call.raw.every((y) => y instanceof Tensor))
      throw new GradusError(call.name, "forward must give a tensor or a list of tensors");
    if (!call.needsInputGrad.includes(true)) return result;
    const trace = activeTrace();
    const outputs = trace ? recordTraced(trace, call) : recordEager(call);
    call.settle(outputs);
    return (isOne ? outputs[0]! : outputs) as R;
  };
}
