/**
 * Everything that a run needs to go on bit for bit, as tensors and metadata that fit a safetensors file: capture puts
 * it together, parse takes it apart and trusts nothing. Read fit.ts next.
 */
import { isFloat } from "../core/dtype.js";
import { FormatError } from "../core/errors.js";
import { toTensor } from "../data/loader.js";
import type { ArrayData } from "../io/arrayData.js";
import type { SafetensorsContent } from "../io/browser.js";
import type { Module } from "../nn/module.js";
import type { GroupState, Optimizer, OptimizerState } from "../optim/index.js";
import type { Tensor } from "../tensor/tensor.js";
import type { CallbackState } from "./callbacks/callback.js";
import { DivergedError, ResumeError } from "./errors.js";
import type { EpochSummary, Measures } from "./events.js";
import { Field } from "./fields.js";
import type { CallbackStates } from "./loop/callbackList.js";
import { parseSums, type Sums } from "./metrics/sums.js";

/** What a run is, by name: a checkpoint fits only where all of it is the same. */
export type Identity = Readonly<Record<string, string>>;

/** Where a run stands. */
export interface Progress {
  readonly identity: Identity;
  /** Epochs that are over. */
  epoch: number;
  /** Batches of the epoch under way that are done, counting those that the loader skipped. */
  batch: number;
  /** Optimizer steps since the start. */
  step: number;
  /** Sums of the epoch under way. */
  sums: Sums;
  /** The scheduler's state as JSON. */
  schedule: string;
  /** State of the random generator. */
  generator: readonly number[];
  readonly history: EpochSummary[];
  /** The newest validation measures, and the step that they were taken after. */
  evaluation: { readonly step: number; readonly measures: Measures } | null;
  /** Why the run ends before its epochs are over; null while it goes on. */
  ended: string | null;
  /** Time taken so far: by the run, and by the epoch under way. */
  seconds: number;
  epochSeconds: number;
}

const format = "gradus-checkpoint";
const version = 5;
const source = "checkpoint";
const maxEpochs = 1_000_000;

/** A run as it was put away. */
export interface TrainingState {
  readonly progress: Progress;
  readonly model: ReadonlyMap<string, Tensor>;
  readonly optimizer: OptimizerState;
  readonly callbacks: CallbackStates;
}

