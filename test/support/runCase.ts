/**
 * Runs a sample in each of the ways there are: eager or compiled, on plain inputs or on views, in float32 or float64; gives
 * its outputs and the gradients along fixed directions. Read ../table.test.ts next.
 */
import { isFloat } from "../../src/core/dtype.js";
import { compile, enableGrad, grad, noGrad, Tensor, tensor } from "../../src/index.js";
import { type Case, cotangent, type Values } from "./samples.js";

/** float64 raises the float32 inputs; nothing else changes. */
export type Precision = "float32" | "float64";

export interface Result {
  readonly outputs: readonly Tensor[];
  /** One an input, null for those that are not floats or get none. */
  readonly gradients: readonly (Tensor | null)[];
}

export function toTensor({ shape, dtype, values }: Values, precision: Precision): Tensor {
  const type = dtype === "float32" ? precision : dtype;
  return tensor([...values], { shape: [values.length], dtype: type }).reshape(shape);
}

const asList = (x: Tensor | readonly Tensor[]): readonly Tensor[] =>
  x instanceof Tensor ? [x] : x;

export const makeInputs = ({ inputs }: Case, precision: Precision): Tensor[] =>
  inputs.map((x) => toTensor(x, precision));

export function runForward(one: Case, precision: Precision = "float32"): readonly Tensor[] {
  return noGrad(() => asList(one.sample.call(...makeInputs(one, precision))));
}

/** A tensor to differentiate along, of an output's shape and dtype. */
const direction = (one: Case, output: Tensor, i: number): Tensor => {
  const values = cotangent(one.name, i, output.shape);
  return toTensor({ ...values, dtype: output.dtype }, "float32");
};

const asLeaf = (x: Tensor): Tensor => {
  const leaf = x.detach();
  leaf.requiresGrad = isFloat(leaf.dtype);
  return leaf;
};

const wantsGradient = ({ op }: Case): boolean => op.noGradient === undefined;

export function runEager(one: Case, precision: Precision): Result {
  const leaves = makeInputs(one, precision).map(asLeaf);
  const outputs = asList(one.sample.call(...leaves));
  if (wantsGradient(one)) backwardAll(one, outputs);
  return { outputs, gradients: leaves.map((x) => x.grad) };
}

function backwardAll(one: Case, outputs: readonly Tensor[]): void {
  outputs.forEach((y, i) => {
    if (y.requiresGrad && !(y.isLeaf && y.size === 0))
      y.backward({ gradient: direction(one, y, i), retainGraph: true });
  });
}

type Run = () => Promise<Result>;

/** Compiled, with the inputs as cells and gradients by backward(). Called again it runs the same program. */
export function compileCells(one: Case, precision: Precision): Run {
  const leaves = makeInputs(one, precision).map(asLeaf);
  const step = compile(() => {
    for (const leaf of leaves) leaf.grad = null;
    const outputs = asList(one.sample.call(...leaves));
    if (wantsGradient(one)) backwardAll(one, outputs);
    return [...outputs];
  });
  return async () => {
    const outputs = await step();
    return { outputs, gradients: leaves.map((x) => x.grad?.detach() ?? null) };
  };
}

/** Reverses the order of the dims and of the first dim's elements; done twice it changes nothing. */
const turn = (x: Tensor): Tensor => {
  if (x.ndim === 0 || x.size === 0) return x;
  return x.permute(x.shape.map((_, i) => x.ndim - 1 - i)).flip(x.ndim - 1);
};
const turnBack = (x: Tensor): Tensor => {
  if (x.ndim === 0 || x.size === 0) return x;
  return x.flip(x.ndim - 1).permute(x.shape.map((_, i) => x.ndim - 1 - i));
};

/** Compiled, with inputs that lie in memory reversed and transposed, and gradients by grad(). */
export function compileViews(one: Case, precision: Precision): Run {
  const inputs = makeInputs(one, precision);
  const turned = inputs.map((x) => noGrad(() => turn(x)));
  const argnums = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []));
  const step = compile((...args: Tensor[]) => {
    let outputs: readonly Tensor[] = [];
    const total = (...xs: Tensor[]): Tensor => {
      outputs = asList(one.sample.call(...xs));
      return outputs
        .map((y, i) =>
          isFloat(y.dtype)
            ? y
                .mul(direction(one, y, i))
                .sum()
                .to("float64")
            : null,
        )
        .reduce<Tensor>((sum, y) => (y ? sum.add(y) : sum), tensor(0, { dtype: "float64" }));
    };
    const plain = args.map((x) => turnBack(x));
    if (!wantsGradient(one) || argnums.length === 0) {
      total(...plain);
      return { outputs: [...outputs], gradients: [] as Tensor[] };
    }
    const gradients = grad(total, { argnums })(...plain);
    return { outputs: [...outputs], gradients };
  });
  return async () => {
    const { outputs, gradients } = await step(...turned);
    const all: (Tensor | null)[] = inputs.map(() => null);
    gradients.forEach((g, i) => {
      all[argnums[i]!] = g;
    });
    return { outputs, gradients: all };
  };
}

/** Every way to run a case that its op allows. */
export function waysOf(one: Case, precision: Precision): Record<string, Run> {
  const eager = async () => runEager(one, precision);
  if (one.op.eagerOnly !== undefined) return { eager };
  const [compiled, views] = [compileCells(one, precision), compileViews(one, precision)];
  return { eager, compiled, views };
}

/** Σ output · direction on the interpreter, as a plain number, for central differences. */
export function directional(one: Case, inputs: readonly Tensor[]): number {
  return noGrad(() => {
    let total = 0;
    asList(one.sample.call(...inputs)).forEach((y, i) => {
      if (!isFloat(y.dtype)) return;
      const d = direction(one, y, i).data;
      y.data.forEach((v: number, j: number) => {
        total += v * d[j]!;
      });
    });
    return total;
  });
}

/** The gradients as differentiable tensors (createGraph), in eager mode. */
export function gradientsOf(one: Case, leaves: readonly Tensor[]): (Tensor | null)[] {
  return enableGrad(() => {
    const outputs = asList(one.sample.call(...leaves));
    outputs.forEach((y, i) => {
      if (y.requiresGrad && y.tape)
        y.backward({ gradient: direction(one, y, i), createGraph: true });
    });
    return leaves.map((x) => x.grad);
  });
}
