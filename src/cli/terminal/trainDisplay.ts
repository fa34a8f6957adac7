/** Shows a training run: what it is, a line that moves, a row for each epoch. Read runSummary.ts for what comes after. */
import {
  type Chosen,
  describeTrainable,
  describeWeights,
  type EpochEvent,
  type StepEvent,
  type TrainEvent,
} from "../../train/index.js";
import type { FileExperiment, RunConfig, RunFolder } from "../../train/node/index.js";
import { count, duration, percent, plural, timeLeft } from "./format.js";
import type { Screen } from "./screen.js";
import { bar } from "./style.js";

const redrawMilliseconds = 80;
/** Where nothing can be redrawn, a long epoch says so often that it goes on. */
const plainMilliseconds = 10_000;
const [leastBar, mostBar] = [10, 28];

const columns = [
  { title: "epoch", width: 7 },
  { title: "train loss", width: 12 },
  { title: "accuracy", width: 10 },
  { title: "val. loss", width: 11 },
  { title: "accuracy", width: 10 },
  { title: "time", width: 10 },
];

const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => cell.padStart(columns[i]!.width)).join("");

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
  #batches = 0;
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
    const examples = experiment.data.finalPair?.x.dtype === "uint8" ? "Pictures" : "Examples";
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
      this.#batches = event.batches;
      this.#lastPlain = performance.now();
      if (event.resumed && event.step < event.epochs * event.batches)
        this.#screen.line(
          `Going on after step ${count(event.step)} of ${count(event.epochs * event.batches)}\n`,
        );
      if (event.step < event.epochs * event.batches)
        this.#screen.line(this.#screen.style.dim(row(columns.map(({ title }) => title))));
    }
    if (event.type === "step") this.#showStep(event);
    if (event.type === "epoch") this.#showEpoch(event);
  }

  #showEpoch({ epoch, train, validation, seconds }: EpochEvent): void {
    const { style } = this.#screen;
    const measured = [
      validation ? validation.loss.toFixed(4) : "",
      validation?.accuracy === undefined ? "" : percent(validation.accuracy),
    ];
    const accuracyOf = train.accuracy === undefined ? "" : percent(train.accuracy);
    const cells = [`${epoch}/${this.#epochs}`, train.loss.toFixed(4), accuracyOf];
    const text = row([...cells, ...measured, duration(seconds)]);
    this.#lastPlain = performance.now();
    const accuracy = measured[1]!;
    this.#screen.line(accuracy === "" ? text : emphasizeLast(text, accuracy, style.bold));
    if (this.#step && epoch < this.#epochs) this.#draw(this.#step);
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
    return [
      `loss ${running.loss.toFixed(4)}`,
      ...(running.accuracy === undefined ? [] : [`accuracy ${percent(running.accuracy, 1)}`]),
      ...(examplesPerSecond === null ? [] : [`${count(examplesPerSecond)} images/s`]),
      ...(secondsLeft === null ? [] : [timeLeft(secondsLeft)]),
    ];
  }

  /** The status line; the bar takes what room the numbers leave. */
  #draw(event: StepEvent): void {
    const { style } = this.#screen;
    const epoch = `epoch ${event.epoch}/${this.#epochs}`;
    const share = event.step / (this.#epochs * this.#batches);
    const done = percent(Math.floor(share * 100) / 100, 0).padStart(4);
    const facts = [...this.#facts(event), this.#backend.split(" ")[0]!];
    const room = () => this.#screen.columns - 1 - `${epoch}    ${done}  ${facts.join("  ")}`.length;
    while (facts.length > 2 && room() < leastBar) facts.pop();
    const width = Math.max(0, Math.min(mostBar, room()));
    const drawn = width < 4 ? "" : `${bar(share, width, style)} `;
    this.#screen.status(`${style.bold(epoch)}  ${drawn}${done}  ${style.dim(facts.join("  "))}`);
  }
}

function emphasizeLast(text: string, part: string, paint: (text: string) => string): string {
  const at = text.lastIndexOf(part);
  return `${text.slice(0, at)}${paint(part)}${text.slice(at + part.length)}`;
}
