/**
 * Products with, and whole matrices of, a function's derivatives: PyTorch's torch.autograd.functional. Functions take one
 * tensor or several, and give one or several; a derivative has the same structure. Read grad.ts first, vmap.ts next.
 */
import { allocate, isFloat } from "../core/dtype.js";
import { DTypeError, GradusError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape } from "../core/shape.js";
import { applyOne, fromArray, type OpSpec } from "./apply.js";
import { activeTrace, enableGrad } from "./context.js";
import { fullLike } from "./create.js";
import { checkLike, dropPrivateTape, pull, standIn, zerosLike } from "./grad.js";
import { Tensor } from "./tensor.js";

/** One tensor, or several. */
export type Tensors = Tensor | readonly Tensor[];

/** The tensors of one or several, each as `R`, in the same structure. */
export type Each<T extends Tensors, R> = T extends Tensor ? R : R[];

/** The arguments that a function is called with for its inputs: several are spread. */
export type TensorFunction<R extends Tensors = Tensors> = (...inputs: Tensor[]) => R;

export interface FunctionalOptions {
  /** Makes results that can be differentiated, with regard to the inputs as well. Default false. */
  readonly createGraph?: boolean;
  /** Makes an output that depends on no input an error instead of zeros. Default false. */
  readonly strict?: boolean;
}

const listOf = (x: Tensors): readonly Tensor[] => (x instanceof Tensor ? [x] : x);

const like = <T extends Tensors, R>(structure: T, list: readonly R[]): Each<T, R> =>
  (structure instanceof Tensor ? list[0] : [...list]) as Each<T, R>;

/** A function's value at stand-ins of the inputs, which gradients end at. */
class Evaluation<R extends Tensors> {
  readonly result: R;
  readonly outputs: readonly Tensor[];
  readonly standIns: readonly Tensor[];
  private readonly createGraph: boolean;

  constructor(
    op: string,
    fn: TensorFunction<R>,
    inputs: Tensors,
    { createGraph = false, strict = false }: FunctionalOptions,
  ) {
    this.createGraph = createGraph;
    const list = listOf(inputs);
    list.forEach((x, i) => {
      if (!isFloat(x.dtype)) throw new DTypeError(op, `input ${i} must be float, got ${x.dtype}`);
    });
    this.standIns = list.map((x) => standIn(createGraph ? x : x.detach()));
    this.result = enableGrad(() => fn(...this.standIns));
    this.outputs = listOf(this.result);
    this.outputs.forEach((y, i) => {
      if (!(y instanceof Tensor))
        throw new ValueError(op, `the function must give tensors, output ${i} is ${typeof y}`);
      if (strict && !y.requiresGrad)
        throw new GradusError(
          op,
          `output ${i} depends on no input, which { strict: true } forbids`,
        );
    });
  }

  /** What a function like this one gives: its value, without the tape that only derivatives needed. */
  value(): R {
    const settled: Tensors = like(
      this.result as Tensors,
      this.outputs.map((y) => this.settle(y)),
    );
    return settled as R;
  }

  /** Gradients of the outputs along cotangents, zeros where nothing flows. */
  pull(cotangents: readonly (Tensor | null)[]): Tensor[] {
    const found = pull(this.outputs, cotangents, this.standIns);
    return found.map((g, i) => g ?? zerosLike(this.standIns[i]!));
  }

  /** Gradients of output `at` alone. */
  pullFrom(at: number, cotangent: Tensor): Tensor[] {
    const found = pull([this.outputs[at]!], [cotangent], this.standIns);
    return found.map((g, i) => g ?? zerosLike(this.standIns[i]!));
  }

  settle = (x: Tensor): Tensor =>
    this.createGraph ? dropPrivateTape(x, this.standIns) : x.detach();
}

function scalarOutput(op: string, outputs: readonly Tensor[]): void {
  if (outputs.length !== 1 || outputs[0]!.size !== 1)
    throw new ShapeError(
      op,
      `the function must give one number, got ${outputs.map((y) => formatShape(y.shape)).join()}`,
    );
}

function checkVectors(op: string, v: Tensors, of: readonly Tensor[], what: string): Tensor[] {
  const list = [...listOf(v)];
  if (list.length !== of.length)
    throw new ValueError(op, `${of.length} ${what}(s), but ${list.length} vector(s)`);
  list.forEach((x, i) => checkLike(op, `the vector for ${what} ${i}`, x, of[i]!));
  return list;
}

