/** Wires the page of index.html to the network of trainer.ts: buttons, numbers, curve, digits and the drawing area. */
import { drawCurve } from "./curve.js";
import { createPad } from "./pad.js";
import { createTrainer, fetchDigits, type Trainer } from "./trainer.js";

const side = 28;
const shownDigits = 24;
const stepsBetweenTests = 50;
const millisecondsBetweenPaints = 120;

function find<E extends Element = HTMLElement>(id: string): E {
  const element = document.querySelector<E>(`#${id}`);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const round = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

interface Gallery {
  show(trainer: Trainer): Promise<void>;
}

type Digits = Awaited<ReturnType<typeof fetchDigits>>;

function drawDigit(pixels: Uint8Array): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(side, side);
  pixels.forEach((value, i) => {
    image.data.set([value, value, value, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A spread of test images, each with the network's guess below it. */
function createGallery(digits: Digits): Gallery {
  const { images, labels } = digits.test;
  const size = side * side;
  const pixels = new Uint8Array(shownDigits * size);
  const items = Array.from({ length: shownDigits }, (_, i) => {
    // A step that shares no factor with the count walks over all classes.
    const index = (i * 617) % labels.data.length;
    const picture = images.data.subarray(index * size, (index + 1) * size) as Uint8Array;
    pixels.set(picture, i * size);
    const item = document.createElement("li");
    const guess = document.createElement("span");
    item.append(drawDigit(picture), guess);
    find("digits").append(item);
    return { guess, label: labels.data[index]! };
  });
  return {
    async show(trainer) {
      const probabilities = await trainer.classify(pixels, shownDigits);
      items.forEach(({ guess, label }, i) => {
        const { digit } = mostLikely(probabilities.subarray(10 * i, 10 * i + 10));
        guess.className = digit === label ? "right" : "wrong";
        guess.textContent = digit === label ? `${digit} ✓` : `${digit} ✗ (${label})`;
      });
    },
  };
}

function mostLikely(probabilities: Float32Array): { digit: number; share: number } {
  const share = Math.max(...probabilities);
  return { digit: probabilities.indexOf(share), share };
}

function createReader(trainer: Trainer): { read(): Promise<void> } {
  const meters = Array.from({ length: 10 }, (_, digit) => {
    const meter = document.createElement("meter");
    meter.setAttribute("aria-label", `How likely a ${digit} is`);
    const item = document.createElement("li");
    item.append(meter);
    find("bars").append(item);
    return meter;
  });
  let reading = false;
  let again = false;
  const read = async () => {
    const pixels = pad.read();
    const probabilities = pixels ? await trainer.classify(pixels, 1) : new Float32Array(10);
    meters.forEach((meter, i) => {
      meter.value = probabilities[i]!;
    });
    const { digit, share } = mostLikely(probabilities);
    const text = pixels ? `This looks like a ${digit} (${percent(share)})` : "Nothing drawn yet";
    find("guess").textContent = text;
  };
  // Strokes come faster than answers: while one is on its way, only the last drawing waits.
  const readSoon = async () => {
    again = true;
    if (reading) return;
    reading = true;
    while (again) {
      again = false;
      await read();
    }
    reading = false;
  };
  const pad = createPad(find<HTMLCanvasElement>("pad"), readSoon);
  find("clear").addEventListener("click", () => {
    pad.clear();
    readSoon();
  });
  return { read: readSoon };
}

function createLoop(trainer: Trainer, onTest: () => Promise<void>) {
  const losses: number[] = [];
  const curve = find<SVGSVGElement>("curve");
  let running = false;
  const paint = (speed: number) => {
    find("step").textContent = round.format(losses.length);
    find("loss").textContent = losses.at(-1)!.toFixed(3);
    if (speed > 0) find("speed").textContent = round.format(speed);
    drawCurve(curve, losses);
  };
  const testAndShow = async () => {
    find("accuracy").textContent = percent(await trainer.test());
    await onTest();
  };
  drawCurve(curve, losses);
  return {
    stop: () => {
      running = false;
    },
    async run() {
      running = true;
      let [busy, images, painted] = [0, 0, 0];
      while (running) {
        const started = performance.now();
        losses.push(await trainer.step());
        const now = performance.now();
        // The first step of a run compiles the program, which says nothing about speed.
        if (losses.length > 1) [busy, images] = [busy + now - started, images + trainer.batchSize];
        if (now - painted > millisecondsBetweenPaints) {
          paint(busy > 0 ? (1000 * images) / busy : 0);
          [busy, images, painted] = [0, 0, now];
        }
        if (losses.length % stepsBetweenTests === 0) await testAndShow();
      }
      paint(0);
      await testAndShow();
    },
  };
}

async function main(): Promise<void> {
  const digits = await fetchDigits();
  const trainer = createTrainer(digits);
  const gallery = createGallery(digits);
  const reader = createReader(trainer);
  const [start, stop] = [find<HTMLButtonElement>("start"), find<HTMLButtonElement>("stop")];
  const status = find("status");
  const loop = createLoop(trainer, async () => {
    await gallery.show(trainer);
    await reader.read();
  });
  find("backend").textContent = trainer.backend;
  await gallery.show(trainer);
  start.addEventListener("click", async () => {
    start.disabled = true;
    stop.disabled = false;
    status.textContent = "Training …";
    try {
      await loop.run();
      status.textContent = "Stopped. Press “Start training” to go on.";
    } catch (error) {
      status.textContent = `Training failed: ${(error as Error).message}`;
      throw error;
    } finally {
      start.disabled = false;
      stop.disabled = true;
    }
  });
  stop.addEventListener("click", loop.stop);
  const { length } = digits.train.dataset;
  status.textContent = `${round.format(length)} digits are ready.`;
  start.disabled = false;
}

main().catch((error: Error) => {
  find("status").textContent = `The page could not start: ${error.message}`;
  throw error;
});
