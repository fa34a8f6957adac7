/** Shows a training run: what it is, a line that moves, a row for each epoch. Read runSummary.ts for what comes after. */
import {
  type Chosen,
  describeTrainable,
  describeWeights,
  type EpochEvent,
  isShare,
  type Measures,
  mainMeasure,
  type StepEvent,
  type TrainEvent,
} from "../../train/index.js";
import type { FileExperiment, RunConfig, RunFolder } from "../../train/node/index.js";
import { count, duration, percent, plural, timeLeft } from "./format.js";
import { measureText } from "./runText.js";
import type { Screen } from "./screen.js";
import { bar } from "./style.js";

const redrawMilliseconds = 80;
/** Where nothing can be redrawn, a long epoch says so often that it goes on. */
const plainMilliseconds = 10_000;
const [leastBar, mostBar] = [10, 28];

const leastWidth = 8;

/** One column of the table of epochs: its title, and what it says of one. */
interface EpochColumn {
  readonly title: string;
  readonly isMain?: boolean;
  cellOf(event: EpochEvent): string;
}

/** The measure that tells most; those of single classes tell little. */
const mainOf = (measures: Measures): string =>
  mainMeasure(Object.keys(measures).filter((name) => !/\.\d+$/.test(name)));

const measured = (name: string, measures: Measures | undefined): string =>
  measures?.[name] === undefined ? "" : measureText(name, measures[name]);

/** Losses, and the measure that tells most where there is another one. */
function columnsOf({ train, validation }: EpochEvent, epochs: number): EpochColumn[] {
  const main = mainOf(validation ?? train);
  const extra = main === "loss" ? [] : [main];
  const ofTraining = extra.map((title) => ({
    title,
    cellOf: (event: EpochEvent) => measured(title, event.train),
  }));
  const ofValidation = extra.map((title) => ({
    ...{ title, isMain: true },
    cellOf: (event: EpochEvent) => measured(title, event.validation),
  }));
  return [
    { title: "epoch", cellOf: ({ epoch }) => `${epoch}/${epochs}` },
    { title: "train loss", cellOf: (event) => event.train.loss.toFixed(4) },
    ...ofTraining,
    ...(validation
      ? [
          { title: "val. loss", cellOf: (event: EpochEvent) => event.validation!.loss.toFixed(4) },
          ...ofValidation,
        ]
      : []),
    { title: "time", cellOf: ({ seconds }) => duration(seconds) },
  ];
}

const widthOf = ({ title }: EpochColumn, i: number): number =>
  i === 0 ? leastWidth - 1 : Math.max(leastWidth, title.length) + 2;

/** What was taken over from another model, and how much is trained. */
function transferLines({ transfer }: FileExperiment): string[] {
  if (!transfer) return [];
  const { weights, trainable } = transfer;
  const last = describeTrainable(trainable).split("\n").at(-1)!;
  return [...(weights ? describeWeights(weights).split("\n") : []), last];
}

/** What people call a model. */
function titleOf({ name, depth }: Chosen): string {
  const titles: Readonly<Record<string, string>> = {
    cnn: "CNN",
    custom: "A model of its own",
    lenet: "LeNet-5",
    mlp: "MLP",
    resnet: `ResNet-${depth}`,
  };
  return titles[name] ?? name;
}

/** How many examples there are for what. */
function partsOf({ options, data, classes }: FileExperiment, testValidates: boolean): string {
  const { train, validation } = options;
  const parts = [`${count(train.dataset.length)} to train on`];
  if (validation && !testValidates)
    parts.push(`${count(validation.dataset.length)} to validate with`);
  if (data.final && data.hasTest) parts.push(`${count(data.final.dataset.length)} to test with`);
  if (classes !== undefined) parts.push(plural(classes, "class", "classes"));
  return parts.join(", ");
}

export class TrainDisplay {
  readonly #screen: Screen;
  readonly #isQuiet: boolean;
  readonly #backend: string;
  #epochs = 0;
  #totalSteps = 0;
  #unit = "examples";
  /** Known with the first epoch's measures. */
  #columns: readonly EpochColumn[] | null = null;
  #lastDraw = Number.NEGATIVE_INFINITY;
  #lastPlain = 0;
  /** The last step drawn, to be shown on while the model is measured. */
  #step: StepEvent | null = null;

  constructor(screen: Screen, options: { readonly backend: string; readonly quiet: boolean }) {
    this.#screen = screen;
    this.#backend = options.backend;
    this.#isQuiet = options.quiet;
  }

