/**
 * Operations drawn picture by picture, from tables. In eager mode each operation runs once on the pictures that got it; inside a
 * compiled function, which cannot know them, all run on all and each picture takes its own. Read auto.ts next.
 */
import { cat, where } from "../../ops/index.js";
import { activeTrace } from "../../tensor/context.js";
import { fromTypedArray, tensor } from "../../tensor/create.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  adjustBrightness,
  adjustContrast,
  adjustSaturation,
  autocontrast,
  equalize,
  invert,
  posterize,
  solarize,
} from "./color.js";
import { adjustSharpness } from "./filter.js";
import { type AffineParameters, affineEach, type SampleOptions } from "./geometry.js";
import { whiteOf } from "./pictures.js";

/** How a picture is moved, by magnitude. */
type Movement = (magnitudes: Tensor) => AffineParameters;

/** Shears are given as slopes, and keep the upper left corner in place. */
const degreesOf = (slopes: Tensor): Tensor => slopes.atan().mul(180 / Math.PI);

const movements: Readonly<Record<string, Movement>> = {
  ShearX: (m) => ({ shear: [degreesOf(m), 0], center: [0, 0] }),
  ShearY: (m) => ({ shear: [0, degreesOf(m)], center: [0, 0] }),
  TranslateX: (m) => ({ translate: [m.trunc(), 0] }),
  TranslateY: (m) => ({ translate: [0, m.trunc()] }),
  Rotate: (m) => ({ angle: m.neg() }),
};

type Operation = (x: Tensor, magnitudes: Tensor) => Tensor;

const operations: Readonly<Record<string, Operation>> = {
  Brightness: (x, m) => adjustBrightness(x, m.add(1)),
  Color: (x, m) => adjustSaturation(x, m.add(1)),
  Contrast: (x, m) => adjustContrast(x, m.add(1)),
  Sharpness: (x, m) => adjustSharpness(x, m.add(1)),
  Posterize: (x, m) => posterize(x, m),
  Solarize: (x, m) => solarize(x, m.mul(whiteOf(x))),
  AutoContrast: (x) => autocontrast(x),
  Equalize: (x) => equalize(x),
  Invert: (x) => invert(x),
};

const identity = "Identity";

/** The magnitude of an operation at a place from 0 (weakest) to 1. */
export interface Scale {
  readonly at: (place: number) => number;
  /** Half of the pictures get the opposite. */
  readonly isSigned?: boolean;
}

export const upTo = (most: number): Scale => ({ at: (place) => most * place, isSigned: true });
export const none: Scale = { at: () => 0 };
const fewerBits = (bits: number): Scale => ({ at: (place) => 8 - Math.round(bits * place) });
/** Brightness from which on is inverted; nothing is at 1 + a little. */
export const threshold: Scale = { at: (place) => 1 - place };

export type Space = Readonly<Record<string, Scale>>;

export function commonSpace(shear: number, degrees: number, colour: number, bits: number): Space {
  return {
    ...{ ShearX: upTo(shear), ShearY: upTo(shear), Rotate: upTo(degrees) },
    ...{ Brightness: upTo(colour), Color: upTo(colour) },
    ...{ Contrast: upTo(colour), Sharpness: upTo(colour) },
    ...{ Posterize: fewerBits(bits), Solarize: threshold, AutoContrast: none, Equalize: none },
  };
}

/** An operation with its magnitude: one entry of a table to draw from. */
export interface Choice {
  readonly name: string;
  readonly magnitude: number;
  /** Half of the pictures get the opposite. */
  readonly isSigned?: boolean;
  /** Share of the pictures that get it, the others nothing; default 1. */
  readonly p?: number;
}

/** A choice of a space at a place from 0 to 1. */
export function choiceOf(space: Space, name: string, place: number): Choice {
  const { at, isSigned = false } = space[name]!;
  return { name, magnitude: at(place), isSigned };
}

