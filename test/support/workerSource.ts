/** The data set that test/dataWorkers.test.ts makes in threads. */
import { FormatError } from "../../src/core/errors.js";
import type { ShardSample } from "../../src/data/node.js";
import { mapDataset } from "../../src/data/transformed.js";
import { type Generator, rand } from "../../src/index.js";

export const makeDataset = ({ length, broken = -1 }: { length: number; broken?: number }) =>
  mapDataset(
    {
      length,
      get(index: number) {
        if (index === broken) throw new FormatError("decode", `picture${index}.png: is damaged`);
        return [index] as const;
      },
    },
    ([index], generator) => [index, rand([2], { generator })] as const,
  );

export const makeDecoder = ({ broken = -1 }: { broken?: number }) => ({
  decode({ key, files }: ShardSample, generator: Generator) {
    const label = Number(new TextDecoder().decode(files.get("cls")));
    if (label === broken) throw new FormatError("decode", `${key}: is damaged`);
    return [label, rand([2], { generator })] as const;
  },
});

export const crash = () => ({ length: 3, get: () => process.exit(3) });
