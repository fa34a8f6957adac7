/**
 * The course of a run, gathered from its events: losses, measures, and what the monitor saw. Events may come from a log, so numbers that
 * JSON could not hold are taken as NaN. Read diagnose.ts for what is concluded.
 */
import type {
  ActivationHealth,
  EpochSummary,
  HealthEvent,
  ParameterHealth,
  StepEvent,
  TrainEvent,
} from "../events.js";

/** An event as `fit` emits it or as a log keeps it: of steps little is read. */
export type DiagnosedEvent =
  | Exclude<TrainEvent, StepEvent>
  | Pick<StepEvent, "type" | "epoch" | "step" | "loss" | "lr">;

/** What is known about a run besides its events. */
export interface DiagnosisFacts {
  /** Classes to tell apart: guessing costs ln of it. */
  readonly classes?: number;
  /** The loss before the first step without regularisation, where it was measured apart. */
  readonly initialLoss?: number;
  /** Whether the same batch gives the same loss twice in evaluation; false: something stays random there. */
  readonly isEvaluationSteady?: boolean;
  /** What the inputs are like, where they were looked at. */
  readonly input?: HealthEvent["input"];
  /** Share of the validation examples that are among the training examples too. */
  readonly sharedExamples?: number;
  /** Weights whose units all begin alike, by name. */
  readonly alikeWeights?: readonly string[];
  /** Whether a few batches could be learned by heart. */
  readonly overfits?: boolean;
}

/** One step's loss and learning rate. */
export interface StepPoint {
  readonly step: number;
  readonly loss: number;
  readonly lr: number;
}

/** Numbers in the middle of their order. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((x) => !Number.isNaN(x)).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The greatest and the least of many numbers: as arguments of Math.max a long run's would not fit the stack. */
export const greatest = (values: Iterable<number>): number => {
  let found = Number.NEGATIVE_INFINITY;
  for (const x of values) found = Math.max(found, x);
  return found;
};
export const least = (values: Iterable<number>): number => {
  let found = Number.POSITIVE_INFINITY;
  for (const x of values) found = Math.min(found, x);
  return found;
};

const asNumber = (x: unknown): number => (typeof x === "number" ? x : Number.NaN);

/** A stretch of a run from share `from` to share `to` of its steps. */
const stretch = <T>(list: readonly T[], from: number, to: number): readonly T[] =>
  list.slice(Math.floor(list.length * from), Math.max(Math.ceil(list.length * to), 1));

export class Course {
  readonly steps: readonly StepPoint[];
  /** The losses that are finite. */
  readonly losses: readonly number[];
  readonly epochs: readonly EpochSummary[];
  readonly health: readonly HealthEvent[];
  readonly facts: DiagnosisFacts;
  /** The message of a run that could not go on. */
  readonly failure: string | null;
  /** Whether the log begins with the first step of weights that were never trained. */
  readonly isFromStart: boolean;
  readonly validationExamples: number;

  constructor(events: readonly DiagnosedEvent[], facts: DiagnosisFacts) {
    this.facts = facts;
    this.steps = events.flatMap((event) =>
      event.type === "step"
        ? [{ step: event.step, loss: asNumber(event.loss), lr: asNumber(event.lr) }]
        : [],
    );
    this.losses = this.steps.map(({ loss }) => loss).filter(Number.isFinite);
    this.epochs = events.flatMap((event) => (event.type === "epoch" ? [event] : []));
    this.health = events.flatMap((event) => (event.type === "health" ? [event] : []));
    this.failure = events.findLast((event) => event.type === "failed")?.message ?? null;
    this.isFromStart = (this.steps[0]?.step ?? 1) === 1;
    const start = events.find((event) => event.type === "start");
    this.validationExamples = start?.validationExamples ?? 0;
  }

  /** The mean loss of a stretch of the run, given by shares of its steps; medians bear single bad batches. */
  lossFrom(from: number, to: number): number {
    return median(stretch(this.losses, from, to));
  }

