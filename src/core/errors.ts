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

/** How deep a stack of own frames (modules in modules, say) is looked through for the caller's. */
const framesKept = 100;

const isOwn = (line: string): boolean =>
  line.includes(ownFolder) ||
  line.includes(ownFolder.replace("file://", "")) ||
  /\(<anonymous>\)$|at <anonymous>$|node:internal\//.test(line);

/** Captures the stack anew and drops the frames inside this package from its top, so that the first is the caller's. */
function trimStack(error: Error): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = framesKept;
  Error.captureStackTrace?.(error, error.constructor);
  Error.stackTraceLimit = stackTraceLimit;
  const lines = error.stack?.split("\n");
  if (!lines) return;
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  if (first < 0) return;
  const caller = lines.findIndex((line, i) => i >= first && !isOwn(line));
  const frames = caller < 0 ? lines.slice(first) : lines.slice(caller);
  error.stack = [...lines.slice(0, first), ...frames.slice(0, stackTraceLimit)].join("\n");
}
