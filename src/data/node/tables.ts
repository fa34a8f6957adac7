/**
 * Tables as tensors: CSV by csv-parse, Parquet by hyparquet, both loaded only here. Node only.
 */
import { FormatError, GradusError, ValueError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import { readFileGunzip } from "../../io/files.js";
import { loadOptional } from "../../io/optionalPackage.js";
import { fileSource } from "../../io/zipFile.js";

export interface ReadCsvOptions {
  /** Between values; default `,`. */
  readonly delimiter?: string;
  /** Whether the first line names the columns; default true. */
  readonly header?: boolean;
  /** Refuse files larger than this, also after inflating; default 2³⁰. */
  readonly maxBytes?: number;
}

/** Columns of text or numbers. */
export interface Table {
  readonly columns: readonly string[];
  readonly length: number;
  /** The values of a column as they are. */
  column(name: string): readonly unknown[];
  /** Columns as float32 `[length, columns]`; throws for a value that is missing, no number, or too large. */
  numbers(names?: readonly string[]): ArrayData;
  /**
   * A column as int32 classes and their names, in the names' order, or by value where all are numbers,
   * so that labels 0 to 99 stay what they are; throws for a value that is missing or no text.
   */
  categories(name: string): { readonly labels: ArrayData; readonly classes: readonly string[] };
}

function makeTable(
  source: string,
  columns: readonly string[],
  values: readonly unknown[][],
): Table {
  const length = values[0]?.length ?? 0;
  const column = (name: string): readonly unknown[] => {
    const at = columns.indexOf(name);
    if (at >= 0) return values[at]!;
    throw new ValueError("column", `${source} has no column "${name}", only ${columns.join(", ")}`);
  };
  return {
    columns,
    length,
    column,
    numbers(names = columns) {
      const data = new Float32Array(length * names.length);
      names.forEach((name, c) => {
        column(name).forEach((value, row) => {
          data[row * names.length + c] = toNumber(source, name, row, value);
        });
      });
      return { shape: [length, names.length], dtype: "float32", data };
    },
    categories(name) {
      const texts = column(name).map((value, row) => toText(source, name, row, value));
      const classes = sortClasses([...new Set(texts)]);
      const places = new Map(classes.map((text, i) => [text, i]));
      const data = Int32Array.from(texts, (text) => places.get(text)!);
      return { labels: { shape: [length], dtype: "int32", data }, classes };
    },
  };
}

function sortClasses(classes: string[]): string[] {
  const isNumeric = classes.every((text) => text.trim() !== "" && Number.isFinite(Number(text)));
  const byName = classes.sort();
  return isNumeric ? byName.sort((a, b) => Number(a) - Number(b)) : byName;
}

function refuse(source: string, name: string, row: number, what: string): never {
  throw new FormatError("table", `${source}: row ${row + 1}, column "${name}" ${what}`);
}

/** A value in an error: shortened, and lists and objects by what they are. */
function show(value: unknown): string {
  if (value === null || value === undefined) return "is missing";
  if (value instanceof Date) return "is a date";
  if (typeof value === "object") return Array.isArray(value) ? "is a list" : "is no single value";
  return `is "${String(value).slice(0, 40)}"`;
}

function toNumber(source: string, name: string, row: number, value: unknown): number {
  const isSingle = ["number", "bigint", "boolean", "string"].includes(typeof value);
  const isEmpty = typeof value === "string" && value.trim() === "";
  const number = isSingle && !isEmpty ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) refuse(source, name, row, `${show(value)}; expected a number`);
  if (Number.isFinite(number) && !Number.isFinite(Math.fround(number)))
    refuse(source, name, row, `${show(value)}; expected a number that fits float32`);
  return number;
}

