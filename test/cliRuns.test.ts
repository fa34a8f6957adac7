/** `gradus runs`: tables, curves, comparisons, exports, deleting; and what names and hostile texts may do. */
import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCommandLine } from "../src/cli/program.js";
import { lineChart } from "../src/cli/terminal/lineChart.js";
import { Screen } from "../src/cli/terminal/screen.js";
import { styleFor } from "../src/cli/terminal/style.js";
import { printable, printTable } from "../src/cli/terminal/table.js";
import { data, nn, ones, optim } from "../src/index.js";
import { compareCurvesSvg, fit } from "../src/train/index.js";
import { csvLogger } from "../src/train/node/index.js";
import { writeCraftedRun } from "./support/craftedRun.js";
import { temporaryFolder, writeShapes } from "./trainSupport.js";

const parent = temporaryFolder();
const runs = join(parent, "runs");
writeCraftedRun(runs, "first-try");
writeCraftedRun(runs, "second-try");
writeCraftedRun(runs, "other");

function edit(name: string, file: string, change: (text: string) => string): void {
  const path = join(runs, name, file);
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

edit("second-try", "config.json", (text) =>
  text.replace('"lr":0.1', '"lr":0.02').replace("T03:04", "T05:04"),
);
edit("second-try", "log.jsonl", (text) =>
  text.replaceAll("0.875", "0.9375").replace(/.*"finished".*\n/, ""),
);
edit("other", "config.json", (text) => text.replace('"lenet"', '"\\u001b[2Jcnn\\u202e"'));
edit("other", "log.jsonl", (text) =>
  text.replace(
    /"finished".*\n/,
    '"failed","epoch":2,"step":6,"message":"boom\\u001b]0;x\\u0007"}\n',
  ),
);

async function run(...words: string[]) {
  let [out, err] = ["", ""];
  const io = {
    out: new Screen({ write: (text) => (out += text) }, {}),
    err: new Screen({ write: (text) => (err += text) }, {}),
  };
  const code = await runCommandLine(["runs", ...words, "--runs", runs], { io });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing may repaint the screen.
  assert.doesNotMatch(out + err, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  return { code, out, err, lines: out.trimEnd().split("\n") };
}

const names = (lines: readonly string[]): string[] =>
  lines.slice(1).map((line) => line.split(" ")[0]!);

test("runs are listed newest first, sorted and filtered", async () => {
  const { code, lines } = await run();
  assert.equal(code, 0);
  assert.deepEqual(names(lines), ["second-try", "other", "first-try"]);
  assert.match(
    lines[1]!,
    /^second-try +(interrupted|running) +2\/2 +93\.75% accuracy +.* lenet +2026-/,
  );
  assert.match(lines[3]!, /finished +2\/2 +87\.50% accuracy +3\.3 s/);
  const cases: [string[], string[]][] = [
    [
      ["list", "--sort", "name"],
      ["first-try", "other", "second-try"],
    ],
    [
      ["list", "--sort", "accuracy", "--limit", "1"],
      ["second-try", "and"],
    ],
    [
      ["list", "--sort", "lr"],
      ["second-try", "other", "first-try"],
    ],
    [
      ["--status", "failed"],
      ["other", "and"],
    ],
    [
      ["--where", "lr<0.05"],
      ["second-try", "and"],
    ],
    [
      ["--where", "lr>=0.05", "--where", "optimizer!=sgd", "--sort", "name"],
      ["first-try", "other", "and"],
    ],
  ];
  for (const [words, expected] of cases)
    assert.deepEqual(names((await run(...words)).lines), expected, words.join(" "));
  assert.match((await run("--columns", "lr,optimizer")).lines[1]!, / 0\.02 +adam /);
  assert.match((await run("--measure", "loss")).lines[1]!, /0\.7000 loss/);
  assert.match((await run("--where", "optimizer=sgd")).out, /^None of the 3 runs/);
  const json = JSON.parse((await run("list", "--json")).out);
  assert.deepEqual([json[0].name, json[0].settings.lr, json[0].epoch], ["second-try", 0.02, 2]);
});

test("a run is shown with its curves, and its end", async () => {
  const { out } = await run("show", "first");
  assert.match(out, /^first-try {2}finished\n/);
  assert.match(out, /Done +2 of 2 epochs, 6 of 6 steps/);
  assert.match(out, /validation accuracy +87\.50% +2 +87\.50%/);
  assert.match(out, /[\u2801-\u28ff]/);
  assert.match(out, /● validation loss/);
  assert.match(out, /dots\.png +\d+ B/);
  const { out: inside } = await run("show", "first", "--health");
  assert.match(inside, /fc\.weight +3\.50 +0\.250 +0\.00100\nfc\.bias +0\.00 +– +0\.00\n/);
  assert.match(inside, /act +ReLU +0\.500 +1\.50 +25\.0% +0\.0%/);
  const failed = await run("show", "other");
  assert.match(failed.out, /other {2}failed\nboom/);
  assert.match((await run("show")).out, /^second-try/);
  const json = JSON.parse((await run("show", "first-try", "--json")).out);
  assert.equal(json.losses.length, 6);
});

test("runs are compared in a table and a picture", async () => {
  const { out } = await run("compare", "first", "second");
  assert.match(out, /^setting +first-try +second-try\nlr +0\.1 +0\.02\n/);
  assert.match(out, /validation accuracy +87\.50% +\* 93\.75%/);
  assert.match(out, /validation loss +\* 0\.7000 +\* 0\.7000/);
  const svg = readFileSync(join(runs, "compare.svg"), "utf8");
  assert.match(svg, /second-try \(best accuracy 93\.75%\)/);
  const own = join(parent, "own.svg");
  await run(
    "compare",
    "first",
    "second",
    "--measures",
    "accuracy",
    "--log",
    "--x",
    "step",
    "--out",
    own,
  );
  assert.doesNotMatch(readFileSync(own, "utf8"), /Validation loss/);
  const many = [...Array(6).keys()].map((i) => writeCraftedRun(join(parent, "many"), `run-${i}`));
  const below = (await run("compare", ...many, "--out", own)).lines;
  assert.match(below[0]!, /All 6 have the same settings/);
  assert.match(below[2]!, /^run +status +epochs +time +train loss/);
  assert.match(below[3]!, /^run-0 +finished/);
  const { differences } = JSON.parse((await run("compare", "first", "second", "--json")).out);
  assert.deepEqual(differences, [{ setting: "lr", values: [0.1, 0.02] }]);
});

test("runs are exported as CSV, event files and JSON", async () => {
  const [csv, board] = [join(parent, "epochs.csv"), join(parent, "board")];
  const { code } = await run("export", "first", "second", "--csv", csv, "--tensorboard", board);
  assert.equal(code, 0);
  assert.equal(
    readFileSync(csv, "utf8").split("\r\n").slice(0, 3).join("\n"),
    "run,epoch,step,lr,seconds,train.loss,train.accuracy,validation.loss,validation.accuracy\n" +
      `first-try,1,3,${0.1 / 3},1.5,1.875,0.5,1.75,0.625\nfirst-try,2,6,${0.1 / 6},1.5,0.6,0.75,0.7,0.875`,
  );
  assert.deepEqual(readdirSync(board).sort(), ["first-try", "second-try"]);
  await run("export", "first", "--csv", csv, "--steps");
  const steps = readFileSync(csv, "utf8").trimEnd().split("\r\n");
  assert.equal(steps.length, 7);
  assert.equal(steps[3], `first-try,2026-01-02T03:04:06.928Z,1,3,NaN,${0.1 / 3}`);
  const { out, err } = await run("export", "first", "--json", "--csv", csv);
  assert.equal(JSON.parse(out)[0].losses.length, 6);
  assert.match(err, /Written/);
  // A run of the same name from elsewhere gets a folder of its own.
  const twin = join(parent, "elsewhere", "first-try");
  cpSync(join(runs, "first-try"), twin, { recursive: true });
  await run("export", "first", twin, "--tensorboard", board);
  assert.deepEqual(readdirSync(board).sort(), ["first-try", "first-try-2", "second-try"]);
});

test("training writes event files as it goes on, and goes on with them", async () => {
  const board = join(parent, "live");
  const words = ["--runs", join(parent, "trained"), "--tensorboard", board, "--quiet"];
  let text = "";
  const screen = new Screen({ write: (more) => (text += more) }, {});
  const gradus = (...more: string[]) =>
    runCommandLine(["train", ...more, ...words], { io: { out: screen, err: screen } });
  const shapes = writeShapes(parent, "shapes");
  assert.equal(await gradus("lenet", "--data", shapes, "--epochs", "1", "--name", "live"), 0, text);
  const [file] = readdirSync(join(board, "live"));
  const bytes = readFileSync(join(board, "live", file!));
  for (const tag of ["loss/step", "optim.lr", "parameters/conv1.weight", "session_end_info"])
    assert.ok(bytes.includes(tag), tag);
  assert.equal(await gradus("--resume", "live"), 0, text);
  assert.equal(readdirSync(join(board, "live")).length, 2);
});

test("deleting asks, and leaves alone what is no run, under way or a link", async () => {
  const path = writeCraftedRun(runs, "gone");
  assert.match((await run("rm", "gone")).err, /add --yes/);
  assert.ok(existsSync(path));
  assert.match((await run("rm", "gon", "--yes")).err, /no run "gon"; did you mean "gone"/);
  symlinkSync(join(runs, "first-try"), join(runs, "link"));
  assert.match((await run("rm", "link", "--yes")).err, /is a link/);
  const busy = writeCraftedRun(runs, "busy");
  writeFileSync(join(busy, "log.jsonl"), '{"type":"start","step":0}\n');
  assert.match((await run("rm", "gone", "busy", "--yes")).err, /busy is running/);
  assert.ok(existsSync(path));
  assert.equal((await run("rm", "gone", "--yes")).code, 0);
  assert.ok(!existsSync(path));
  assert.ok(existsSync(join(runs, "first-try", "log.jsonl")));
});

test("wrong input exits with 2 and says what there is", async () => {
  mkdirSync(join(parent, "empty"));
  const cases: [string[], RegExp][] = [
    [["show", "frist-try"], /did you mean "first-try"/],
    [["show", "nothing like it"], /in .*runs there are /],
    [["show", parent], /is not a run/],
    [["list", "--sort", "acuracy"], /did you mean "accuracy"/],
    [["list", "--where", "lrr=1"], /no run has a setting "lrr"; did you mean "lr"/],
    [["list", "--where", "lr"], /Expected a setting and its value/],
    [["list", "--columns", "depth"], /no run has a setting "depth"/],
    [["list", "--status", "done"], /Expected finished, running/],
    [["compare", "first-try"], /at least two/],
    [["compare", "first-try", "first-try"], /at least two/],
    [["compare", "first", "second", "--measures", "los"], /did you mean "loss"/],
    [["compare", "first", "second", "--smoothing", "1"], /from 0 to below 1/],
    [["export", "first-try"], /say how/],
    [["export", "first-try", "--tensorboard", "x", "--steps"], /--steps needs --csv/],
  ];
  for (const [words, message] of cases) {
    const { code, err } = await run(...words);
    assert.equal(code, 2, words.join(" "));
    assert.match(err, message);
  }
  assert.equal((await run("export", "first-try", "--csv", parent)).code, 1);
  let out = "";
  const screen = new Screen({ write: (text) => (out += text) }, {});
  await runCommandLine(["runs", "--runs", join(parent, "nowhere")], {
    io: { out: screen, err: screen },
  });
  assert.match(out, /There are no runs in/);
});

test("tables leave out columns on narrow terminals, and clip nothing elsewhere", () => {
  let out = "";
  const columns = [
    { title: "name", cells: ["a", "b"] },
    { title: "long", cells: ["x".repeat(30), ""], rank: 2 },
    { title: "n", cells: ["1", "10"], right: true, rank: 1 },
  ];
  const live = { isTTY: true, columns: 20, write: (text: string) => (out += text) };
  printTable(new Screen(live, { NO_COLOR: "1" }), columns);
  assert.equal(out, "name   n\na      1\nb     10\n");
  out = "";
  printTable(new Screen({ columns: 20, write: (text) => (out += text) }, {}), columns);
  assert.equal(out.split("\n")[1]!.length, 40);
  assert.equal(printable("a\u001b[2Jb\n\u202ec", 10), "a�[2Jb��c");
});

test("a chart in the terminal shows rise, gaps and single points", () => {
  const style = styleFor({ write: () => true }, {});
  const options = { width: 20, height: 3, xLabel: "x", label: String, xName: String, style };
  const rising = lineChart(
    [
      {
        name: "up",
        points: [
          [0, 0],
          [1, 1],
        ],
      },
    ],
    options,
  );
  assert.match(rising[0]!, /^1 ┤ +\S+$/);
  assert.match(rising[2]!, /^0 ┤\S+ +$/);
  assert.deepEqual(lineChart([{ name: "none", points: [[0, Number.NaN]] }], options), []);
  const one = lineChart(
    [
      {
        name: "one",
        mark: "●",
        points: [
          [5, 3],
          [6, Number.NaN],
        ],
      },
    ],
    options,
  );
  assert.equal(one.join("").split("●").length, 3);
});

test("compared runs are drawn, whatever they are called", () => {
  const epochs = [1, 2].map((n) => ({
    ...{ epoch: n, step: n, lr: 1, seconds: 1, train: { loss: n, f1: n / 4 } },
  }));
  const many = Array.from({ length: 30 }, (_, i) => ({
    name: `<&"${i}`.repeat(40),
    history: epochs,
  }));
  const svg = compareCurvesSvg(many, { title: "<b>" });
  assert.ok(!svg.includes("<b>"));
  assert.match(svg, /stroke-dasharray="7 5"/);
  assert.match(svg, /Training f1/);
  assert.throws(() => compareCurvesSvg([]), /got no runs/);
  assert.throws(
    () => compareCurvesSvg(many, { measures: ["x"] }),
    /no run has the measure "x"; there are loss, f1/,
  );
  assert.match(compareCurvesSvg([{ name: "empty", history: [] }]), /no values yet/);
});

test("csvLogger keeps a whole table, also over an interruption", async () => {
  const path = join(parent, "logged.csv");
  const model = new nn.Linear(1, 1);
  const logger = csvLogger(path);
  await fit(model, {
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
    train: new data.DataLoader(new data.TensorDataset(ones([4, 1]), ones([4, 1])), {
      batchSize: 2,
    }),
    epochs: 3,
    loss: nn.functional.mseLoss,
    callbacks: [logger],
  });
  const lines = readFileSync(path, "utf8").split("\r\n");
  assert.equal(lines[0], "epoch,step,lr,seconds,train.loss");
  assert.deepEqual(
    lines.slice(1, 4).map((line) => line.split(",").slice(0, 3).join()),
    ["1,2,0.1", "2,4,0.1", "3,6,0.1"],
  );
  const start = {
    type: "start",
    epochs: 3,
    batches: 2,
    totalSteps: 6,
    trainExamples: 4,
    validationExamples: 0,
    backend: "",
  } as const;
  const again = csvLogger(path);
  again.onEvent({ ...start, resumed: true, step: 4 });
  again.onEvent({
    type: "epoch",
    epoch: 3,
    step: 6,
    lr: 1,
    seconds: 2,
    train: { loss: 5 },
    validation: { loss: 6 },
  });
  const rows = readFileSync(path, "utf8").split("\r\n");
  assert.deepEqual(
    [rows.length, rows[0], rows[3]],
    [5, "epoch,step,lr,seconds,train.loss,validation.loss", "3,6,1,2,5,6"],
  );
  assert.equal(rows[1], `${lines[1]},`);
  writeFileSync(path, "something else\r\n");
  assert.throws(
    () => csvLogger(path).onEvent({ ...start, resumed: true, step: 4 }),
    /is not a file of this callback/,
  );
});
