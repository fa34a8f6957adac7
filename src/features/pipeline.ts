/** Steps one after another, and steps side by side. */
import { GradusError } from "../core/errors.js";
import type { ArrayData } from "../io/arrayData.js";
import { cat } from "../ops/index.js";
import type { Tensor } from "../tensor/tensor.js";
import { FeatureStep } from "./step.js";

/** The states of steps, each name after the step's number. */
function joinStates(steps: readonly FeatureStep[]): Map<string, Tensor> {
  const entries = steps.flatMap((step, i) =>
    [...step.stateDict()].map(([name, value]) => [`${i}.${name}`, value] as const),
  );
  return new Map(entries);
}

function spreadState(
  op: string,
  steps: readonly FeatureStep[],
  state: ReadonlyMap<string, ArrayData>,
): () => void {
  const parts = steps.map(() => new Map<string, ArrayData>());
  for (const [key, value] of state) {
    const [, place, name] = /^(\d+)\.(.+)$/s.exec(key) ?? [];
    const part = parts[Number(place)];
    if (!part || !name)
      throw new GradusError(`${op}.loadStateDict`, `"${key}" names none of ${steps.length} steps`);
    part.set(name, value);
  }
  const commits = steps.map((step, i) => step.readState(parts[i]!));
  return () => {
    for (const commit of commits) commit();
  };
}

/**
 * Steps one after another. `fit` fits each on what those before it make of the training data; `transform` learns nothing, so that no test
 * data leak into the features.
 *
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Hog, Pipeline, StandardScaler } from "gradus/features";
 * const pipeline = new Pipeline(new Hog({ cellsPerBlock: [2, 2] }), new StandardScaler());
 * pipeline.fit(rand([20, 16, 16]));
 * console.log(pipeline.transform(rand([3, 16, 16])).shape); // → [ 3, 36 ]
 * console.log([...pipeline.stateDict().keys()]); // → [ '1.mean', '1.scale' ]
 * ```
 */
export class Pipeline extends FeatureStep {
  readonly steps: readonly FeatureStep[];

  constructor(...steps: FeatureStep[]) {
    super();
    if (steps.length === 0) throw new GradusError("Pipeline", "needs at least one step");
    this.steps = steps;
  }

  override fit(x: ArrayData): this {
    this.#through(x, (step, value) => step.fitTransform(value), this.steps.length - 1);
    return this;
  }

  override fitTransform(x: ArrayData): Tensor {
    return this.#through(x, (step, value) => step.fitTransform(value)) as Tensor;
  }

  override transform(x: ArrayData): Tensor {
    return this.#through(x, (step, value) => step.transform(value)) as Tensor;
  }

  /** All steps, the last of which is only fitted if `fitOnly` is its number. */
  #through(
    x: ArrayData,
    run: (step: FeatureStep, value: ArrayData) => Tensor,
    fitOnly = -1,
  ): ArrayData {
    return this.steps.reduce<ArrayData>((value, step, i) => {
      if (i !== fitOnly) return run(step, value);
      step.fit(value);
      return value;
    }, x);
  }

  override stateDict(): Map<string, Tensor> {
    return joinStates(this.steps);
  }

  override readState(state: ReadonlyMap<string, ArrayData>): () => void {
    return spreadState("Pipeline", this.steps, state);
  }
}

/**
 * Steps side by side: their features of the same data, one after another in each row.
 *
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { FeatureUnion, Hog, HueHistogram } from "gradus/features";
 * const both = new FeatureUnion(new Hog({ cellsPerBlock: [1, 1] }), new HueHistogram());
 * console.log(both.fitTransform(rand([2, 3, 16, 16])).shape); // → [ 2, 46 ]
 * ```
 */
export class FeatureUnion extends FeatureStep {
  readonly steps: readonly FeatureStep[];

  constructor(...steps: FeatureStep[]) {
    super();
    if (steps.length === 0) throw new GradusError("FeatureUnion", "needs at least one step");
    this.steps = steps;
  }

  override fit(x: ArrayData): this {
    for (const step of this.steps) step.fit(x);
    return this;
  }

  override transform(x: ArrayData): Tensor {
    const parts = this.steps.map((step) => step.transform(x).flatten(1));
    return cat(parts, 1);
  }

  override stateDict(): Map<string, Tensor> {
    return joinStates(this.steps);
  }

  override readState(state: ReadonlyMap<string, ArrayData>): () => void {
    return spreadState("FeatureUnion", this.steps, state);
  }
}
