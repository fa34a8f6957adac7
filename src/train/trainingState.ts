/**
 * Everything that a run needs to go on bit for bit, as tensors and metadata that fit a safetensors file: capture puts
 * it together, parse takes it apart and trusts nothing. Read fit.ts next.
 */
import { isFloat } from "../core/dtype.js";
import { FormatError } from "../core/errors.js";
import { toTensor } from "../data/loader.js";
import type { ArrayData } from "../io/arrayData.js";
import type { SafetensorsContent } from "../io/browser.js";
import type { GroupState, Optimizer, OptimizerState } from "../optim/index.js";
import type { Tensor } from "../tensor/tensor.js";
import { DivergedError, ResumeError } from "./errors.js";
import type { EpochSummary, Measures } from "./events.js";
import { Field } from "./fields.js";
import { parseSums, type Sums } from "./metrics/sums.js";
import type { Model } from "./steps.js";

/** What a run is, by name: a checkpoint fits only where all of it is the same. */
export type Identity = Readonly<Record<string, string>>;

/** Where a run stands. */
export interface Progress {
  readonly identity: Identity;
  /** Epochs that are over. */
  epoch: number;
  /** Batches of the epoch under way that are done. */
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
  /** Time taken so far: by the run, and by the epoch under way. */
  seconds: number;
  epochSeconds: number;
}

const format = "gradus-checkpoint";
const version = 4;
const source = "checkpoint";
const maxEpochs = 1_000_000;

/** A run as it was put away. */
export interface TrainingState {
  readonly progress: Progress;
  readonly model: ReadonlyMap<string, Tensor>;
  readonly optimizer: OptimizerState;
}

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
  model: Model,
  optimizer: Optimizer,
  progress: Progress,
): SafetensorsContent {
  const { state, paramGroups } = optimizer.stateDict();
  const tensors = new Map<string, ArrayData>();
  for (const [name, tensor] of model.stateDict()) tensors.set(`model.${name}`, tensor);
  for (const [number, own] of Object.entries(state))
    for (const [name, tensor] of Object.entries(own))
      tensors.set(`optimizer.${number}.${name}`, tensor);
  for (const [name, tensor] of tensors) {
    if (isFinite(tensor)) continue;
    const place = { epoch: progress.epoch + 1, step: progress.step };
    const message = `${name} holds values that are not finite after step ${progress.step}`;
    throw new DivergedError(`${message}; lower the learning rate`, place);
  }
  const text = JSON.stringify({ version, ...progress, paramGroups });
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
  for (const [name, array] of tensors) {
    if (!isFinite(array))
      throw new FormatError("resume", `${source}: ${name} holds values that are not finite`);
    if (name.startsWith("model.")) model.set(name.slice(6), toTensor(array));
    else if (/^optimizer\.\d+\.\w+$/.test(name)) {
      const [, number, kind] = name.split(".") as [string, string, string];
      own[Number(number)] = { ...own[Number(number)], [kind]: toTensor(array) };
    } else throw new FormatError("resume", `${source}: has the tensor "${name.slice(0, 60)}"`);
  }
  const paramGroups = state.get("paramGroups").list(10_000).map(parseGroup);
  return { model, optimizer: { state: own, paramGroups }, progress: parseProgress(state) };
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
    seconds: state.get("seconds").number(0),
    epochSeconds: state.get("epochSeconds").number(0),
  };
}

export function parseSummary(field: Field): EpochSummary {
  const measures = (key: string): Measures => {
    const part = field.get(key);
    return { ...part.measures(), loss: part.get("loss").number() };
  };
  return {
    epoch: field.get("epoch").whole(1, maxEpochs),
    step: field.get("step").whole(),
    lr: field.get("lr").number(0),
    seconds: field.get("seconds").number(0),
    train: measures("train"),
    ...(field.get("validation").isMissing ? {} : { validation: measures("validation") }),
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
