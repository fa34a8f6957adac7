/**
 * A run from its configuration to its folder: builds the experiment, trains, and keeps configuration, log, checkpoints, weights
 * and pictures where they outlive the process. Read runFolder.ts for the files, ../fit.ts for the loop.
 */
import { dirname } from "node:path";
import { backendDescription } from "../../backend/select.js";
import { FormatError } from "../../core/errors.js";
import type { SafetensorsContent } from "../../io/browser.js";
import { type WriteOptions, writeFileAtomic } from "../../io/files.js";
import { writePng } from "../../io/images.js";
import { saveSafetensors } from "../../io/safetensorsFile.js";
import { type Classification, classifierContent, classify } from "../classifier.js";
import { isPictures } from "../config/data.js";
import type { ResolvedConfig } from "../config/schema.js";
import { bestOf } from "../config/training.js";
import { curvesSvg, mistakesPicture } from "../draw/index.js";
import { ResumeError } from "../errors.js";
import type { EpochSummary, Measures, TrainEvent } from "../events.js";
import { type FitResult, fit } from "../fit.js";
import { checkOptions } from "../loop/check.js";
import type { CheckpointPlace, FitOptions } from "../options.js";
import { evaluate } from "../steps.js";
import { CheckpointFolder, type StoredCheckpoint } from "./checkpoints.js";
import { isModule } from "./configFile.js";
import { gitStateOf, machineOf } from "./environment.js";
import {
  experimentFrom,
  experimentFromSource,
  type FileExperiment,
  type LoadedExperiment,
} from "./experimentFile.js";
import { readLog } from "./readRun.js";
import { type RunReport, summarize } from "./report.js";
import type { CheckpointInterval, RunConfig } from "./runConfig.js";
import { RunFolder, sourceFile } from "./runFolder.js";
import { lockRun, type RunLock } from "./runLock.js";
import { RunLog } from "./runLog.js";

/** What a run tells while it goes on, and what can stop it. */
export interface RunHandlers extends WriteOptions {
  readonly onEvent?: (event: TrainEvent) => void;
  /** Called when the folder is there and the data are loaded, before the first step. */
  readonly onReady?: (folder: RunFolder, config: RunConfig, experiment: FileExperiment) => void;
  /** Told of checkpoints that are damaged, so that the run goes on from an older one. */
  readonly onDamage?: (damaged: StoredCheckpoint["damaged"]) => void;
  readonly signal?: AbortSignal;
}

export interface StartRunOptions extends RunHandlers {
  readonly experiment: LoadedExperiment;
  /** The folder that holds the runs. */
  readonly runs: string;
  /** Default the experiment's name with the date and a number. */
  readonly name?: string;
  readonly preset?: RunConfig["preset"];
  /** Default as the configuration says. */
  readonly checkpointEvery?: CheckpointInterval;
  /** Of what else is to be remembered; Node's own is added. */
  readonly versions?: Readonly<Record<string, string>>;
}

export interface ResumeRunOptions extends RunHandlers {
  /** The folder of the run. */
  readonly path: string;
  /** Default as the run began. */
  readonly checkpointEvery?: CheckpointInterval;
}

export interface RunOutcome extends FitResult {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly experiment: FileExperiment;
  /** How a classifier did on the test data, or the validation data where there are no others; null where the run was stopped. */
  readonly report: RunReport | null;
  /** The measures of those data; null where there are none or the run was stopped. */
  readonly final: Measures | null;
}

const writeOptions = ({ fileSystem }: WriteOptions): WriteOptions =>
  fileSystem ? { fileSystem } : {};

/**
 * Trains from the beginning, in a new folder. Data that cannot be used leave no folder behind.
 *
 * @throws FileError where a file cannot be read or written; FormatError for damaged data; ValueError and DivergedError as `fit`
 * does.
 */
