/** The data set that test/dataWorkers.test.ts makes in threads. */
import { FormatError } from "../../src/core/errors.js";
import { mapDataset } from "../../src/data/transformed.js";
import { rand } from "../../src/index.js";

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

export const crash = () => ({ length: 3, get: () => process.exit(3) });
