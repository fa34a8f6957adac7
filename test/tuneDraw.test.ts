/** Pictures of studies: what is on them, where, and what is left out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { shortNames } from "../src/cli/terminal/sweepDisplay.js";
import {
  drawHistory,
  drawImportance,
  drawParallel,
  drawReports,
  drawSlices,
  stagesPage,
  studyPage,
  trialsCsv,
} from "../src/tune/draw/index.js";
import { shortNumber } from "../src/tune/draw/table.js";
import { choice, logUniform, Space } from "../src/tune/index.js";
import type { Parameters, TrialRecord } from "../src/tune/types.js";

const base = { attempt: 1, reports: [], attributes: {} };
const complete = (number: number, value: number, parameters: Parameters = {}): TrialRecord => ({
  ...{ ...base, number, value, parameters, state: "complete" },
});

const dotsOf = (svg: string, colour: string) =>
  Array.from(
    svg.matchAll(
      new RegExp(`<circle cx="([\\d.]+)" cy="([\\d.]+)" r="3.2" fill="${colour}"/>`, "g"),
    ),
    ([, x, y]) => [Number(x), Number(y)] as const,
  );
const pathsOf = (svg: string, colour: string) =>
  Array.from(
    svg.matchAll(new RegExp(`<path d="([^"]+)"[^>]* stroke="${colour}"`, "g")),
    ([, d]) => d!,
  );
const [blue, orange] = ["#6c9ad0", "#d9691e"];

test("the history has a dot for each complete trial and a staircase of the best", () => {
  const trials = [3, 1, 2, 0.5].map((value, i) => complete(i, value));
  const failed: TrialRecord = { ...base, number: 4, state: "failed", parameters: {}, error: "x" };
  const svg = drawHistory({ trials: [...trials, failed], direction: "minimize", title: "a<b" });
  const dots = dotsOf(svg, blue);
  assert.equal(dots.length, 4);
  const [stairs] = pathsOf(svg, orange);
  const corners = stairs!.match(/[ML][^ML]+/g)!.map((step) => step.slice(1).split(" ").map(Number));
  const heights = corners.map(([, y]) => y);
  const [y3, y1, y05] = [dots[0]![1], dots[1]![1], dots[3]![1]];
  assert.deepEqual(heights, [y3, y3, y1, y1, y1, y1, y05]);
  assert.match(svg, /History of a&lt;b/);
  assert.match(svg, /best 0.5, trial 3; 4 of 5 trials complete/);
  const up = drawHistory({ trials, direction: "maximize" });
  assert.match(up, /best 3, trial 0/);
});

test("values far off are left out and counted, and no trial at all is no error", () => {
  const trials = Array.from({ length: 20 }, (_, i) => complete(i, i === 7 ? 1e9 : 1 + i / 10));
  const svg = drawHistory({ trials, direction: "minimize" });
  assert.equal(dotsOf(svg, blue).length, 19);
  assert.match(svg, /1 far worse not shown/);
  const shares = drawHistory({ trials, direction: "minimize", metric: "validation.accuracy" });
  assert.equal(dotsOf(shares, blue).length, 20);
  const flat = Array.from({ length: 20 }, (_, i) => complete(i, 2));
  assert.equal(dotsOf(drawHistory({ trials: flat, direction: "maximize" }), blue).length, 20);
  for (const draw of [drawHistory, drawReports, drawParallel, drawSlices])
    assert.match(draw({ trials: [], direction: "maximize" }), /^<svg/);
});

test("reports are lines by state, with the best trial's on top", () => {
  const reports = (value: number) => [1, 2, 3].map((step) => ({ step, value: value * step }));
  const trials: TrialRecord[] = [
    { ...complete(0, 3), reports: reports(1) },
    { ...complete(1, 6), reports: reports(2) },
    { ...complete(2, 0), state: "pruned", reports: reports(0.5).slice(0, 1) },
  ];
  const svg = drawReports({ trials, direction: "maximize" });
  assert.equal(pathsOf(svg, orange).length, 1);
  assert.equal(pathsOf(svg, "#2563b8").length, 1);
  assert.ok(svg.indexOf(pathsOf(svg, orange)[0]!) > svg.indexOf(pathsOf(svg, "#2563b8")[0]!));
  assert.match(svg, /best, trial 1/);
});

test("slices put numbers on scales, names side by side, and leave constants out", () => {
  const trials = [1e-4, 1e-3, 1e-2].map((lr, i) =>
    complete(i, i, { lr, act: i === 2 ? "tanh" : "relu", seed: 1 }),
  );
  const svg = drawSlices({ trials, direction: "minimize" });
  assert.ok(svg.includes(">lr<") && svg.includes(">act<") && !svg.includes(">seed<"));
  const all = Array.from(svg.matchAll(/<circle cx="([\d.]+)"/g), ([, x]) => Number(x));
  const lr = all.slice(0, 3).sort((a, b) => a - b);
  assert.ok(Math.abs(lr[1]! - lr[0]! - (lr[2]! - lr[1]!)) < 0.02, "equal ratios, equal distances");
  assert.ok(svg.includes(">relu<") && svg.includes(">tanh<"));
  const linear = drawSlices({ trials, direction: "minimize", logarithmic: [] });
  assert.ok(!linear.includes("logarithmic"));
});

test("parallel coordinates lead a line below the axis of a parameter that its trial lacks", () => {
  const trials = [
    complete(0, 1, { name: "sgd", momentum: 0.9, lr: 1 }),
    complete(1, 2, { name: "adam", lr: 2 }),
    complete(2, 3, { name: "sgd", momentum: 0.5, lr: 3 }),
  ];
  const svg = drawParallel({ trials, direction: "minimize", metric: "loss" });
  const lines = Array.from(svg.matchAll(/<path d="(M[^"]+)"/g), ([, d]) => d!);
  assert.equal(lines.length, 3);
  const lowest = lines.map((d) => Math.max(...d.match(/[\d.]+(?=L|$)/g)!.map(Number)));
  assert.deepEqual(
    lowest.map((y) => y > 460),
    [false, true, false],
  );
  assert.match(svg, />none</);
  assert.equal(pathsOf(svg, orange).length, 1);
  assert.ok(svg.indexOf(pathsOf(svg, orange)[0]!) > svg.indexOf(lines[0]!));
});

test("importance is drawn with the greatest on top", () => {
  const svg = drawImportance({ width: 0.25, lr: 0.75, bad: Number.NaN }, { title: "t" });
  assert.ok(svg.indexOf(">lr<") < svg.indexOf(">width<") && !svg.includes("bad"));
  const bars = Array.from(svg.matchAll(/width="([\d.]+)" height="18"/g), ([, w]) => Number(w));
  assert.deepEqual(
    bars.map((width) => width / bars[0]!),
    [1, 1 / 3],
  );
  assert.match(drawImportance({}), /too few trials/);
});

test("the table quotes what needs it, disarms formulas and keeps every digit", () => {
  const trials: TrialRecord[] = [
    { ...complete(0, 0.1 + 0.2, { name: 'a"b,c', lr: -1 }), started: 0, ended: 1500 },
    {
      ...{ ...base, number: 1, state: "failed", parameters: { name: "=1+1" }, error: "two\nlines" },
      attributes: { run: "trials/0001" },
    },
  ];
  assert.deepEqual(trialsCsv(trials).split("\r\n"), [
    "number,state,value,name,lr,reports,seconds,started,ended,worker,run,error",
    '0,complete,0.30000000000000004,"a""b,c",-1,0,1.5,1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.500Z,,,',
    '1,failed,,\'=1+1,,0,,,,,trials/0001,"two\nlines"',
    "",
  ]);
  const page = studyPage({
    ...{ title: "<t>", metric: "m", direction: "maximize", trials, pictures: ["<svg/>"] },
  });
  assert.ok(page.includes("&lt;t&gt;") && page.includes("<svg/>") && !page.includes("<t>"));
  assert.ok(page.includes('<tr class="best"><td>0</td>'));
});

test("the page of a search in stages tells where each one looked, and is safe to open", () => {
  const space = (low: number, names: readonly string[]) =>
    new Space({ "optim.lr": logUniform(low, 0.1), act: choice(names) });
  const page = stagesPage({
    ...{ title: "a & b", metric: "loss", direction: "minimize", planned: 3 },
    stages: [
      {
        space: space(1e-5, ["x", "<i>"]),
        trials: Array.from({ length: 6 }, (_, i) => complete(i, i)),
        link: "stage-1/index.html",
      },
      { space: space(2.34567e-4, ["x"]), trials: [], link: "stage-2/index.html" },
    ],
  });
  assert.match(page, /<td>1e-5 … 0.1<\/td><td>2.35e-4 … 0.1<\/td>/);
  assert.match(page, /<th>act<\/th><td>x, &lt;i&gt;<\/td><td>x<\/td>/);
  assert.match(page, /<h1>a &amp; b<\/h1>[\s\S]*2 of 3 stages begun/);
  assert.match(page, /<td>6 of 6<\/td><td>0 of 0<\/td>/);
});

test("small numbers are short, and paths are shortened to what tells them apart", () => {
  assert.deepEqual(
    [5.9051e-5, -1.5e-9, 0.00123456789, 0, 12345678].map((value) => shortNumber(value, 4)),
    ["5.905e-5", "-1.5e-9", "0.001235", "0", "12350000"],
  );
  const names = [
    "optim.lr",
    "optim.name",
    "model.hidden.0",
    "data.a.size",
    "model.a.size",
    "x",
    "0",
  ];
  assert.deepEqual(
    [...shortNames(names).values()],
    ["lr", "optim.name", "hidden.0", "data.a.size", "model.a.size", "x", "0"],
  );
});