/** What each picture of a batch got. */
export interface Drawn {
  readonly names: readonly string[];
  /** Places in `names`, float64 [B]. */
  readonly kinds: Tensor;
  /** float64 [B]. */
  readonly magnitudes: Tensor;
}

const column = (numbers: readonly number[]): Tensor => tensor(numbers, { dtype: "float64" });

/** Uniform numbers that decide what a picture gets from a table, each [B] from 0 to below 1. */
export interface Draws {
  /** Which entry of the table. */
  readonly which: Tensor;
  /** Whether a signed magnitude is turned. */
  readonly coin: Tensor;
  /** Whether an entry with a probability is taken. */
  readonly chance?: Tensor;
  /** Pictures that get nothing: where this is true. */
  readonly unless?: Tensor;
}

/** Draws an entry of a table for each picture. */
export function drawChoices(
  table: readonly Choice[],
  { which, coin, chance, unless }: Draws,
): Drawn {
  const names = [identity, ...new Set(table.map(({ name }) => name).filter((n) => n !== identity))];
  const rows = which.mul(table.length).floor().int();
  const take = (value: (choice: Choice) => number) => column(table.map(value)).indexSelect(0, rows);
  const sign = take(({ isSigned }) => (isSigned ? -2 : 0))
    .mul(coin.lt(0.5).double())
    .add(1);
  const nothing = column([0]);
  let kinds = take(({ name }) => names.indexOf(name));
  if (chance) kinds = where(chance.lt(take(({ p = 1 }) => p)), kinds, nothing);
  if (unless) kinds = where(unless, nothing, kinds);
  return { names, kinds, magnitudes: take(({ magnitude }) => magnitude).mul(sign) };
}

/** Runs an operation on the pictures that got it. */
function runOne(x: Tensor, name: string, magnitudes: Tensor, sampling: SampleOptions): Tensor {
  const move = movements[name];
  if (move) return affineEach(x, [move(magnitudes)], null, sampling);
  return operations[name]?.(x, magnitudes) ?? x;
}

/** All pictures with the same operation together. */
function runGroups(x: Tensor, { names, kinds, magnitudes }: Drawn, sampling: SampleOptions) {
  const groups = new Map<number, number[]>();
  kinds.data.forEach((kind: number, i: number) => {
    groups.set(kind, [...(groups.get(kind) ?? []), i]);
  });
  const order = [...groups.values()].flat();
  const parts = [...groups].map(([kind, members]) => {
    const chosen = fromTypedArray(Int32Array.from(members));
    const numbers = magnitudes.indexSelect(0, chosen);
    return runOne(x.indexSelect(0, chosen), names[kind]!, numbers, sampling);
  });
  const places = new Int32Array(order.length);
  for (const [at, picture] of order.entries()) places[picture] = at;
  return cat(parts, 0).indexSelect(0, fromTypedArray(places));
}

/** Every operation on all pictures, of which each takes its own; movements are one, with the numbers of each picture's. */
function runAll(x: Tensor, { names, kinds, magnitudes }: Drawn, sampling: SampleOptions): Tensor {
  const got = (name: string) => kinds.eq(names.indexOf(name));
  const wide = (mask: Tensor) => mask.reshape([-1, 1, 1, 1]);
  const moving = names.filter((name) => movements[name]);
  let result = x;
  if (moving.length > 0) {
    const parameters = moving.map((name) => movements[name]!(magnitudes));
    const masks = moving.map(got);
    const isMoved = masks.reduce((a, b) => a.logicalOr(b));
    result = where(wide(isMoved), affineEach(x, parameters, masks, sampling), x);
  }
  for (const name of names) {
    const run = operations[name];
    if (run) result = where(wide(got(name)), run(x, magnitudes), result);
  }
  return result;
}

/** Gives each picture [B, C, H, W] what it got. */
export const runChoices = (x: Tensor, drawn: Drawn, sampling: SampleOptions): Tensor =>
  activeTrace() || x.shape[0] === 0 ? runAll(x, drawn, sampling) : runGroups(x, drawn, sampling);
