/**
 * LBFGS: quasi-Newton steps with a line search. It asks a closure for loss and gradients as often as it likes, so its step is a loop in
 * JavaScript around ops and the closure, which may be compiled. Read lineSearch.ts for the search.
 */
import { GradusError, ValueError } from "../core/errors.js";
import "../ops/index.js";
import { cat } from "../ops/parts.js";
import { noGrad } from "../tensor/context.js";
import { zerosLike } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Point, strongWolfe } from "./lineSearch.js";
import { checkParameters } from "./optimizer.js";
import { type GroupState, ParamGroup } from "./paramGroup.js";
import { checkNames, type Settings, settle } from "./settings.js";

export interface LBFGSOptions {
  /** Learning rate; default 1. */
  readonly lr?: number;
  /** Iterations in one step; default 20. */
  readonly maxIter?: number;
  /** Calls of the closure in one step; default 1.25 · maxIter. */
  readonly maxEval?: number;
  /** Stops when no element of the gradient is larger; default 1e-7. */
  readonly toleranceGrad?: number;
  /** Stops when neither loss nor parameters change more; default 1e-9. */
  readonly toleranceChange?: number;
  /** Steps that are remembered; default 100. */
  readonly historySize?: number;
  /** `strongWolfe`, or null (the default): steps of length lr. */
  readonly lineSearchFn?: "strongWolfe" | null;
}

/** Drops gradients, computes the loss, runs `backward()`, gives the loss; may be a compiled function. */
export type Closure = () => Tensor | Promise<Tensor>;

/** What LBFGS remembers, under PyTorch's names; tensors are flat. */
interface Memory {
  func_evals: number;
  n_iter: number;
  t: number;
  H_diag: number;
  prev_loss: number;
  d: Tensor | null;
  prev_flat_grad: Tensor | null;
  old_dirs: Tensor[];
  old_stps: Tensor[];
  ro: number[];
}

export interface LBFGSState {
  /** All state is the first parameter's, as in PyTorch. */
  readonly state: Readonly<Record<number, Readonly<Memory>>>;
  readonly paramGroups: readonly GroupState[];
}

const settings: Settings = { name: "LBFGS", numbers: { lr: 1 } };
const names = [
  ...["lr", "maxIter", "maxEval", "toleranceGrad", "toleranceChange", "historySize"],
  "lineSearchFn",
];

const blank = (): Memory => ({
  ...{ func_evals: 0, n_iter: 0, t: 0, H_diag: 1, prev_loss: 0, d: null, prev_flat_grad: null },
  ...{ old_dirs: [], old_stps: [], ro: [] },
});

const dot = (a: Tensor, b: Tensor): number => a.mul(b).sum().item();
const largest = (x: Tensor): number => x.abs().max().item();

/**
 * Limited-memory BFGS (Liu and Nocedal, 1989) with PyTorch's stopping rules, for small data sets and full batches. `step` takes
 * a closure and is asynchronous. One parameter group.
 *
 * @throws ValueError for options out of range or more than one group.
 * @example
 * ```ts
 * import { compile, optim, tensor } from "gradus";
 * const p = tensor([-1.5, 2], { requiresGrad: true, dtype: "float64" });
 * const optimizer = new optim.LBFGS([p], { lineSearchFn: "strongWolfe", maxIter: 60 });
 * const closure = compile(() => {
 *   optimizer.zeroGrad();
 *   const [x, y] = [p.at(0), p.at(1)];
 *   const loss = x.neg().add(1).square().add(y.sub(x.square()).square().mul(100));
 *   loss.backward();
 *   return loss;
 * });
 * await optimizer.step(closure);
 * console.log(p.toArray()); // ≈ [ 1, 1 ]
 * ```
 */
export class LBFGS {
  readonly paramGroups: readonly ParamGroup[];
  private readonly params: readonly Tensor[];
  private readonly options: Required<Omit<LBFGSOptions, "lr">>;
  private memory = blank();