export async function startRun(options: StartRunOptions): Promise<RunOutcome> {
  const { experiment: loaded, runs, name, preset, versions } = options;
  const [built, git] = await Promise.all([
    loaded.build(),
    gitStateOf(...(loaded.source ? [dirname(loaded.path)] : []), process.cwd()),
  ]);
  checkOptions(built.model, fitOptions(built));
  const write = writeOptions(options);
  const folder = RunFolder.create({ runs, ...(name && { name }), prefix: loaded.name, ...write });
  const { source } = loaded;
  const checkpointEvery = options.checkpointEvery ?? intervalOf(built.config);
  const config: RunConfig = {
    name: folder.name,
    ...(preset && { preset }),
    config: built.config,
    ...(source && { source: { file: sourceFile(source.path), path: source.path } }),
    ...(built.classes !== undefined && { classes: built.classes }),
    changes: loaded.changes,
    checkpointEvery,
    backend: backendDescription(),
    versions: { ...versions, node: process.versions.node },
    machine: machineOf(),
    ...(git && { git: git.state }),
    created: new Date().toISOString(),
  };
  let lock: RunLock | undefined;
  let run: RecordedRun | undefined;
  try {
    lock = lockRun(folder.path);
    run = new RecordedRun({ folder, config, lock }, built, options);
    if (source) folder.writeText(sourceFile(source.path), source.text);
    if (git?.diff) folder.writeText("changes.diff", git.diff);
    folder.writeConfig(config);
    run.openLog(0);
  } catch (error) {
    run?.close();
    lock?.release();
    folder.discard();
    throw error;
  }
  return await run.train(undefined);
}

/** What `fit` will be given, but for what is written where. */
const fitOptions = ({ options, config }: FileExperiment): FitOptions => ({
  ...options,
  checkpoint: { ...bestOf(config.train), save() {} },
});

/** How often a configuration wants checkpoints. */
function intervalOf({ train }: ResolvedConfig): CheckpointInterval {
  const { everySteps, everySeconds = 30 } = train.checkpoint;
  return everySteps === undefined ? { seconds: everySeconds } : { steps: everySteps };
}

/** The experiment of a run: from its plain configuration, or from its source where that has functions. */
export async function experimentOfRun(
  folder: RunFolder,
  config: RunConfig,
): Promise<LoadedExperiment> {
  const source = folder.readSource(config);
  if (source && isModule(source.path)) return await experimentFromSource(source, config.changes);
  return experimentFrom(config.config, folder.file("config"));
}

/**
 * Goes on with a run from its newest whole checkpoint; the end is the same, bit for bit, as without the interruption. A run that
 * ended before its first checkpoint begins.
 *
 * @throws ResumeError where checkpoint, data and settings do not belong together; FormatError for damaged files;
 * RunLockedError where another process is at it.
 */
export async function resumeRun(options: ResumeRunOptions): Promise<RunOutcome> {
  const { path, checkpointEvery } = options;
  const folder = RunFolder.open(path, writeOptions(options));
  // Before anything is read, since whoever has the run may be changing it.
  const lock = lockRun(folder.path);
  let run: RecordedRun | undefined;
  let stored: StoredCheckpoint | null;
  try {
    const saved = folder.readConfig();
    const config = checkpointEvery ? { ...saved, checkpointEvery } : saved;
    stored = new CheckpointFolder(folder.file("checkpoints")).load();
    const position = stored ? logPosition(stored) : beginning(folder);
    if (stored && stored.damaged.length > 0) options.onDamage?.(stored.damaged);
    const loaded = await experimentOfRun(folder, config);
    run = new RecordedRun({ folder, config, lock }, await loaded.build(), options);
    run.openLog(position);
  } catch (error) {
    run?.close();
    lock.release();
    throw error;
  }
  return await run.train(stored?.content);
}

/** How long the log was at a checkpoint. */
function logPosition({ content, path }: StoredCheckpoint): number {
  const position = Number(content.metadata.log_position);
  if (!Number.isSafeInteger(position) || position < 0)
    throw new FormatError("resume", `${path}: is not the checkpoint of a run`);
  return position;
}

/** The log's position where a run has no checkpoint: its process ended before the first one. */
function beginning(folder: RunFolder): number {
  if (folder.has("log"))
    for (const { event } of readLog(folder.file("log")))
      if (event.type === "step")
        throw new ResumeError(
          "resume",
          `${folder.path} has no checkpoint, but a log of steps: somebody removed it; begin a new run`,
        );
  return 0;
}

interface OwnedFolder {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly lock: RunLock;
}

/** One run whose events, checkpoints and results go to its folder. */
class RecordedRun {
  readonly #folder: RunFolder;
  readonly #config: RunConfig;
  readonly #experiment: FileExperiment;
  readonly #handlers: RunHandlers;
  readonly #write: WriteOptions;
  readonly #checkpoints: CheckpointFolder;
  readonly #lock: RunLock;
  #log: RunLog | undefined;

  constructor(
    { folder, config, lock }: OwnedFolder,
    experiment: FileExperiment,
    handlers: RunHandlers,
  ) {
    this.#folder = folder;
    this.#config = config;
    this.#lock = lock;
    this.#experiment = experiment;
    this.#handlers = handlers;
    this.#write = writeOptions(handlers);
    const { keep } = experiment.config.train.checkpoint;
    this.#checkpoints = new CheckpointFolder(folder.file("checkpoints"), { ...this.#write, keep });
  }

