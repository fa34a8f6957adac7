/** Statistics of initialisations against PyTorch's and theory, the command that shows them, and pictures of schedules. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCommandLine } from "../src/cli/program.js";
import { Screen } from "../src/cli/terminal/screen.js";
import { manualSeed, nn, noGrad, optim, setBackend } from "../src/index.js";
import {
  drawInitStatistics,
  drawSchedule,
  type InitName,
  initStatistics,
  layerStatistics,
} from "../src/train/index.js";
import { readFixture } from "./support/fixtures.js";
import { wave } from "./support/golden.js";
import { temporaryFolder } from "./trainSupport.js";

interface Row {
  readonly activation: readonly [mean: number, std: number];
  readonly gradient: readonly [mean: number, std: number];
}

const { layerStatistics: expected } = readFixture<{ layerStatistics: Row[] }>("optimizers.json.gz");
const folder = temporaryFolder();
const { lrScheduler: s } = optim;

test("moments of activations and gradients are PyTorch's for the same weights", () => {
  setBackend("interpreter");
  const net = new nn.Sequential(...[0, 1, 2].flatMap(() => [new nn.Linear(6, 6), new nn.Tanh()]));
  net.parameters().forEach((p, k) => {
    noGrad(() => p.assign(wave(p.shape, k, 0.7)));
  });
  const rows = layerStatistics(net, wave([5, 6], 0.3, 1), { loss: (y) => y.square().sum() });
  assert.equal(rows.length, expected.length);
  rows.forEach((row, i) => {
    for (const part of ["activation", "gradient"] as const) {
      const found = [row[part].mean, row[part].std];
      found.forEach((x, k) => {
        assert.ok(Math.abs(x - expected[i]![part][k]!) < 1e-5, `${i} ${part} ${k}: ${x}`);
      });
      assert.equal(
        row[part].counts.reduce((a, b) => a + b),
        30,
      );
    }
  });
  assert.ok(net.parameters().every((p) => p.grad === null));
});

test("initialisations do what their papers say", () => {
  setBackend("native");
  const last = (init: InitName, nonlinearity: nn.init.Nonlinearity) => {
    const rows = initStatistics({ init, nonlinearity, layers: 10, width: 200, batch: 200 });
    return { first: rows[0]!, last: rows.at(-1)! };
  };
  // Too small: all dies away. Too large before tanh: most is near −1 and 1. Before relu: it grows without end, gradients as well.
  assert.ok(last("small", "tanh").last.activation.std < 1e-6);
  const { counts } = last("large", "tanh").last.activation;
  const [ends, whole] = [counts.slice(0, 4).concat(counts.slice(-4)), counts];
  const sum = (list: readonly number[]) => list.reduce((x, y) => x + y, 0);
  assert.ok(sum(ends) > 0.5 * sum(whole), String(counts));
  const large = last("large", "relu");
  assert.ok(large.last.activation.std > 100 * large.first.activation.std);
  assert.ok(large.first.gradient.std > 100 * large.last.gradient.std);
  // All units alike: each row of activations is one number.
  assert.ok(last("constant", "tanh").last.activation.std < 0.1);
  // Xavier keeps tanh alive, but halves relu's variance at each layer; Kaiming keeps that.
  assert.ok(last("xavierNormal", "tanh").last.activation.std > 0.15);
  const halved = last("xavierNormal", "relu");
  const ratio = halved.last.activation.std / halved.first.activation.std;
  assert.ok(Math.abs(ratio * 2 ** 4.5 - 1) < 0.5, String(ratio));
  for (const init of [
    ...(["kaimingNormal", "kaimingUniform", "orthogonal", "truncNormal", "sparse"] as const),
  ]) {
    const kept = last(init, "relu");
    const change = kept.last.activation.std / kept.first.activation.std;
    assert.ok(change > 0.6 && change < 1.6, `${init}: ${change}`);
    assert.ok(Math.abs(kept.first.activation.zeros - 0.5) < 0.03);
  }
  const selu = last("lecunNormal", "selu");
  assert.ok(Math.abs(selu.last.activation.std - 1) < 0.15, String(selu.last.activation.std));
  const lsuv = last("lsuv", "tanh");
  assert.ok(Math.abs(lsuv.last.activation.std / lsuv.first.activation.std - 1) < 0.05);
});

test("gradus init-stats prints a table and draws a picture; wrong input exits with 2", async () => {
  let [out, err] = ["", ""];
  const io = {
    out: new Screen({ write: (text) => (out += text) }, {}),
    err: new Screen({ write: (text) => (err += text) }, {}),
  };
  const file = join(folder, "init.svg");
  const words = ["init-stats", "--layers", "3", "--width", "32", "--batch", "16", "--out", file];
  assert.equal(await runCommandLine(words, { io }), 0, err);
  assert.match(out, /kaimingNormal, relu/);
  assert.equal(out.match(/^ {6}[123] /gm)?.length, 9);
  const svg = readFileSync(file, "utf8");
  assert.match(svg, /^<svg .*<\/svg>\s*$/s);
  assert.match(svg, /small: activations/);
  for (const wrong of [
    ["--init", "tiny"],
    ["--nonlinearity", "cube"],
    ["--layers", "0"],
  ]) {
    assert.equal(await runCommandLine(["init-stats", ...wrong], { io }), 2, wrong.join(" "));
  }
  assert.match(err, /Expected default, small/);
  assert.equal(existsSync("init-stats.svg"), false);
  assert.throws(() => drawInitStatistics({}), /got no layers/);
});

test("schedules are drawn as they run, momentum beside the rate", () => {
  setBackend("interpreter");
  manualSeed(0);
  const one = drawSchedule(
    { cosine: (o) => s.withWarmup(new s.CosineAnnealingLR(o, { tMax: 90 }), { steps: 10 }) },
    { steps: 100, lr: 0.1, title: "a < b" },
  );
  assert.match(one, /a &lt; b/);
  assert.doesNotMatch(one, />momentum</);
  const path = (svg: string) => svg.match(/ d="([^"]+)"/)?.[1]?.split(/[ML]/).length ?? 0;
  assert.ok(path(one) > 80 && path(one) <= 101, String(path(one)));
  const two = drawSchedule(
    {
      "one cycle": (o) => new s.OneCycleLR(o, { maxLr: 1, totalSteps: 50 }),
      plateau: (o) => s.withWarmup(new s.ReduceLROnPlateau(o, { patience: 3 }), { steps: 5 }),
      steps: (o) => new s.StepLR(o, { stepSize: 10 }),
    },
    { steps: 50, metric: () => 1 },
  );
  assert.match(two, />momentum</);
  // Flat but for the bends: four falls to a tenth every ten steps.
  const drawn = [...two.matchAll(/ d="([^"]+)"/g)].map(([, d]) => d!.split(/[ML]/).length - 1);
  assert.ok(drawn[0]! > 40, String(drawn));
  assert.equal(drawn[2], 10);
  assert.match(two, /one cycle/);
  assert.throws(() => drawSchedule({}, { steps: 5 }), /got no schedules/);
  assert.throws(() => drawSchedule({ x: () => ({ step() {} }) }, { steps: 0 }), /steps must be/);
});
