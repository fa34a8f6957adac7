/** The data set of the page beside this: pictures fetched, decoded by the browser, and changed at random. */
import { data, fromTypedArray } from "../../../src/index.js";
import {
  Compose,
  functional,
  RandomCrop,
  RandomHorizontalFlip,
} from "../../../src/vision/index.js";

export interface PicturesOptions {
  readonly urls: readonly string[];
  readonly augment?: boolean;
}

export async function fetchPicture(
  url: string,
  options: data.DecodeBitmapOptions = {},
): Promise<data.ArrayData> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return await data.decodeBitmap(new Uint8Array(await response.arrayBuffer()), {
    source: url,
    ...options,
  });
}

export function makePictures({ urls, augment = false }: PicturesOptions) {
  const pictures: data.Dataset<readonly [data.ArrayData, number]> = {
    length: urls.length,
    get: async (i) => [await fetchPicture(urls[i]!), i],
  };
  if (!augment) return pictures;
  return data.mapDataset(pictures, ([{ shape, data: bytes }, label], generator) => {
    const change = new Compose(
      new RandomCrop(24, { padding: 2, generator }),
      new RandomHorizontalFlip({ generator }),
    );
    return [change.forward(functional.toFloat(fromTypedArray(bytes, { shape }))), label] as const;
  });
}