  /** Says what will be trained, on what, where it is written. */
  introduce(folder: RunFolder, run: RunConfig, experiment: FileExperiment): void {
    if (this.#isQuiet) return;
    const { style } = this.#screen;
    const { optim, train, model, data } = run.config;
    const { batchSize, epochs, seed } = train;
    const label = (text: string) => style.dim(text.padEnd(10));
    const hasPictures = experiment.data.finalPair?.x.dtype === "uint8";
    const examples = hasPictures ? "Pictures" : "Examples";
    if (hasPictures) this.#unit = "images";
    this.#screen.line(`${style.bold(titleOf(model))} learns ${experiment.data.title}`);
    this.#screen.line();
    this.#screen.line(`${label(examples)}${partsOf(experiment, data.validation === "test")}`);
    this.#screen.line(
      `${label("Settings")}${optim.name}, learning rate ${optim.lr}, batch size ${batchSize}, ${plural(epochs, "epoch")}, seed ${seed}`,
    );
    for (const line of transferLines(experiment)) this.#screen.line(`${label("Transfer")}${line}`);
    this.#screen.line(`${label("Backend")}${this.#backend}`);
    this.#screen.line(`${label("Run")}${folder.path}`);
    this.#screen.line();
  }

  onEvent(event: TrainEvent): void {
    if (this.#isQuiet) return;
    if (event.type === "start") {
      this.#epochs = event.epochs;
      this.#totalSteps = event.totalSteps;
      this.#lastPlain = performance.now();
      if (event.resumed && event.step < event.totalSteps)
        this.#screen.line(
          `Going on after step ${count(event.step)} of ${count(event.totalSteps)}\n`,
        );
    }
    if (event.type === "step") this.#showStep(event);
    if (event.type === "epoch") this.#showEpoch(event);
  }

  #showEpoch(event: EpochEvent): void {
    const { style } = this.#screen;
    if (!this.#columns) {
      this.#columns = columnsOf(event, this.#epochs);
      const titles = this.#columns.map((column, i) => column.title.padStart(widthOf(column, i)));
      this.#screen.line(style.dim(titles.join("")));
    }
    const cells = this.#columns.map((column, i) => {
      const cell = column.cellOf(event).padStart(widthOf(column, i));
      return column.isMain ? style.bold(cell) : cell;
    });
    this.#lastPlain = performance.now();
    this.#screen.line(cells.join(""));
    if (this.#step && event.epoch < this.#epochs) this.#draw(this.#step);
  }

  #showStep(event: StepEvent): void {
    this.#step = event;
    const now = performance.now();
    if (this.#screen.isLive && now - this.#lastDraw >= redrawMilliseconds) {
      this.#lastDraw = now;
      this.#draw(event);
    }
    if (!this.#screen.isLive && now - this.#lastPlain >= plainMilliseconds) {
      this.#lastPlain = now;
      this.#screen.line(
        `  epoch ${event.epoch}/${this.#epochs}, batch ${count(event.batch)} of ${count(event.batches)}: ` +
          this.#facts(event).join(", "),
      );
    }
  }

  #facts({ running, examplesPerSecond, secondsLeft }: StepEvent): string[] {
    const main = mainOf(running);
    const value = running[main]!;
    const text = isShare(main) ? percent(value, 1) : measureText(main, value);
    return [
      `loss ${running.loss.toFixed(4)}`,
      ...(main === "loss" ? [] : [`${main} ${text}`]),
      ...(examplesPerSecond === null ? [] : [`${count(examplesPerSecond)} ${this.#unit}/s`]),
      ...(secondsLeft === null ? [] : [timeLeft(secondsLeft)]),
    ];
  }

  /** The status line; the bar takes what room the numbers leave. */
  #draw(event: StepEvent): void {
    const { style } = this.#screen;
    const epoch = `epoch ${event.epoch}/${this.#epochs}`;
    const share = event.step / this.#totalSteps;
    const done = percent(Math.floor(share * 100) / 100, 0).padStart(4);
    const facts = [...this.#facts(event), this.#backend.split(" ")[0]!];
    const room = () => this.#screen.columns - 1 - `${epoch}    ${done}  ${facts.join("  ")}`.length;
    while (facts.length > 2 && room() < leastBar) facts.pop();
    const width = Math.max(0, Math.min(mostBar, room()));
    const drawn = width < 4 ? "" : `${bar(share, width, style)} `;
    this.#screen.status(`${style.bold(epoch)}  ${drawn}${done}  ${style.dim(facts.join("  "))}`);
  }
}
