/** The worker that decodes a stream of addresses for the page beside this. */
import { data, type Generator, rand } from "../../../src/index.js";
import { fetchPicture } from "./pictures.js";

data.serveDataset(() => ({
  async decode({ url, label }: { url: string; label: number }, generator: Generator) {
    const picture = await fetchPicture(url, { size: [6, 5] });
    const dimmed = rand([1], { generator }).item();
    return [{ ...picture, data: picture.data.map((value) => value * dimmed) }, label] as const;
  },
}));