  constructor(params: Iterable<Tensor>, options: LBFGSOptions = {}) {
    checkNames("LBFGS", options, names);
    const { lr = 1, maxIter = 20, toleranceGrad = 1e-7, toleranceChange = 1e-9 } = options;
    const { maxEval = Math.floor(maxIter * 1.25), historySize = 100 } = options;
    const { lineSearchFn = null } = options;
    this.params = [...params];
    checkParameters("LBFGS", this.params, new Set());
    if (new Set(this.params.map(({ dtype }) => dtype)).size > 1)
      throw new ValueError("LBFGS", "the parameters must be of one dtype");
    for (const [name, value] of Object.entries({ maxIter, maxEval, historySize }))
      if (!Number.isInteger(value) || value < 1)
        throw new ValueError("LBFGS", `${name} must be a whole number ≥ 1, got ${value}`);
    for (const [name, value] of Object.entries({ toleranceGrad, toleranceChange }))
      if (!(value >= 0)) throw new ValueError("LBFGS", `${name} must be ≥ 0, got ${value}`);
    if (lineSearchFn !== null && lineSearchFn !== "strongWolfe")
      throw new ValueError(
        "LBFGS",
        `lineSearchFn must be strongWolfe or null, got ${String(lineSearchFn)}`,
      );
    this.options = {
      ...{ maxIter, maxEval, toleranceGrad, toleranceChange, historySize, lineSearchFn },
    };
    this.paramGroups = [new ParamGroup(this.params, settle(settings, { lr }))];
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    for (const p of this.params) p.grad = null;
  }

  private flatGradient(): Tensor {
    return cat(this.params.map((p) => (p.grad ?? zerosLike(p)).detach().reshape([-1])));
  }

  /** Writes x + t·d into the parameters. */
  private move(from: readonly Tensor[], t: number, d: Tensor): void {
    let offset = 0;
    this.params.forEach((p, i) => {
      const part = d.narrow(0, offset, p.size).reshape([...p.shape]);
      p.assign(from[i]!.add(part.mul(t)));
      offset += p.size;
    });
  }

  private async evaluate(closure: Closure): Promise<{ loss: number; gradient: Tensor }> {
    const loss = (await closure()).item();
    this.memory.func_evals++;
    if (!Number.isFinite(loss))
      throw new GradusError("LBFGS", `the closure's loss is ${loss}; lower lr, or search the line`);
    return { loss, gradient: noGrad(() => this.flatGradient()) };
  }

  /** −H·g by the two-loop recursion, after taking the newest step into the memory. */
  private direction(gradient: Tensor): Tensor {
    const m = this.memory;
    if (m.n_iter === 1 || !m.d || !m.prev_flat_grad) {
      [m.old_dirs, m.old_stps, m.ro, m.H_diag] = [[], [], [], 1];
      return gradient.neg();
    }
    const y = gradient.sub(m.prev_flat_grad);
    const s = m.d.mul(m.t);
    const ys = dot(y, s);
    if (ys > 1e-10) {
      if (m.old_dirs.length === this.options.historySize)
        for (const list of [m.old_dirs, m.old_stps, m.ro]) list.shift();
      m.old_dirs.push(y);
      m.old_stps.push(s);
      m.ro.push(1 / ys);
      m.H_diag = ys / dot(y, y);
    }
    let q = gradient.neg();
    const alphas: number[] = [];
    for (let i = m.old_dirs.length - 1; i >= 0; i--) {
      alphas[i] = dot(m.old_stps[i]!, q) * m.ro[i]!;
      q = q.sub(m.old_dirs[i]!.mul(alphas[i]!));
    }
    let r = q.mul(m.H_diag);
    for (let i = 0; i < m.old_dirs.length; i++) {
      const beta = dot(m.old_dirs[i]!, r) * m.ro[i]!;
      r = r.add(m.old_stps[i]!.mul(alphas[i]! - beta));
    }
    return r;
  }

