/**
 * Tables of what a configuration chooses by name: each entry has a schema for its options and makes the thing. The schema
 * of the whole, its types and its documentation follow from the tables. Read models.ts for one, schema.ts for the whole.
 */
import * as z from "zod";

/** One thing that can be named: what it is, its options, how it is made. */
export interface Choice<S extends z.ZodRawShape, C, T> {
  readonly summary: string;
  readonly shape: S;
  make(options: z.output<z.ZodObject<S>>, context: C): T;
}

/** A table's entry, whatever its options are. */
export interface AnyChoice<C, T> {
  readonly summary: string;
  readonly shape: z.ZodRawShape;
  make(options: never, context: C): T;
}
export type Choices<C, T> = Readonly<Record<string, AnyChoice<C, T>>>;

export const choice = <S extends z.ZodRawShape, C, T>(
  summary: string,
  shape: S,
  make: (options: z.output<z.ZodObject<S>>, context: C) => T,
): Choice<S, C, T> => ({ summary, shape, make });

interface Shaped {
  readonly shape: z.ZodRawShape;
}

/** What may be given for a shape; zod's own type would forbid all other keys where there are none. */
type OptionsOf<S extends z.ZodRawShape> = keyof S extends never
  ? unknown
  : Readonly<z.input<z.ZodObject<S>>>;

/** What people may write for a table: a name, or the name with options. */
export type Named<T extends Readonly<Record<string, Shaped>>, Common = unknown> =
  | (string & keyof T)
  | { [K in keyof T]: { readonly name: K } & OptionsOf<T[K]["shape"]> & Common }[keyof T];

/** A choice after the check: the name, and every option that has a value. */
export interface Chosen {
  readonly name: string;
  readonly [option: string]: unknown;
}

type Member = z.ZodObject<{ name: z.ZodLiteral<string> }>;

/** The schema of a table: objects told apart by their `name`. `common` options may stand beside each entry's own. */
export function chosenSchema(
  table: Readonly<Record<string, { readonly summary: string } & Shaped>>,
  common: z.ZodRawShape = {},
): z.ZodType<Chosen> {
  const members = Object.entries(table).map(([name, { summary, shape }]) =>
    z.strictObject({ name: z.literal(name), ...shape, ...common }).meta({ description: summary }),
  );
  const schema = z.discriminatedUnion("name", members as unknown as [Member, ...Member[]]);
  return schema as unknown as z.ZodType<Chosen>;
}

/** Makes what was chosen; the schema has checked name and options. */
export function makeChosen<C, T>(table: Choices<C, T>, chosen: Chosen, context: C): T {
  const { name, ...options } = chosen;
  return table[name]!.make(options as never, context);
}

/** A share, such as a probability. */
export const share = () => z.number().min(0).max(1);
export const positive = () => z.number().positive();
export const count = (least = 1) => z.int().min(least);
export const switchedOff = () => z.boolean().default(false);
