/**
 * The data that a configuration can name, and what is done with them: how many are taken, what is held back, how they are
 * changed. node/dataSource.ts reads them; data.ts prepares them.
 */
import * as z from "zod";
import { augmentations } from "./augmentations.js";
import { chosenSchema, count } from "./choices.js";

const path = () => z.string().min(1).describe("relative to the configuration's folder");
const fetched = {
  path: path()
    .exactOptional()
    .describe("the official files; default where `gradus data get` puts them"),
};
const classNames = z
  .array(z.string())
  .min(2)
  .exactOptional()
  .describe("what the classes are called");

const source = <S extends z.ZodRawShape>(summary: string, shape: S) => ({ summary, shape });

/** Where examples come from. */
export const sources = {
  cifar10: source(
    "CIFAR-10, in its binary files or as an archive of pictures, cifar10/{train,test}/CLASS/N.jpg",
    fetched,
  ),
  cifar100: source("CIFAR-100, in its binary files", fetched),
  csv: source("a table: columns of numbers, and one of classes or numbers to tell", {
    path: path(),
    test: path().exactOptional().describe("a second table, to test with"),
    target: z.string().describe("the column to tell"),
    columns: z.array(z.string()).min(1).exactOptional().describe("default all others"),
    task: z.enum(["classification", "regression"]).default("classification"),
    delimiter: z.string().length(1).default(","),
    header: z.boolean().default(true).describe("without one, columns are called 0, 1, 2 …"),
  }),
  custom: source("loaders made by a function `load`, in a TypeScript file only", {}),
  digits: source("the handwritten digits that come with the package", {}),
  "fashion-mnist": source("Fashion-MNIST", fetched),
  idx: source("a folder with MNIST's four files, gzipped or not", { path: path(), classNames }),
  images: source("a folder of pictures: train/CLASS/…, and test/CLASS/… to test with", {
    path: path(),
    size: z.tuple([count(), count()]).describe("height and width that pictures are brought to"),
  }),
  kmnist: source("Kuzushiji-MNIST", fetched),
  mnist: source("MNIST", fetched),
  npz: source("NumPy's archive: examples and what to tell, by the names of arrays", {
    path: path(),
    x: z.string().default("x"),
    y: z.string().default("y"),
    testX: z.string().default("x_test"),
    testY: z.string().default("y_test"),
    classNames,
  }),
};

export type SourceName = keyof typeof sources;

const number = () => z.union([z.number(), z.array(z.number()).min(1)]);

/** What `data` takes besides the options of its source. */
export const dataCommon = {
  limit: count().exactOptional().describe("at most so many training examples, drawn at random"),
  validation: z
    .union([z.literal("test"), z.literal(false), z.number().gt(0).lt(1)])
    .default(0.1)
    .describe("a share held back from training, or `test`: the test part itself"),
  splitSeed: count(0).default(0).describe("decides what is held back and what `limit` leaves out"),
  augment: z
    .union([z.literal(false), z.array(chosenSchema(augmentations)).max(100)])
    .default([])
    .describe("changes of training pictures, one after another; `false` switches them off"),
  normalize: z
    .union([z.boolean(), z.strictObject({ mean: number(), std: number() })])
    .default(true)
    .describe(
      "inputs less their mean, over their deviation: measured on the training part, or given",
    ),
};
