/** `gradus init-stats`: what initialisations do to the activations and gradients of a deep network, as a table and a picture. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { writeFileAtomic } from "../../io/index.js";
import type { init } from "../../nn/index.js";
import {
  drawInitStatistics,
  type InitName,
  initNames,
  initNonlinearities,
  initStatistics,
  type LayerStatistics,
} from "../../train/index.js";
import { oneOf, whole } from "../options.js";
import type { Context } from "../program.js";

interface InitStatsOptions {
  readonly init: readonly InitName[];
  readonly nonlinearity: init.Nonlinearity;
  readonly layers: number;
  readonly width: number;
  readonly batch: number;
  readonly seed: number;
  readonly out: string;
}

const examples = `
Examples:
  $ gradus init-stats                                       small, Xavier and Kaiming weights before ReLU
  $ gradus init-stats --nonlinearity tanh --init small,large,xavierNormal
  $ gradus init-stats --init lsuv --layers 30 --out lsuv.svg

Initialisations: ${initNames.slice(0, 6).join(", ")},
  ${initNames.slice(6, 11).join(", ")}, ${initNames.slice(11).join(", ")}.
"small" and "large" are normal with standard deviation 0.01 and 0.2, "default" is what layers begin with, "truncNormal" is Kaiming's cut
off at two standard deviations, "sparse" has nine zeros in ten, "constant" is 1 / width.`;

const names = (text: string): InitName[] =>
  text.split(",").map((name) => oneOf(initNames)(name.trim()));

/** Adds the command to the program. */
export function addInitStats(program: Command, context: Context): void {
  program
    .command("init-stats")
    .summary("show what an initialisation does to a deep network")
    .description(
      "Send random numbers through a deep network, forward and backward, and show the spread of activations and gradients by layer.",
    )
    .option("--init <names>", "initialisations, with commas between", names, [
      ...(["small", "xavierNormal", "kaimingNormal"] as const),
    ])
    .addOption(
      new Option("--nonlinearity <name>", `${initNonlinearities.join(", ")}`)
        .argParser(oneOf(initNonlinearities))
        .default("relu"),
    )
    .option("--layers <n>", "linear layers", whole(1, 200), 8)
    .option("--width <n>", "units of each layer", whole(1, 4096), 256)
    .option("--batch <n>", "examples", whole(1, 4096), 256)
    .option("--seed <n>", "decides weights and examples", whole(0), 0)
    .option("--out <file>", "the picture", "init-stats.svg")
    .addHelpText("after", examples)
    .action((options: InitStatsOptions) => showInitStats(options, context));
}

const number = (x: number): string => x.toExponential(2).padStart(10);

function printTable(name: string, rows: readonly LayerStatistics[], { io }: Context): void {
  const { out } = io;
  out.line(out.style.bold(name));
  out.line(out.style.dim("  layer       mean        std   zeros   gradient std"));
  rows.forEach(({ activation, gradient }, i) => {
    const zeros = `${(activation.zeros * 100).toFixed(0)}%`.padStart(6);
    const parts = [String(i + 1).padStart(7), number(activation.mean), number(activation.std)];
    out.line(`${parts.join(" ")}  ${zeros}     ${number(gradient.std)}`);
  });
  out.line();
}

function showInitStats(options: InitStatsOptions, context: Context): void {
  const { init: inits, nonlinearity, layers, width, batch, seed, out } = options;
  const statistics: Record<string, LayerStatistics[]> = {};
  for (const name of inits) {
    const rows = initStatistics({ init: name, nonlinearity, layers, width, batch, seed });
    statistics[name] = rows;
    printTable(`${name}, ${nonlinearity}`, rows, context);
  }
  const svg = drawInitStatistics(statistics, {
    subtitle: `${layers} layers of ${width} units with ${nonlinearity}, ${batch} examples, seed ${seed}`,
  });
  writeFileAtomic(resolve(out), new TextEncoder().encode(svg));
  context.io.out.line(`Picture: ${out}`);
}