/**
 * A function's value and vᵀ·J, the product of a vector with its Jacobian: one walk backwards.
 *
 * `fn: inputs → outputs`, `v` like the outputs (may be left out for one number) → [outputs, like inputs].
 *
 * @throws ShapeError or ValueError if `v` does not fit the outputs.
 * @example
 * ```ts
 * import { tensor, vjp } from "gradus";
 * const [y, product] = vjp((x) => x.square(), tensor([1, 2, 3]), tensor([1, 0, 10]));
 * console.log(y.toArray(), product.toArray()); // → [ 1, 4, 9 ] [ 2, 0, 60 ]
 * ```
 */
export function vjp<T extends Tensors, R extends Tensors>(
  fn: TensorFunction<R>,
  inputs: T,
  v?: Tensors,
  options: FunctionalOptions = {},
): [outputs: R, product: Each<T, Tensor>] {
  const run = new Evaluation("vjp", fn, inputs, options);
  if (!v) scalarOutput("vjp", run.outputs);
  const cotangents = v ? checkVectors("vjp", v, run.outputs, "output") : [null];
  const product = run.pull(cotangents).map(run.settle);
  return [run.value(), like(inputs, product)];
}

/** J·v for an evaluated function: the gradient of uᵀ·J·v, which is linear in u, with regard to u. */
function pushForward(run: Evaluation<Tensors>, v: readonly Tensor[]): Tensor[] {
  const u = run.outputs.map((y) => standIn(zerosLike(y)));
  const pulled = run.pull(u);
  const found = pull(pulled, v, u);
  return found.map((g, i) => g ?? zerosLike(u[i]!));
}

/**
 * A function's value and J·v, the product of its Jacobian with a vector: how the outputs change as the inputs move along
 * `v`. Computed by differentiating twice: vjp is linear in its vector, and its own gradient is J·v.
 *
 * `fn: inputs → outputs`, `v` like the inputs → [outputs, like outputs].
 *
 * @throws ShapeError or ValueError if `v` does not fit the inputs.
 * @example
 * ```ts
 * import { jvp, tensor } from "gradus";
 * const [, change] = jvp((x) => x.square().sum(), tensor([1, 2, 3]), tensor([1, 0, 10]));
 * console.log(change.item()); // → 62
 * ```
 */
export function jvp<R extends Tensors>(
  fn: TensorFunction<R>,
  inputs: Tensors,
  v?: Tensors,
  options: FunctionalOptions = {},
): [outputs: R, product: R] {
  const run = new Evaluation("jvp", fn, inputs, options);
  if (!v) scalarOutput("jvp", listOf(inputs));
  const vectors = v
    ? checkVectors("jvp", v, run.standIns, "input")
    : run.standIns.map((x) => fullLike(x, 1));
  const product = pushForward(run, vectors).map(run.settle);
  const structured: Tensors = like(run.result as Tensors, product);
  return [run.value(), structured as R];
}

/** The gradient of a function of one number, as the function whose Jacobian is the Hessian. */
function gradientFunction(op: string, fn: TensorFunction): TensorFunction<readonly Tensor[]> {
  return (...inputs) => {
    const run = new Evaluation(op, fn, inputs, { createGraph: true });
    scalarOutput(op, run.outputs);
    return run.pull([null]);
  };
}

/**
 * A function's value and vᵀ·H, the product of a vector with its Hessian: the gradient of gradientᵀ·v.
 *
 * `fn: inputs → one number`, `v` like the inputs → [number, like inputs].
 *
 * @example
 * ```ts
 * import { tensor, vhp } from "gradus";
 * const [, product] = vhp((x) => x.pow(3).sum(), tensor([1, 2]), tensor([1, 1]));
 * console.log(product.toArray()); // → [ 6, 12 ]
 * ```
 */
export function vhp<T extends Tensors>(
  fn: TensorFunction<Tensor>,
  inputs: T,
  v?: Tensors,
  options: FunctionalOptions = {},
): [output: Tensor, product: Each<T, Tensor>] {
  return hessianProduct("vhp", fn, inputs, v, options);
}

/**
 * A function's value and H·v, the product of its Hessian with a vector. The Hessian is symmetric, so it is what {@link vhp}
 * gives, by the same two walks.
 *
 * `fn: inputs → one number`, `v` like the inputs → [number, like inputs].
 *
 * @example
 * ```ts
 * import { hvp, tensor } from "gradus";
 * const [value, product] = hvp((x) => x.pow(3).sum(), tensor([1, 2]), tensor([1, 1]));
 * console.log(value.item(), product.toArray()); // → 9 [ 6, 12 ]
 * ```
 */
export function hvp<T extends Tensors>(
  fn: TensorFunction<Tensor>,
  inputs: T,
  v?: Tensors,
  options: FunctionalOptions = {},
): [output: Tensor, product: Each<T, Tensor>] {
  return hessianProduct("hvp", fn, inputs, v, options);
}