  openLog(position: number): void {
    this.#log = new RunLog(this.#folder.file("log"), position, this.#write);
  }

  close(): void {
    this.#log?.close();
    this.#lock.release();
  }

  async train(resume: SafetensorsContent | undefined): Promise<RunOutcome> {
    const { signal, onReady } = this.#handlers;
    const { model, options, fingerprint } = this.#experiment;
    const { checkpointEvery } = this.#config;
    onReady?.(this.#folder, this.#config, this.#experiment);
    try {
      const result = await fit(model, {
        ...options,
        identity: { ...options.identity, ...(fingerprint && { data: fingerprint }) },
        onEvent: (event) => this.#record(event),
        checkpoint: {
          ...bestOf(this.#experiment.config.train),
          save: (content, place) => this.#save(content, place),
          ...("steps" in checkpointEvery
            ? { everySteps: checkpointEvery.steps }
            : { everySeconds: checkpointEvery.seconds }),
        },
        ...(signal && { signal }),
        ...(resume && { resume }),
      });
      this.#drawCurves(result.history);
      const isOver = result.status === "finished";
      // The last weights may be averages or the best ones.
      if (isOver) this.#saveModel();
      const { report, final } = isOver ? await this.#finish() : { report: null, final: null };
      const { folder, config, experiment } = this.#parts;
      return { ...result, folder, config, experiment, report, final };
    } finally {
      this.close();
    }
  }

  get #parts() {
    return { folder: this.#folder, config: this.#config, experiment: this.#experiment };
  }

  #record(event: TrainEvent): void {
    this.#log?.write(event);
    this.#handlers.onEvent?.(event);
  }

  #save({ tensors, metadata }: SafetensorsContent, place: CheckpointPlace): void {
    // On the disk before the checkpoint that counts on it.
    this.#log?.flush();
    const log_position = String(this.#log?.position ?? 0);
    this.#checkpoints.save({ tensors, metadata: { ...metadata, log_position } }, place);
    // Weights that were never trained are no model yet.
    if (place.step > 0) this.#saveModel();
  }

  #saveModel(): void {
    const { model, card } = this.#experiment;
    const { tensors, metadata } = card
      ? classifierContent(model, card)
      : { tensors: model.stateDict(), metadata: { format: "pt" } };
    saveSafetensors(this.#folder.file("model"), tensors, { ...this.#write, metadata });
  }

  #drawCurves(history: readonly EpochSummary[]): void {
    const steps = this.#log?.steps ?? [];
    const epochs = history.map(({ epoch, step, train, validation }) => ({
      epoch,
      step,
      trainLoss: train.loss,
      ...(train.accuracy !== undefined && { trainAccuracy: train.accuracy }),
      ...(validation && { validationLoss: validation.loss }),
      ...(validation?.accuracy !== undefined && { validationAccuracy: validation.accuracy }),
    }));
    const { name, config, backend } = this.#config;
    const { optim, train, model } = config;
    const title = model.name === "lenet" ? "LeNet-5" : model.name;
    const subtitle = `${title} · ${optim.name}, learning rate ${optim.lr}, batch size ${train.batchSize} · ${backend}`;
    const svg = curvesSvg({ steps, epochs }, { title: name, subtitle });
    writeFileAtomic(this.#folder.file("curves"), new TextEncoder().encode(svg), this.#write);
  }

  async #finish(): Promise<Pick<RunOutcome, "report" | "final">> {
    const { model, options, classes, data } = this.#experiment;
    const { final, classNames } = data;
    if (!final) return { report: null, final: null };
    const { loss, metrics } = options;
    const measures = await evaluate(model, final, {
      ...(loss && { loss }),
      ...(metrics && { metrics }),
    });
    if (classes === undefined || !classNames) return { report: null, final: measures };
    const classification = await classify(model, final);
    await this.#drawMistakes(classification, classNames);
    return { report: summarize(classification, { classes, classNames }), final: measures };
  }

  async #drawMistakes(classification: Classification, classNames: readonly string[]) {
    const { finalPair } = this.#experiment.data;
    if (!finalPair || !isPictures(finalPair)) return;
    const picture = mistakesPicture({
      images: finalPair.x,
      ...classification,
      classNames,
      title: this.#config.name,
    });
    await writePng(this.#folder.file("mistakes"), picture, this.#write);
  }
}
