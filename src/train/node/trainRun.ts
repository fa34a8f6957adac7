/**
 * A run from its settings to its folder: loads the data, trains, and keeps settings, log, checkpoints, weights and pictures
 * where they outlive the process. Read runFolder.ts for the files, ../fit.ts for the loop.
 */
import { createHash } from "node:crypto";
import { backendDescription } from "../../backend/select.js";
import { FormatError } from "../../core/errors.js";
import { loadDigits, loadIdxFolder } from "../../data/node.js";
import type { LabelledImages } from "../../data/sources/labelled.js";
import { bytesOf } from "../../io/arrayData.js";
import type { SafetensorsContent } from "../../io/browser.js";
import { type WriteOptions, writeFileAtomic } from "../../io/files.js";
import { writePng } from "../../io/images.js";
import { loadSafetensors, saveSafetensors } from "../../io/safetensorsFile.js";
import { type Classification, classifierContent, classify } from "../classifier.js";
import { curvesSvg, mistakesPicture } from "../draw/index.js";
import { ResumeError } from "../errors.js";
import type { EpochSummary, TrainEvent } from "../events.js";
import { type FitResult, fit } from "../fit.js";
import { lenetRecipe, type Recipe } from "../recipe.js";
import { type RunReport, summarize } from "./report.js";
import type { CheckpointInterval, DataSource, RunConfig } from "./runConfig.js";
import { RunFolder } from "./runFolder.js";
import { RunLog } from "./runLog.js";

/** What a run tells while it goes on, and what can stop it. */
export interface RunHandlers extends WriteOptions {
  readonly onEvent?: (event: TrainEvent) => void;
  /** Called when the folder is there and the data are loaded, before the first step. */
  readonly onReady?: (folder: RunFolder, config: RunConfig, images: LabelledImages) => void;
  readonly signal?: AbortSignal;
}

export interface StartRunOptions extends RunHandlers {
  /** The folder that holds the runs. */
  readonly runs: string;
  /** Default the model's name with the date and a number. */
  readonly name?: string;
  readonly config: Pick<RunConfig, "model" | "settings" | "data" | "checkpointEvery" | "versions">;
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
  /** How the classifier did on the test data; null where the run was stopped before its end. */
  readonly report: RunReport | null;
}

function loadData(source: DataSource): Promise<LabelledImages> {
  if (source.kind === "digits") return loadDigits();
  const { path, classNames } = source;
  return loadIdxFolder(path, classNames ? { classNames } : {});
}

/** Tells data sets apart: a digest of all pictures and labels. */
function fingerprintOf({ train, test }: LabelledImages): string {
  const hash = createHash("sha256");
  for (const { shape, data } of [train.images, train.labels, test.images, test.labels]) {
    hash.update(`${shape.join("x")};`);
    hash.update(bytesOf(data));
  }
  return `sha256:${hash.digest("hex").slice(0, 32)}`;
}

/**
 * Trains from the beginning, in a new folder. Data that cannot be used leave no folder behind.
 *
 * @throws FileError where a file cannot be read or written; FormatError for damaged data; DivergedError as `fit` does.
 */
export async function startRun(options: StartRunOptions): Promise<RunOutcome> {
  const images = await loadData(options.config.data);
  const recipe = lenetRecipe(images, options.config.settings);
  const { runs, name, fileSystem } = options;
  const write = fileSystem ? { fileSystem } : {};
  const prefix = options.config.model;
  const folder = RunFolder.create({ runs, ...(name && { name }), prefix, ...write });
  const config: RunConfig = {
    name: folder.name,
    ...options.config,
    backend: backendDescription(),
    created: new Date().toISOString(),
  };
  const run = new RecordedRun(folder, config, images, recipe, options);
  try {
    folder.writeConfig(config);
    run.openLog(0);
  } catch (error) {
    run.close();
    folder.discard();
    throw error;
  }
  return await run.train(undefined);
}

/**
 * Goes on with a run from its checkpoint; the end is the same, bit for bit, as without the interruption.
 *
 * @throws ResumeError where checkpoint, data and settings do not belong together; FormatError for damaged files.
 */
