/**
 * The page of web/ in a real browser: built, served under a strict content policy, and driven by hand: it trains LeNet to
 * 95 % on images it has not seen, stops, goes on, and reads a drawn digit.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { capture, projectRoot } from "../scripts/lib/process.js";
import { leftOut, missing, openTab, program, type Tab } from "./support/chromium.js";

const secondsToTrain = 180;

let tab: Tab;
let page: Page;

before(async () => {
  if (leftOut) return;
  const vite = join(projectRoot, "node_modules/vite/bin/vite.js");
  const built = await capture(process.execPath, [vite, "build", "web", "--logLevel", "warn"]);
  assert.equal(built.code, 0, built.output);
  assert.ok(!missing, `there is no ${program}`);
  tab = await openTab(join(projectRoot, "dist/web"));
  page = tab.page;
});

after(() => tab?.close());

const read = async (selector: string): Promise<string> => (await page.textContent(selector)) ?? "";
const readNumber = async (selector: string): Promise<number> =>
  Number((await read(selector)).replace(/[^\d.]/g, ""));

async function draw(points: readonly (readonly [number, number])[]): Promise<void> {
  await page.click("#clear");
  const box = await page.locator("#pad").boundingBox();
  assert.ok(box);
  const place = ([x, y]: readonly [number, number]) =>
    [box.x + x * box.width, box.y + y * box.height] as const;
  await page.mouse.move(...place(points[0]!));
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...place(point), { steps: 8 });
  await page.mouse.up();
}

test("the page opens and names the WASM backend", { skip: leftOut }, async () => {
  await page.goto(`${tab.origin}/`);
  await page.waitForSelector("#start:enabled", { timeout: 30_000 });
  assert.match(await read("#backend"), /^WASM/);
});

test("it trains to 95 % in the tab", { skip: leftOut }, async () => {
  await page.click("#start");
  await page.waitForFunction(
    () => Number.parseFloat(document.querySelector("#accuracy")?.textContent ?? "") >= 95,
    undefined,
    { timeout: secondsToTrain * 1000, polling: 250 },
  );
  assert.ok((await readNumber("#speed")) > 100);
  assert.ok((await readNumber("#loss")) < 1);
  assert.ok((await page.locator("#digits li").count()) >= 10);
  assert.match((await page.getAttribute("#curve .smooth", "points")) ?? "", /^[\d., ]{100,}$/);
});

test("it stops and goes on where it was", { skip: leftOut }, async () => {
  await page.click("#stop");
  await page.waitForSelector("#start:enabled");
  const stopped = await readNumber("#step");
  await page.waitForTimeout(500);
  assert.equal(await readNumber("#step"), stopped);
  await page.click("#start");
  const resumed = (before: number) =>
    Number(document.querySelector("#step")?.textContent?.replace(/\D/g, "")) > before;
  await page.waitForFunction(resumed, stopped, { timeout: 20_000 });
  await page.click("#stop");
  await page.waitForSelector("#start:enabled");
});

test("it reads a drawn digit, and forgets it when cleared", { skip: leftOut }, async () => {
  await draw([
    [0.5, 0.15],
    [0.5, 0.85],
  ]);
  await page.waitForFunction(() => /1/.test(document.querySelector("#guess")?.textContent ?? ""));
  await draw([
    [0.25, 0.2],
    [0.72, 0.2],
    [0.45, 0.85],
  ]);
  await page.waitForFunction(() => /7/.test(document.querySelector("#guess")?.textContent ?? ""));
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  await page.click("#clear");
  assert.doesNotMatch(await read("#guess"), /\d/);
});

test("nothing was complained about, and nothing came from elsewhere", { skip: leftOut }, () => {
  assert.deepEqual(tab.complaints, []);
});
