/** `gradus predict`: what a trained network makes of pictures. */
import * as fs from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { BackendName } from "../../backend/contract.js";
import { GradusError } from "../../core/errors.js";
import type { ImageClassifier } from "../../train/index.js";
import {
  loadClassifier,
  type PreparedPicture,
  readPicture,
  runFiles,
} from "../../train/node/index.js";
import { backendNames, useBackend } from "../backend.js";
import { briefly, exitCodes, UsageError } from "../errors.js";
import { oneOf, whole } from "../options.js";
import type { Context } from "../program.js";
import { findRun } from "../runs.js";
import { percent } from "../terminal/format.js";
import type { Screen } from "../terminal/screen.js";
import { bar } from "../terminal/style.js";

interface PredictOptions {
  readonly top: number;
  readonly json?: boolean;
  readonly runs: string;
  readonly backend?: BackendName;
}

interface Prediction {
  readonly class: string;
  readonly probability: number;
}

interface Answer {
  readonly file: string;
  readonly picture: PreparedPicture;
  readonly predictions: readonly Prediction[];
}

const barWidth = 30;

const examples = `
Examples:
  $ gradus predict lenet-2026-11-23-001 seven.png
  $ gradus predict runs/first-try *.png --top 1
  $ gradus predict model.safetensors seven.png --json

Pictures may be of any size and any colour. One that is dark on light is inverted for a network
that learned light on dark, and a small drawing is enlarged to fill the frame; the output says so.`;

/** Adds the command to the program. */
export function addPredict(program: Command, context: Context): void {
  program
    .command("predict")
    .summary("ask a trained network about pictures")
    .description("Show what a trained network makes of pictures, with probabilities.")
    .argument("<run>", "the run that trained it, by name or path; or a model file")
    .argument("<pictures...>", "PNG, JPEG, WebP, GIF, TIFF, AVIF, BMP or PPM files")
    .option("--top <n>", "how many classes to show for each picture", whole(1, 10_000), 3)
    .option("--json", "print JSON for other programs")
    .option("--runs <folder>", "the folder that holds the runs", "runs")
    .option("--backend <name>", backendNames.join(", "), oneOf(backendNames))
    .addHelpText("after", examples)
    .action((run: string, pictures: readonly string[], options: PredictOptions) =>
      predict(run, pictures, options, context),
    );
}

async function predict(
  run: string,
  files: readonly string[],
  options: PredictOptions,
  context: Context,
): Promise<void> {
  const { io } = context;
  const classifier = await openClassifier(findRun(run, options.runs, { orFile: true }));
  const missing = files.find((file) => !fs.existsSync(file));
  if (missing !== undefined) throw new UsageError(`no picture ${missing}`);
  useBackend(options);
  const answers: Answer[] = [];
  for (const file of files) {
    try {
      const answer = await ask(classifier, file, options.top);
      answers.push(answer);
      if (!options.json) showAnswer(io.out, answer, answers.length > 1);
    } catch (error) {
      // One bad picture does not keep the others from their answers.
      if (!(error instanceof GradusError)) throw error;
      io.err.line(`${io.err.style.bad("error:")} ${briefly(error)}`);
      context.setExitCode(exitCodes.failure);
    }
  }
  if (options.json) io.out.line(JSON.stringify(answers.map(toJson), null, 2));
}

async function openClassifier(path: string): Promise<ImageClassifier> {
  const isFolder = fs.statSync(path).isDirectory();
  if (isFolder && !fs.existsSync(join(path, runFiles.model)))
    throw new UsageError(`the run ${path} has no ${runFiles.model}; it has not trained yet`);
  return await loadClassifier(path);
}

async function ask(classifier: ImageClassifier, file: string, top: number): Promise<Answer> {
  const picture = await readPicture(file, classifier.card);
  const probabilities = await classifier.probabilities(picture.image);
  const predictions = Array.from(probabilities, (probability, i) => ({
    class: classifier.card.classes[i]!,
    probability,
  }));
  predictions.sort((a, b) => b.probability - a.probability);
  return { file, picture, predictions: predictions.slice(0, top) };
}

const explanations = {
  inverted: "dark and light swapped",
  framed: "drawing enlarged or shrunk to the frame",
  stretched: "grey background evened out",
} as const;

function showAnswer(screen: Screen, { file, picture, predictions }: Answer, isNext: boolean): void {
  const { style } = screen;
  const notes: string[] = picture.changes.map((change) => explanations[change]);
  if (picture.isBlank) notes.push("the picture is blank");
  if (isNext) screen.line();
  const note = notes.length > 0 ? style.dim(`  (${notes.join("; ")})`) : "";
  screen.line(`${style.bold(file)}${note}`);
  const widest = Math.max(...predictions.map(({ class: name }) => name.length));
  const width = Math.max(5, Math.min(barWidth, screen.columns - widest - 14));
  predictions.forEach(({ class: name, probability }, i) => {
    const label = name.padEnd(widest);
    const shown = percent(probability, 1).padStart(6);
    const drawn = bar(probability, width, style);
    screen.line(`  ${i === 0 ? style.bold(label) : label}  ${drawn}  ${shown}`);
  });
}

const toJson = ({ file, picture, predictions }: Answer) => ({
  file,
  changes: picture.changes,
  blank: picture.isBlank,
  predictions,
});
