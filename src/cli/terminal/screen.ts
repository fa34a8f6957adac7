/** Writes to the terminal: lines that stay, and below them one status line that is redrawn. */
import { clip, isLive, type Stream, type Style, styleFor } from "./style.js";

const defaultColumns = 80;

export class Screen {
  readonly style: Style;
  /** Whether the status line can be redrawn. */
  readonly isLive: boolean;
  readonly #stream: Stream;
  #hasStatus = false;

  constructor(stream: Stream, environment: Readonly<Record<string, string | undefined>>) {
    this.#stream = stream;
    this.isLive = isLive(stream, environment);
    this.style = styleFor(stream, environment);
  }

  get columns(): number {
    return this.#stream.columns || defaultColumns;
  }

  /** A line that stays, above the status. */
  line(text = ""): void {
    this.clearStatus();
    this.#stream.write(`${text}\n`);
  }

  /** Draws the status line anew; nothing where the stream is no terminal. */
  status(text: string): void {
    if (!this.isLive) return;
    this.#stream.write(`\r${clip(text, this.columns - 1)}\x1b[K`);
    this.#hasStatus = true;
  }

  clearStatus(): void {
    if (!this.#hasStatus) return;
    this.#stream.write("\r\x1b[K");
    this.#hasStatus = false;
  }
}

/** Where a command writes; tests give their own. */
export interface Io {
  readonly out: Screen;
  readonly err: Screen;
}

/** The process's own streams. When a reader goes away (`gradus … | head`) the rest is written to nobody. */
export function processIo(): Io {
  const open = (stream: NodeJS.WriteStream): Screen => {
    let isClosed = false;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
      isClosed = true;
    });
    const guarded: Stream = {
      get isTTY() {
        return stream.isTTY;
      },
      get columns() {
        return stream.columns;
      },
      write: (text) => isClosed || stream.write(text),
    };
    return new Screen(guarded, process.env);
  };
  return { out: open(process.stdout), err: open(process.stderr) };
}
