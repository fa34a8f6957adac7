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

function loaderOf(dataset: Pictures): data.DataLoader<readonly [data.ArrayData, number]> {
  const onError = "skip";
  const loader = new data.DataLoader(dataset, { batchSize: 4, shuffle: true, seed: 5, onError });
  loader.setEpoch(1);
  return loader;
}

async function walk(loader: data.DataLoader<readonly [data.ArrayData, number]>): Promise<Walked> {
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
  if (count === 0) return await walk(loaderOf(makePictures(options) as Pictures));
  const dataset = await data.WebWorkerDataset.open<readonly [data.ArrayData, number]>(start, {
    args: options,
    count,
  });
  try {
    return await walk(loaderOf(dataset));
  } finally {
    await dataset.close();
  }
}

/** One epoch of a stream of addresses, fetched and decoded by so many workers. */
async function walkStream(urls: readonly string[], count: number): Promise<Walked> {
  const start = () =>
    new Worker(new URL("./decoder.worker.ts", import.meta.url), { type: "module" });
  const workers = await data.WebWorkerDataset.open<readonly [data.ArrayData, number]>(start, {
    count,
  });
  try {
    const stream = workers.stream({ iterate: () => urls.map((url, label) => ({ url, label })) });
    return await walk(new data.DataLoader(stream, { batchSize: 4, seed: 5, onError: "skip" }));
  } finally {
    await workers.close();
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

async function decode(
  url: string,
  options: data.DecodeBitmapOptions = {},
): Promise<{ shape: readonly number[]; pixels: number[] }> {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const { shape, data: pixels } = await data.decodeBitmap(bytes, options);
  return { shape, pixels: [...pixels] };
}

declare global {
  var loaderPage: {
    walkPictures: typeof walkPictures;
    walkStream: typeof walkStream;
    openNowhere: typeof openNowhere;
    decode: typeof decode;
  };
}

globalThis.loaderPage = { walkPictures, walkStream, openNowhere, decode };