/** JSON has no NaN and no infinity, which a metric may be. */
const namedNumbers = (_key: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

const isFinite = (array: ArrayData): boolean => {
  if (!isFloat(array.dtype)) return true;
  for (const value of array.data) if (!Number.isFinite(value)) return false;
  return true;
};

/**
 * The state as a checkpoint's content. The tensors are the model's and optimizer's own: encode them before the next step.
 *
 * @throws DivergedError where a value is not finite: such a state must not replace a good one.
 */
export function captureState(
  model: Module,
  optimizer: Optimizer,
  progress: Progress,
  callbacks: CallbackStates = new Map(),
): SafetensorsContent {
  const { state, paramGroups } = optimizer.stateDict();
  const tensors = new Map<string, ArrayData>();
  for (const [name, tensor] of model.stateDict()) tensors.set(`model.${name}`, tensor);
  for (const [number, own] of Object.entries(state))
    for (const [name, tensor] of Object.entries(own))
      tensors.set(`optimizer.${number}.${name}`, tensor);
  for (const [callback, { tensors: own }] of callbacks)
    for (const [name, tensor] of own ?? []) tensors.set(`callback.${callback}.${name}`, tensor);
  for (const [name, tensor] of tensors) {
    if (isFinite(tensor)) continue;
    const place = { epoch: progress.epoch + 1, step: progress.step };
    const message = `${name} holds values that are not finite after step ${progress.step}`;
    throw new DivergedError(`${message}; lower the learning rate`, place);
  }
  const values = Object.fromEntries([...callbacks].map(([name, own]) => [name, own.values]));
  const whole = { version, ...progress, paramGroups, callbacks: values };
  const text = JSON.stringify(whole, namedNumbers);
  return { tensors, metadata: { format, state: text } };
}

/**
 * Takes a checkpoint's content apart.
 *
 * @throws FormatError, saying where and what came, for anything that {@link captureState} does not write.
 */
export function parseState({ tensors, metadata }: SafetensorsContent): TrainingState {
  if (metadata.format !== format || metadata.state === undefined) {
    const came = metadata.format ? `"${metadata.format}"` : "a file without a format";
    throw new FormatError("resume", `${source}: is ${came}; expected "${format}"`);
  }
  const state = Field.parse(metadata.state, source);
  state.get("version").whole(version, version);
  const model = new Map<string, Tensor>();
  const own: Record<number, Record<string, Tensor>> = {};
  const callbacks = parseCallbacks(state.get("callbacks"));
  for (const [name, array] of tensors) {
    if (!isFinite(array))
      throw new FormatError("resume", `${source}: ${name} holds values that are not finite`);
    if (name.startsWith("model.")) model.set(name.slice(6), toTensor(array));
    else if (/^optimizer\.\d+\.\w+$/.test(name)) {
      const [, number, kind] = name.split(".") as [string, string, string];
      own[Number(number)] = { ...own[Number(number)], [kind]: toTensor(array) };
    } else {
      const [, callback = "", key = ""] = /^callback\.([\w-]+)\.(.+)$/.exec(name) ?? [];
      const known = callbacks.get(callback);
      if (!known)
        throw new FormatError("resume", `${source}: has the tensor "${name.slice(0, 60)}"`);
      known.tensors.set(key, toTensor(array));
    }
  }
  const paramGroups = state.get("paramGroups").list(10_000).map(parseGroup);
  const optimizer = { state: own, paramGroups };
  return { model, optimizer, callbacks, progress: parseProgress(state) };
}

/** Values that callbacks read themselves, with room for their tensors. */
function parseCallbacks(field: Field) {
  const states = field
    .entries()
    .map(([name, own]) => [name, { values: own.plain(), tensors: new Map<string, Tensor>() }]);
  return new Map(states as [string, CallbackState & { readonly tensors: Map<string, Tensor> }][]);
}

/** A group's hyper-parameters: numbers, switches, and lists of numbers such as `betas`. */
function parseGroup(group: Field): GroupState {
  const options = Object.entries(group.settings());
  const params = group.get("params").list(1_000_000);
  return { ...Object.fromEntries(options), params: params.map((place) => place.whole()) };
}

function parseProgress(state: Field): Progress {
  return {
    identity: state.get("identity").texts(),
    epoch: state.get("epoch").whole(0, maxEpochs),
    batch: state.get("batch").whole(),
    step: state.get("step").whole(),
    sums: parseSums(state.get("sums")),
    schedule: state.get("schedule").text(),
    generator: state
      .get("generator")
      .list(4)
      .map((word) => word.whole(-(2 ** 31), 2 ** 31 - 1)),
    history: state.get("history").list(maxEpochs).map(parseSummary),
    evaluation: parseEvaluation(state.get("evaluation")),
    ended: state.get("ended").isNull ? null : state.get("ended").text(),
    seconds: state.get("seconds").number(0),
    epochSeconds: state.get("epochSeconds").number(0),
  };
}

const measuresOf = (field: Field): Measures => ({
  ...field.measures(),
  loss: field.get("loss").number(),
});

const parseEvaluation = (field: Field): Progress["evaluation"] =>
  field.isNull
    ? null
    : { step: field.get("step").whole(), measures: measuresOf(field.get("measures")) };

export function parseSummary(field: Field): EpochSummary {
  return {
    epoch: field.get("epoch").whole(1, maxEpochs),
    step: field.get("step").whole(),
    lr: field.get("lr").number(0),
    seconds: field.get("seconds").number(0),
    train: measuresOf(field.get("train")),
    ...(field.get("validation").isMissing
      ? {}
      : { validation: measuresOf(field.get("validation")) }),
  };
}

/** Throws unless the checkpoint is of the same run: the same model, data, settings. */
export function checkIdentity(saved: Identity, own: Identity): void {
  const names = new Set([...Object.keys(own), ...Object.keys(saved)]);
  const differing = [...names].filter((name) => saved[name] !== own[name]);
  if (differing.length === 0) return;
  const parts = differing.map(
    (name) => `${name} is ${own[name] ?? "not given"}, the checkpoint has ${saved[name] ?? "none"}`,
  );
  throw new ResumeError("resume", `the checkpoint is of another run: ${parts.join("; ")}`);
}