export async function resumeRun(options: ResumeRunOptions): Promise<RunOutcome> {
  const { path, fileSystem, checkpointEvery } = options;
  const folder = RunFolder.open(path, fileSystem ? { fileSystem } : {});
  const saved = folder.readConfig();
  const config = checkpointEvery ? { ...saved, checkpointEvery } : saved;
  if (!folder.has("checkpoint"))
    throw new ResumeError("resume", `${path} has no checkpoint; it ended before its first step`);
  const file = folder.file("checkpoint");
  const checkpoint = loadSafetensors(file);
  const position = Number(checkpoint.metadata.log_position);
  if (!Number.isSafeInteger(position) || position < 0)
    throw new FormatError("resume", `${file}: is not the checkpoint of a run`);
  const images = await loadData(config.data);
  const recipe = lenetRecipe(images, config.settings);
  const run = new RecordedRun(folder, config, images, recipe, options);
  run.openLog(position);
  return await run.train(checkpoint);
}

/** One run whose events, checkpoints and results go to its folder. */
class RecordedRun {
  readonly #folder: RunFolder;
  readonly #config: RunConfig;
  readonly #images: LabelledImages;
  readonly #recipe: Recipe;
  readonly #handlers: RunHandlers;
  readonly #write: WriteOptions;
  #log: RunLog | undefined;

  constructor(
    folder: RunFolder,
    config: RunConfig,
    images: LabelledImages,
    recipe: Recipe,
    handlers: RunHandlers,
  ) {
    this.#folder = folder;
    this.#config = config;
    this.#images = images;
    this.#recipe = recipe;
    this.#handlers = handlers;
    this.#write = handlers.fileSystem ? { fileSystem: handlers.fileSystem } : {};
  }

  openLog(position: number): void {
    this.#log = new RunLog(this.#folder.file("log"), position, this.#write);
  }

  close(): void {
    this.#log?.close();
  }

  async train(resume: SafetensorsContent | undefined): Promise<RunOutcome> {
    const { signal, onReady } = this.#handlers;
    const { options } = this.#recipe;
    const { checkpointEvery } = this.#config;
    onReady?.(this.#folder, this.#config, this.#images);
    try {
      const result = await fit(this.#recipe.model, {
        ...options,
        identity: { ...options.identity, data: fingerprintOf(this.#images) },
        onEvent: (event) => this.#record(event),
        checkpoint: {
          save: (content, { step }) => this.#save(content, step),
          ...("steps" in checkpointEvery
            ? { everySteps: checkpointEvery.steps }
            : { everySeconds: checkpointEvery.seconds }),
        },
        ...(signal && { signal }),
        ...(resume && { resume }),
      });
      this.#drawCurves(result.history);
      const report = result.status === "finished" ? await this.#report() : null;
      return { ...result, folder: this.#folder, config: this.#config, report };
    } finally {
      this.close();
    }
  }

  #record(event: TrainEvent): void {
    this.#log?.write(event);
    this.#handlers.onEvent?.(event);
  }

  #save({ tensors, metadata }: SafetensorsContent, step: number): void {
    const log_position = String(this.#log?.position ?? 0);
    const options = { ...this.#write, metadata: { ...metadata, log_position } };
    saveSafetensors(this.#folder.file("checkpoint"), tensors, options);
    // Weights that were never trained are no model yet.
    if (step === 0) return;
    const { model, card } = this.#recipe;
    const weights = classifierContent(model, card);
    const described = { ...this.#write, metadata: weights.metadata };
    saveSafetensors(this.#folder.file("model"), weights.tensors, described);
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
    const { name, settings, backend } = this.#config;
    const { optimizer, lr, batchSize } = settings;
    const svg = curvesSvg(
      { steps, epochs },
      {
        title: name,
        subtitle: `LeNet-5 · ${optimizer}, learning rate ${lr}, batch size ${batchSize} · ${backend}`,
      },
    );
    writeFileAtomic(this.#folder.file("curves"), new TextEncoder().encode(svg), this.#write);
  }

  async #report(): Promise<RunReport> {
    const { model, options } = this.#recipe;
    const classification = await classify(model, options.validation);
    await this.#drawMistakes(classification);
    return summarize(classification, this.#images);
  }

  async #drawMistakes(classification: Classification): Promise<void> {
    const { test, classNames } = this.#images;
    const picture = mistakesPicture({
      images: test.images,
      ...classification,
      classNames,
      title: this.#config.name,
    });
    await writePng(this.#folder.file("mistakes"), picture, this.#write);
  }
}
