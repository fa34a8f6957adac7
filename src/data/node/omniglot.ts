/**
 * Lake, Salakhutdinov and Tenenbaum's Omniglot (Science, 2015), read out of its zip archives:
 * alphabets, characters, twenty drawings of each; and the one-shot runs of its test. Node only.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { FormatError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import { decodeImage } from "../../io/decodeImage.js";
import { FileError } from "../../io/fileSystem.js";
import { openZip, type ZipFile } from "../../io/zipFile.js";
import { checkIndex, type Dataset } from "../dataset.js";
import { findRoot, type OpenOptions } from "./visionDataset.js";

interface Drawing {
  readonly name: string;
  readonly label: number;
}

/** Drawings `[1, 105, 105]`, ink black (0) on white, with the number of their character. */
export class OmniglotDataset implements Dataset<[ArrayData, number]> {
  /** `ALPHABET/characterNN` of each label. */
  readonly classes: readonly string[];
  readonly alphabets: readonly string[];
  readonly #drawings: readonly Drawing[];
  readonly #file: ZipFile;
  readonly #path: string;

  constructor(file: ZipFile, path: string) {
    const drawings: { name: string; character: string }[] = [];
    for (const { name } of file.archive.entries) {
      const match = /([^/]+\/character\d+)\/[^/]+\.png$/.exec(name);
      if (match) drawings.push({ name, character: match[1]! });
    }
    if (drawings.length === 0)
      throw new FormatError("Omniglot.open", `${path}: holds no ALPHABET/characterNN/*.png`);
    this.classes = [...new Set(drawings.map(({ character }) => character))].sort();
    this.alphabets = [...new Set(this.classes.map((name) => name.split("/")[0]!))];
    const labels = new Map(this.classes.map((name, i) => [name, i]));
    this.#drawings = drawings
      .map(({ name, character }) => ({ name, label: labels.get(character)! }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#file = file;
    this.#path = path;
  }

  get length(): number {
    return this.#drawings.length;
  }

  get targets(): Int32Array {
    return Int32Array.from(this.#drawings, ({ label }) => label);
  }

  async get(index: number): Promise<[ArrayData, number]> {
    checkIndex("Omniglot.get", index, this.length);
    const { name, label } = this.#drawings[index]!;
    return [await readGrey(this.#file, this.#path, name), label];
  }

  close(): void {
    this.#file.close();
  }
}

async function readGrey(file: ZipFile, path: string, name: string): Promise<ArrayData> {
  const bytes = await file.archive.read(name);
  return decodeImage(bytes, { mode: "grey", source: `${path}/${name}` });
}

export const Omniglot = {
  /**
   * The background set (30 alphabets to learn from) or the evaluation set (20 to test with); `root`
   * is one archive, or the folder that holds both.
   */
  async open(options: OpenOptions & { background?: boolean } = {}): Promise<OmniglotDataset> {
    const root = await findRoot("omniglot", options);
    const name = `images_${(options.background ?? true) ? "background" : "evaluation"}.zip`;
    const path = fs.statSync(root).isFile() ? root : join(root, name);
    return new OmniglotDataset(await openZip(path), path);
  },

  /**
   * The runs of the one-shot test: in each, every test drawing is of one of the classes, which have
   * one training drawing each. Chance is right in 1 of 20.
   */
  async oneShotRuns(path: string): Promise<OneShotRun[]> {
    const file = await openZip(path);
    try {
      const lists = file.archive.entries.filter(({ name }) => /class_labels\.txt$/.test(name));
      if (lists.length === 0)
        throw new FormatError("Omniglot.oneShotRuns", `${path}: holds no runNN/class_labels.txt`);
      const runs: OneShotRun[] = [];
      for (const { name } of lists.sort((a, b) => (a.name < b.name ? -1 : 1)))
        runs.push(await readRun(file, path, name));
      return runs;
    } finally {
      file.close();
    }
  },
};

export interface OneShotRun {
  readonly name: string;
  /** One drawing a class, `[1, 105, 105]`. */
  readonly train: readonly ArrayData[];
  readonly test: readonly ArrayData[];
  /** For each test drawing, which training drawing is of its class. */
  readonly answers: Int32Array;
}

async function readRun(file: ZipFile, path: string, list: string): Promise<OneShotRun> {
  const text = new TextDecoder().decode(await file.archive.read(list));
  const pairs = text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([a]) => a);
  // The list's paths begin with the run's folder, wherever that lies in the archive.
  const above = list.split("/").slice(0, -2).join("/");
  const inside = (name: string) => (above ? `${above}/${name}` : name);
  for (const pair of pairs)
    for (const name of [pair[0], pair[1]])
      if (!name || !file.archive.has(inside(name)))
        throw new FileError("Omniglot.oneShotRuns", path, `${list} names ${name}, which it lacks`);
  const trainNames = [...new Set(pairs.map(([, train]) => train!))].sort();
  const read = (names: readonly string[]) =>
    Promise.all(names.map((name) => readGrey(file, path, inside(name))));
  return {
    name: list.split("/").at(-2) ?? list,
    train: await read(trainNames),
    test: await read(pairs.map(([test]) => test!)),
    answers: Int32Array.from(pairs, ([, train]) => trainNames.indexOf(train!)),
  };
}
