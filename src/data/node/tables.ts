/**
 * Tables as tensors: CSV by csv-parse, Parquet by hyparquet, both loaded only here. Node only.
 */
import { FormatError, GradusError, ValueError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import { readFileGunzip } from "../../io/files.js";
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
  /** Columns as float32 `[length, columns]`; throws for a value that is no number. */
  numbers(names?: readonly string[]): ArrayData;
  /** A column as int32 classes by the order of their names, and the names. */
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
      const texts = column(name).map(String);
      const classes = [...new Set(texts)].sort();
      const places = new Map(classes.map((text, i) => [text, i]));
      const data = Int32Array.from(texts, (text) => places.get(text)!);
      return { labels: { shape: [length], dtype: "int32", data }, classes };
    },
  };
}

function toNumber(source: string, name: string, row: number, value: unknown): number {
  const text = typeof value === "string" ? value.trim() : value;
  const number = text === "" || text === null || text === undefined ? Number.NaN : Number(text);
  if (!Number.isNaN(number)) return number;
  const what = `row ${row + 1}, column "${name}" is "${String(value).slice(0, 40)}"`;
  throw new FormatError("numbers", `${source}: ${what}; expected a number`);
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
  const { parse } = await import("csv-parse/sync");
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
    const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
    const { compressors } = await import("hyparquet-compressors");
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
    const known = [
      ...new Set(
        metadata.row_groups.flatMap(({ columns }) =>
          columns.map((c) => c.meta_data?.path_in_schema[0] ?? ""),
        ),
      ),
    ];
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
    throw new FormatError("readParquet", `${path}: ${(error as Error).message}`);
  } finally {
    source.close();
  }
}