  /** Looks along d for a good step; gives where that ends. */
  private async search(closure: Closure, start: Point, d: Tensor): Promise<Point> {
    const from = noGrad(() => this.params.map((p) => p.mul(1)));
    const at = async (t: number): Promise<Point> => {
      noGrad(() => this.move(from, t, d));
      const { loss, gradient } = await this.evaluate(closure);
      return { t, loss, gradient, slope: noGrad(() => dot(gradient, d)) };
    };
    const { toleranceChange } = this.options;
    const size = noGrad(() => largest(d));
    const found = await strongWolfe(at, { t: this.memory.t, start, size, toleranceChange });
    noGrad(() => this.move(from, found.t, d));
    return found;
  }

  /**
   * Runs up to maxIter iterations; gives the loss at the beginning.
   *
   * @throws what the closure throws.
   */
  async step(closure: Closure): Promise<Tensor> {
    const { maxIter, maxEval, toleranceGrad, toleranceChange, lineSearchFn } = this.options;
    const m = this.memory;
    const lr = this.paramGroups[0]!.lr;
    const first = await closure();
    const evaluationsBefore = m.func_evals++;
    let loss = first.item();
    let gradient = noGrad(() => this.flatGradient());
    if (noGrad(() => largest(gradient)) <= toleranceGrad) return first;
    for (let i = 1; i <= maxIter; i++) {
      m.n_iter++;
      const now = gradient;
      const d = noGrad(() => this.direction(now));
      [m.d, m.prev_flat_grad, m.prev_loss] = [d, gradient, loss];
      const isFirst = m.n_iter === 1;
      m.t = isFirst ? Math.min(1, 1 / noGrad(() => gradient.abs().sum().item())) * lr : lr;
      const slope = noGrad(() => dot(gradient, d));
      if (slope > -toleranceChange) break;
      if (lineSearchFn) {
        const found = await this.search(closure, { t: 0, loss, gradient, slope }, d);
        [loss, gradient, m.t] = [found.loss, found.gradient, found.t];
      } else {
        noGrad(() => this.move([...this.params], m.t, d));
        if (i !== maxIter) ({ loss, gradient } = await this.evaluate(closure));
      }
      if (i === maxIter || m.func_evals - evaluationsBefore >= maxEval) break;
      if (noGrad(() => largest(gradient)) <= toleranceGrad) break;
      if (noGrad(() => largest(d)) * m.t <= toleranceChange) break;
      if (Math.abs(loss - m.prev_loss) < toleranceChange) break;
    }
    return first;
  }

  /** The memory and the learning rate, under PyTorch's names; tensors are the optimizer's own. */
  stateDict(): LBFGSState {
    const { old_dirs, old_stps, ro, ...rest } = this.memory;
    const memory = { ...rest, old_dirs: [...old_dirs], old_stps: [...old_stps], ro: [...ro] };
    return {
      state: this.memory.func_evals > 0 ? { 0: memory } : {},
      paramGroups: [this.paramGroups[0]!.save(0)],
    };
  }

  /**
   * Takes over a saved state. Nothing changes if anything does not fit.
   *
   * @throws ValueError for another number of groups or parameters, or tensors of another size.
   */
  loadStateDict({ state, paramGroups }: LBFGSState): void {
    const [group, ...others] = paramGroups;
    if (!group || others.length > 0)
      throw new ValueError("LBFGS", `the state has ${paramGroups.length} groups, expected 1`);
    const { params, ...options } = group;
    if (params.length !== this.params.length)
      throw new ValueError(
        "LBFGS",
        `the state has ${params.length} parameters, the optimizer ${this.params.length}`,
      );
    const { numbers } = settle(settings, { lr: options.lr });
    const saved = state[0] ?? blank();
    const size = this.params.reduce((sum, p) => sum + p.size, 0);
    const flats = [saved.d, saved.prev_flat_grad, ...saved.old_dirs, ...saved.old_stps];
    const { dtype } = this.params[0]!;
    if (flats.some((x) => x !== null && (x.size !== size || x.dtype !== dtype)))
      throw new ValueError("LBFGS", `the state's tensors must be ${dtype} of ${size} elements`);
    this.memory = {
      ...saved,
      ...{ old_dirs: [...saved.old_dirs], old_stps: [...saved.old_stps], ro: [...saved.ro] },
    };
    this.paramGroups[0]!.lr = numbers.lr!;
  }
}
