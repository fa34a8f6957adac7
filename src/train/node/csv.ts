/** Lines of CSV files (RFC 4180). Read exportRuns.ts for a use. */

/** A cell; numbers that are not finite as their names, nothing for undefined. */
function csvCell(value: string | number | undefined): string {
  if (value === undefined) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvLine = (cells: readonly (string | number | undefined)[]): string =>
  `${cells.map(csvCell).join(",")}\r\n`;
