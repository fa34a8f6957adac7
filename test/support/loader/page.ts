/** Loaders in a browser tab, with workers and without; ../../browserLoader.test.ts calls what it puts on the page. */
import { data } from "../../../src/index.js";
import { makePictures, type PicturesOptions } from "./pictures.js";

export interface Walked {
  /** Labels of each batch. */
  readonly labels: readonly (readonly number[])[];
  /** Shape of the first batch of pictures. */
  readonly shape: readonly number[];
  /** All pixels of an epoch, in order. */
  readonly pixels: readonly number[];
  readonly broken: readonly string[];
}

type Pictures = data.Dataset<readonly [data.ArrayData, number]>;

const start = (): Worker =>
  new Worker(new URL("./pictures.worker.ts", import.meta.url), { type: "module" });

async function walk(dataset: Pictures): Promise<Walked> {
  const onError = "skip";
  const loader = new data.DataLoader(dataset, { batchSize: 4, shuffle: true, seed: 5, onError });
  loader.setEpoch(1);
  const labels: number[][] = [];
  const pixels: number[] = [];
  let shape: readonly number[] = [];
  for await (const [x, y] of loader) {
    labels.push([...y.data]);
    if (shape.length === 0) shape = x.shape;
    for (const value of x.data) pixels.push(value);
  }
  return { labels, shape, pixels, broken: loader.broken.map(({ error }) => error.message) };
}

/** One epoch, made by so many workers, or by the page itself for 0. */
async function walkPictures(options: PicturesOptions, count: number): Promise<Walked> {
  if (count === 0) return await walk(makePictures(options) as Pictures);
  const dataset = await data.WebWorkerDataset.open<readonly [data.ArrayData, number]>(start, {
    args: options,
    count,
  });
  try {
    return await walk(dataset);
  } finally {
    await dataset.close();
  }
}

/** What goes wrong where the worker's script is not there. */
async function openNowhere(): Promise<string> {
  try {
    await data.WebWorkerDataset.open(() => new Worker("./nowhere.js", { type: "module" }));
    return "nothing";
  } catch (error) {
    return (error as Error).message;
  }
}

async function decode(url: string): Promise<{ shape: readonly number[]; pixels: number[] }> {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const { shape, data: pixels } = await data.decodeBitmap(bytes);
  return { shape, pixels: [...pixels] };
}

declare global {
  var loaderPage: {
    walkPictures: typeof walkPictures;
    openNowhere: typeof openNowhere;
    decode: typeof decode;
  };
}

globalThis.loaderPage = { walkPictures, openNowhere, decode };
