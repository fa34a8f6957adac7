/**
 * The perceptron with the learning rule of the Mark I (Rosenblatt, 1958): one example after another, and only mistakes teach. Each
 * update depends on the one before, so this is a plain loop in float64 and no batch program.
 */
import { GradusError, ShapeError, ValueError } from "../core/errors.js";
import { checkNames } from "../core/options.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { permutation } from "../data/order.js";
import type { ArrayData } from "../io/arrayData.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * `oneVsRest`: each class has a unit that tells it from all others; w ← w + lr·t·x where t·(w·x + b) ≤ 0, t = ±1. `multiclass`: where a
 * wrong class leads, its weights lose lr·x and the right class's gain it (Duda and Hart's; Kesler's construction).
 */
export type PerceptronRule = "oneVsRest" | "multiclass";

export interface PerceptronOptions {
  /** Default "oneVsRest". */
  readonly rule?: PerceptronRule;
  /** Factor of each update; default 1. */
  readonly lr?: number;
  /** Passes over the data at most; it ends earlier after one without a mistake. Default 100. */
  readonly epochs?: number;
  /** Take the examples in another order each epoch; default false. */
  readonly shuffle?: boolean;
  /** Decides the orders; default 0. */
  readonly seed?: number;
}

/** What {@link Perceptron.fit} reached. */
export interface PerceptronFit {
  /** Updates in each epoch. 0 in the last one means that the classes are linearly separated. */
  readonly mistakes: readonly number[];
  readonly converged: boolean;
}

interface Problem {
  readonly data: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly count: number;
  readonly dim: number;
}

function checkFinite(op: string, { data }: ArrayData): void {
  for (const value of data)
    if (!Number.isFinite(value))
      throw new ValueError(op, `x holds ${value}; expected finite numbers`);
}

function checkProblem(op: string, x: ArrayData, y: ArrayData): Problem {
  const [count, ...inner] = x.shape;
  const dim = sizeOf(inner);
  if (!count || !dim || y.shape.length !== 1 || y.shape[0] !== count) {
    const came = `${formatShape(x.shape)} and ${formatShape(y.shape)}`;
    throw new ShapeError(op, `x and y are ${came}; expected [N, …] and [N]`);
  }
  checkFinite(op, x);
  const isClass = (label: number) => Number.isInteger(label) && label >= 0 && label < 2 ** 16;
  const bad = Array.from(y.data).find((label) => !isClass(label));
  if (bad !== undefined) throw new ValueError(op, `y holds ${bad}; expected class numbers from 0`);
  return { data: x.data, labels: y.data, count, dim };
}

/**
 * Rosenblatt's perceptron for two or more classes 0 … C − 1.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { Perceptron } from "gradus/linear";
 * const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const and = new Perceptron();
 * console.log(and.fit(x, tensor(new Int32Array([0, 0, 0, 1]))).converged); // → true
 * console.log(and.predict(x).toArray()); // → [ 0, 0, 0, 1 ]
 * ```
 */
export class Perceptron {
  readonly #options: Required<PerceptronOptions>;
  #weight: Float64Array = new Float64Array(0);
  #bias: Float64Array = new Float64Array(0);
  #dim = 0;

  constructor(options: PerceptronOptions = {}) {
    const filled = {
      rule: "oneVsRest",
      lr: 1,
      epochs: 100,
      shuffle: false,
      seed: 0,
      ...options,
    } as const;
    const { rule, lr, epochs } = filled;
    const op = "Perceptron";
    checkNames(op, options, ["rule", "lr", "epochs", "shuffle", "seed"]);
    if (rule !== "oneVsRest" && rule !== "multiclass")
      throw new ValueError(op, `rule is "${rule}"; expected "oneVsRest" or "multiclass"`);
    if (!(lr > 0) || !Number.isFinite(lr)) throw new ValueError(op, `lr is ${lr}; expected > 0`);
    if (!Number.isInteger(epochs) || epochs < 1)
      throw new ValueError(op, `epochs is ${epochs}; expected a whole number ≥ 1`);
    this.#options = filled;
  }