function hessianProduct<T extends Tensors>(
  op: string,
  fn: TensorFunction<Tensor>,
  inputs: T,
  v: Tensors | undefined,
  options: FunctionalOptions,
): [output: Tensor, product: Each<T, Tensor>] {
  const run = new Evaluation(op, fn, inputs, options);
  scalarOutput(op, run.outputs);
  if (!v) scalarOutput(op, listOf(inputs));
  const vectors = v
    ? checkVectors(op, v, run.standIns, "input")
    : run.standIns.map((x) => fullLike(x, 1));
  const gradients = pull(run.outputs, [null], run.standIns);
  const used = gradients.flatMap((g, i) => (g ? [[g, vectors[i]!] as const] : []));
  const found = pull(
    used.map(([g]) => g),
    used.map(([, w]) => w),
    run.standIns,
  );
  const product = found.map((g, i) => run.settle(g ?? zerosLike(run.standIns[i]!)));
  return [run.value(), like(inputs, product)];
}

/** Zeros like an output but for a one. */
function oneHot(y: Tensor, at: number): Tensor {
  const trace = activeTrace();
  if (trace) {
    const b = trace.builder;
    const isThere = b.equal(b.iota(0, [y.size]), at);
    return trace.wrap(b.reshape(b.convert(isThere, y.dtype), y.shape), false);
  }
  const data = allocate(y.dtype, y.size);
  data[at] = 1;
  return fromArray(data, y.shape, y.dtype);
}

const stackSpec: OpSpec<{ readonly shape: Shape }> = {
  name: "jacobian",
  lower(b, rows, { shape }) {
    const lines = rows.map((row) => b.reshape(row, [1, ...row.shape]));
    return b.reshape(b.make("concatenate", lines, { dim: 0 }), shape);
  },
};

/** Rows, one an element of `y`, as one tensor. */
function stackRows(rows: readonly Tensor[], y: Tensor, x: Tensor): Tensor {
  const shape = [...y.shape, ...x.shape];
  if (rows.length === 0) return fromArray(allocate(x.dtype, 0), shape, x.dtype);
  return enableGrad(() => applyOne(stackSpec, rows, { shape }));
}

/** The Jacobian's rows for output `at`, stacked for each input. */
function rowsOf(run: Evaluation<Tensors>, at: number): Tensor[] {
  const y = run.outputs[at]!;
  const rows = Array.from({ length: y.size }, (_, i) => run.pullFrom(at, oneHot(y, i)));
  return run.standIns.map((x, k) =>
    run.settle(
      stackRows(
        rows.map((row) => row[k]!),
        y,
        x,
      ),
    ),
  );
}

/**
 * A function's Jacobian: for output Y and input X, ∂Y/∂X of shape [...Y.shape, ...X.shape]. Several outputs give a list over
 * outputs, several inputs a list over inputs inside of it, as torch.autograd.functional.jacobian. One walk backwards an
 * element of the outputs.
 *
 * @throws ValueError if the function gives something else than tensors; GradusError under `strict`.
 * @example
 * ```ts
 * import { jacobian, tensor } from "gradus";
 * const J = jacobian((x) => x.cumprod(0), tensor([2, 3]));
 * console.log(J.toArray()); // → [ [ 1, 0 ], [ 3, 2 ] ]
 * ```
 */
export function jacobian<R extends Tensors, T extends Tensors>(
  fn: TensorFunction<R>,
  inputs: T,
  options: FunctionalOptions = {},
): Each<R, Each<T, Tensor>> {
  const run = new Evaluation("jacobian", fn, inputs, options);
  const blocks = run.outputs.map((_, at) => like(inputs, rowsOf(run, at)));
  return like(run.result, blocks) as Each<R, Each<T, Tensor>>;
}

/**
 * The Hessian of a function of one number: for inputs X and Z, ∂²f/∂X∂Z of shape [...X.shape, ...Z.shape]; several inputs give
 * a list of lists, as torch.autograd.functional.hessian.
 *
 * @throws ShapeError unless the function gives one number.
 * @example
 * ```ts
 * import { hessian, tensor } from "gradus";
 * const H = hessian((x) => x.prod(), tensor([2, 3, 4]));
 * console.log(H.toArray()); // → [ [ 0, 4, 3 ], [ 4, 0, 2 ], [ 3, 2, 0 ] ]
 * ```
 */
export function hessian<T extends Tensors>(
  fn: TensorFunction<Tensor>,
  inputs: T,
  options: FunctionalOptions = {},
): Each<T, Each<T, Tensor>> {
  const rows = jacobian(gradientFunction("hessian", fn), listOf(inputs), options);
  return like(
    inputs,
    rows.map((row) => like(inputs, row)),
  ) as Each<T, Each<T, Tensor>>;
}
