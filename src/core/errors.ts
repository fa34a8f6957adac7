/**
 * Errors that name the op, what came and what was expected, with the stack cut to the caller's line.
 */

/** The base of every error that Gradus throws on purpose. `op` names the function that refused. */
export class GradusError extends Error {
  readonly op: string;
  constructor(op: string, message: string) {
    super(op ? `${op}: ${message}` : message);
    this.op = op;
    this.name = new.target.name;
    trimStack(this);
  }
}

/** Shapes that do not fit together. */
export class ShapeError extends GradusError {}

/** An element type that an op cannot take. */
export class DTypeError extends GradusError {}

/** An argument whose value is out of its range. */
export class ValueError extends GradusError {}

/** A file or stream whose bytes are not what its format says. */
export class FormatError extends GradusError {}

/** A traced function did something that only eager code may do. */
export class TraceError extends GradusError {}

/** A backend is missing or failed. */
export class BackendError extends GradusError {}

const ownFolder = new URL("..", import.meta.url).href;

/** Drops the frames inside this package from the top, so that the first one is the caller's. */
function trimStack(error: Error): void {
  const lines = error.stack?.split("\n");
  if (!lines) return;
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  if (first < 0) return;
  let last = first;
  const isOwn = (line: string) =>
    line.includes(ownFolder) || line.includes(ownFolder.replace("file://", ""));
  while (last < lines.length && isOwn(lines[last]!)) last++;
  if (last < lines.length) error.stack = [...lines.slice(0, first), ...lines.slice(last)].join("\n");
}