  /** Weights [C, …features], float64; two classes told apart by one unit have one row. */
  get weight(): Tensor {
    return fromTypedArray(this.#weight.slice(), { shape: [this.#bias.length, this.#dim] });
  }

  /** Biases, float64 [C], or [1]. */
  get bias(): Tensor {
    return fromTypedArray(this.#bias.slice());
  }

  /** What was learned, by name: for `saveSafetensors`. */
  stateDict(): Map<string, Tensor> {
    return new Map(Object.entries({ weight: this.weight, bias: this.bias }));
  }

  /**
   * Takes over what another perceptron learned; with the multiclass rule there is a row for each class.
   *
   * @throws ShapeError unless there are a weight [C, features] and a bias [C], and nothing else; nothing changes then.
   */
  loadStateDict(state: Iterable<readonly [string, ArrayData]>): void {
    const { weight, bias, ...others } = Object.fromEntries(state);
    const [units, dim] = weight?.shape ?? [];
    const fits = weight?.shape.length === 2 && bias?.shape.length === 1 && bias.shape[0] === units;
    if (!fits || Object.keys(others).length > 0) {
      const came = [...new Map(state)].map(([name, x]) => `${name} ${formatShape(x.shape)}`);
      throw new ShapeError(
        "Perceptron.loadStateDict",
        `got ${came.join(", ") || "nothing"}; expected weight [C, features] and bias [C]`,
      );
    }
    this.#weight = Float64Array.from(weight.data);
    this.#bias = Float64Array.from(bias.data);
    this.#dim = dim!;
  }

  /**
   * Learns from x `[N, …]` and class numbers y `[N]`, beginning at zero.
   *
   * @throws ShapeError where x and y do not fit; ValueError for numbers that are not finite or no classes.
   */
  fit(x: ArrayData, y: ArrayData): PerceptronFit {
    const { rule, epochs, shuffle, seed } = this.#options;
    const problem = checkProblem("Perceptron.fit", x, y);
    const classes = Math.max(2, 1 + Array.from(problem.labels).reduce((a, b) => Math.max(a, b), 0));
    const units = rule === "oneVsRest" && classes === 2 ? 1 : classes;
    this.#dim = problem.dim;
    this.#weight = new Float64Array(units * problem.dim);
    this.#bias = new Float64Array(units);
    const plain = Int32Array.from({ length: problem.count }, (_, i) => i);
    const mistakes: number[] = [];
    for (let epoch = 0; epoch < epochs && mistakes.at(-1) !== 0; epoch++) {
      const order = shuffle ? permutation(problem.count, seed, epoch) : plain;
      let wrong = 0;
      for (const i of order) wrong += this.#learn(problem, i);
      mistakes.push(wrong);
    }
    return { mistakes, converged: mistakes.at(-1) === 0 };
  }

  /** One example; gives the number of updates. */
  #learn({ data, labels, dim }: Problem, i: number): number {
    const label = labels[i]!;
    const units = this.#bias.length;
    const start = i * dim;
    if (this.#options.rule === "multiclass") {
      const guess = this.#highest(data, start);
      if (guess === label) return 0;
      this.#move(label, data, start, 1);
      this.#move(guess, data, start, -1);
      return 1;
    }
    let updates = 0;
    for (let unit = 0; unit < units; unit++) {
      const target = label === (units === 1 ? 1 : unit) ? 1 : -1;
      if (target * this.#score(unit, data, start) > 0) continue;
      this.#move(unit, data, start, target);
      updates++;
    }
    return updates;
  }

  #score(unit: number, data: ArrayLike<number>, start: number): number {
    const [weight, dim] = [this.#weight, this.#dim];
    let sum = 0;
    for (let d = 0, at = unit * dim; d < dim; d++) sum += weight[at + d]! * data[start + d]!;
    return sum + this.#bias[unit]!;
  }

  #highest(data: ArrayLike<number>, start: number): number {
    let [best, most] = [0, this.#score(0, data, start)];
    if (this.#bias.length === 1) return Number(most > 0);
    for (let unit = 1; unit < this.#bias.length; unit++) {
      const score = this.#score(unit, data, start);
      if (score > most) [best, most] = [unit, score];
    }
    return best;
  }

  #move(unit: number, data: ArrayLike<number>, start: number, sign: number): void {
    const [weight, dim] = [this.#weight, this.#dim];
    const rate = sign * this.#options.lr;
    for (let d = 0, at = unit * dim; d < dim; d++) weight[at + d]! += rate * data[start + d]!;
    this.#bias[unit]! += rate;
  }

  /**
   * The class of each row, int32 `[N]`; of equal scores the first.
   *
   * @throws GradusError before fit; ShapeError for rows of another length; ValueError for numbers that are not finite.
   */
  predict(x: ArrayData): Tensor {
    const op = "Perceptron.predict";
    if (this.#dim === 0) throw new GradusError(op, "nothing is learned yet; call fit(x, y) first");
    const [count = 0, ...inner] = x.shape;
    if (sizeOf(inner) !== this.#dim)
      throw new ShapeError(op, `x is ${formatShape(x.shape)}; expected ${this.#dim} numbers a row`);
    checkFinite(op, x);
    return fromTypedArray(
      Int32Array.from({ length: count }, (_, i) => this.#highest(x.data, i * this.#dim)),
    );
  }

  /** The share of rows whose class is predicted right, 0 to 1. */
  score(x: ArrayData, y: ArrayData): number {
    checkProblem("Perceptron.score", x, y);
    const labels = this.predict(x).data;
    return Array.from(labels).filter((label, i) => label === y.data[i]).length / labels.length;
  }
}