  /** The loss before anything was learned: measured apart, or of the first step. */
  get firstLoss(): number {
    return this.facts.initialLoss ?? this.losses[0] ?? Number.NaN;
  }

  /** What guessing costs: ln of the classes, or else what the untrained model did. */
  get chanceLoss(): number {
    const { classes } = this.facts;
    return classes && classes > 1 ? Math.log(classes) : this.firstLoss;
  }

  /** Training and validation values of a measure by epoch, where both are there. */
  pairs(measure: string): readonly { readonly train: number; readonly validation: number }[] {
    return this.epochs.flatMap(({ train, validation }) => {
      const [a, b] = [asNumber(train[measure]), asNumber(validation?.[measure])];
      return Number.isNaN(a) || Number.isNaN(b) ? [] : [{ train: a, validation: b }];
    });
  }

  /** Looks at the network while it learned in earnest: not while the rate rose or had almost run out. */
  get earnest(): readonly HealthEvent[] {
    const rates = new Map(this.steps.map(({ step, lr }) => [step, lr]));
    const most = greatest(rates.values());
    const working = this.health.filter(({ step }) => !((rates.get(step) ?? most) < most / 10));
    return working.length > 0 ? working : this.health;
  }

  /** Each parameter's values over the looks in earnest. */
  parameters(): readonly (readonly [name: string, looks: readonly ParameterHealth[]])[] {
    return byName(this.earnest.map(({ parameters }) => parameters));
  }

  /** Each layer's values over the later half of the looks. */
  activations(): readonly (readonly [name: string, looks: readonly ActivationHealth[]])[] {
    return byName(stretch(this.health, 0.5, 1).map(({ activations }) => activations));
  }

  /** What the first look saw of a layer, of weights that were never trained. */
  firstActivation(name: string): ActivationHealth | undefined {
    return this.isFromStart
      ? this.health[0]?.activations.find((one) => one.name === name)
      : undefined;
  }

  /** Whether half of what guessing costs was learned away by the end. */
  get hasLearned(): boolean {
    return this.lossFrom(0.9, 1) < 0.5 * this.chanceLoss;
  }

  /** The median over weights and looks of the update ratio; NaN where none was seen. */
  get updateRatio(): number {
    return median(this.#weights.map((looks) => median(looks.map((one) => one.updateRatio))));
  }

  /** The greatest update ratio of a look, each in the middle over the weights: dead units may hide behind small ones later. */
  get greatestUpdateRatio(): number {
    const looks = this.#weights.map((weight) => weight.map((one) => one.updateRatio));
    const count = Math.max(0, ...looks.map(({ length }) => length));
    const middles = Array.from({ length: count }, (_, i) => median(looks.map((one) => one[i]!)));
    return count > 0 ? Math.max(...middles) : Number.NaN;
  }

  /** Weights that train; biases begin at 0, where ratios say nothing. */
  get #weights(): readonly (readonly ParameterHealth[])[] {
    return this.parameters().flatMap(([name, looks]) =>
      looks.every(({ trainable }) => trainable) && !/bias$/.test(name) ? [looks] : [],
    );
  }

  /** The weights that train, from the first layer to the last, with the median of ‖gradient‖ / ‖weight‖. */
  get relativeGradients(): readonly { readonly name: string; readonly ratio: number }[] {
    return this.#weights.flatMap((looks) => {
      const ratio = median(looks.map((one) => (one.gradientNorm ?? 0) / one.norm));
      return Number.isFinite(ratio) ? [{ name: looks[0]!.name, ratio }] : [];
    });
  }

  /** The L2 norm of all gradients at each look. */
  get gradientNorms(): readonly number[] {
    return this.health.map(({ parameters }) =>
      Math.hypot(...parameters.map(({ gradientNorm }) => gradientNorm ?? 0)),
    );
  }
}

function byName<T extends { readonly name: string }>(
  looks: readonly (readonly T[])[],
): readonly (readonly [string, readonly T[]])[] {
  const found = new Map<string, T[]>();
  for (const look of looks)
    for (const one of look) found.set(one.name, [...(found.get(one.name) ?? []), one]);
  return [...found];
}