function toText(source: string, name: string, row: number, value: unknown): string {
  // Text that its writer did not mark as such.
  if (value instanceof Uint8Array)
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(value);
    } catch {
      refuse(source, name, row, "is bytes that are no text; expected a class");
    }
  if (value instanceof Date) return value.toISOString();
  if (value === null || value === undefined || typeof value === "object")
    refuse(source, name, row, `${show(value)}; expected a class`);
  return String(value);
}

/**
 * Reads a CSV file (RFC 4180), gzipped or not.
 *
 * @throws FormatError naming file and line for rows of different lengths or open quotes.
 * @example
 * ```ts ignore
 * import { readCsv } from "gradus/data/node";
 * const iris = await readCsv("iris.csv");
 * const x = iris.numbers(iris.columns.slice(0, 4));
 * const { labels, classes } = iris.categories(iris.columns[4]);
 * ```
 */
export async function readCsv(path: string, options: ReadCsvOptions = {}): Promise<Table> {
  const { delimiter = ",", header = true, maxBytes = 2 ** 30 } = options;
  const bytes = await readFileGunzip(path, { maxBytes });
  const { parse } = await loadOptional(import("csv-parse/sync"), "csv-parse", "reading CSV");
  let rows: string[][];
  try {
    rows = parse(bytes as Buffer, { delimiter, bom: true, skip_empty_lines: true }) as string[][];
  } catch (error) {
    throw new FormatError("readCsv", `${path}: ${(error as Error).message}`);
  }
  const first = rows[0];
  if (!first) throw new FormatError("readCsv", `${path}: is empty; expected a table`);
  const columns = header ? first : first.map((_, i) => String(i));
  const body = header ? rows.slice(1) : rows;
  if (new Set(columns).size !== columns.length)
    throw new FormatError("readCsv", `${path}: two columns have one name: ${columns.join(", ")}`);
  return makeTable(
    path,
    columns,
    columns.map((_, c) => body.map((row) => row[c])),
  );
}

export interface ReadParquetOptions {
  /** The columns to read; default all. */
  readonly columns?: readonly string[];
  /** Refuse tables of more rows than this; default 2²⁴. */
  readonly maxRows?: number;
}

/**
 * Reads columns of a Parquet file; only their bytes are read.
 *
 * @throws FormatError for a damaged file, ValueError for a column that it lacks.
 */
export async function readParquet(path: string, options: ReadParquetOptions = {}): Promise<Table> {
  const { maxRows = 2 ** 24 } = options;
  const source = fileSource(path);
  try {
    const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] =
      await loadOptional(
        Promise.all([import("hyparquet"), import("hyparquet-compressors")]),
        "hyparquet hyparquet-compressors",
        "reading Parquet",
      );
    const file = {
      byteLength: source.size,
      slice: async (start: number, end = source.size) =>
        new Uint8Array(await source.read(start, end)).buffer,
    };
    const metadata = await parquetMetadataAsync(file);
    const rows = Number(metadata.num_rows);
    if (!(rows >= 0 && rows <= maxRows))
      throw new FormatError(
        "readParquet",
        `${path}: says ${rows} rows; at most ${maxRows} are read`,
      );
    const known = parquetSchema(metadata).children.map(({ element }) => element.name);
    const columns = options.columns ? [...options.columns] : known;
    const missing = columns.find((name) => !known.includes(name));
    if (missing !== undefined)
      throw new ValueError(
        "readParquet",
        `${path} has no column "${missing}", only ${known.join(", ")}`,
      );
    const objects = await parquetReadObjects({ file, metadata, columns, compressors, utf8: false });
    if (objects.length !== rows)
      throw new FormatError("readParquet", `${path}: has ${objects.length} rows; expected ${rows}`);
    return makeTable(
      path,
      columns,
      columns.map((name) => objects.map((row) => row[name])),
    );
  } catch (error) {
    if (error instanceof GradusError) throw error;
    const reason = (error as Error).message;
    throw new FormatError("readParquet", `${path}: is damaged or no Parquet file (${reason})`);
  } finally {
    source.close();
  }
}
