/** One worker of a sweep, seen from the process that started it. Read sweepWorker.ts for what runs in it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { workerName } from "./liveness.js";
import { stopMessage, type WorkerMessage, type WorkerStart } from "./sweepTypes.js";

/** How a worker ended: by itself with nothing left to do, by an error of its own, or by a signal. */
export type WorkerEnd =
  | { readonly kind: "done" }
  | { readonly kind: "crashed" | "killed"; readonly reason: string };

export interface WorkerHandlers {
  onMessage(message: WorkerMessage): void;
  onOutput(text: string): void;
  onExit(): void;
}

/** The last words of a process, which say why it died. */
const tailLength = 4000;

export class WorkerProcess {
  /** As the records name it. */
  readonly workerName: string;
  readonly #child: ChildProcess;
  #tail = "";
  #end: WorkerEnd | undefined;

  constructor(start: WorkerStart, handlers: WorkerHandlers) {
    const script = fileURLToPath(import.meta.resolve("#sweep-worker"));
    const child = fork(script, [], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    this.#child = child;
    this.workerName = workerName(start.name, child.pid);
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        this.#tail = (this.#tail + text).slice(-tailLength);
        handlers.onOutput(text);
      });
    }
    let failure = "";
    child.on("error", (error) => {
      failure = error.message;
      if (child.pid === undefined) this.#finish({ kind: "crashed", reason: failure }, handlers);
    });
    child.on("message", (message) => handlers.onMessage(message as WorkerMessage));
    child.on("close", (code, signal) => {
      if (code === 0) return this.#finish({ kind: "done" }, handlers);
      const words = this.#tail.trim() || failure;
      if (signal)
        return this.#finish(
          { kind: "killed", reason: `its process was ended by ${signal}` },
          handlers,
        );
      const reason = `its process ended with code ${code}${words ? `: ${words}` : ""}`;
      this.#finish({ kind: "crashed", reason }, handlers);
    });
    child.send(start);
  }

  /** Undefined as long as it runs. */
  get end(): WorkerEnd | undefined {
    return this.#end;
  }

  /** Asks it to stop after the step at hand. */
  stop(): void {
    if (this.#child.connected) this.#child.send(stopMessage);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #finish(end: WorkerEnd, { onExit }: WorkerHandlers): void {
    if (this.#end) return;
    this.#end = end;
    onExit();
  }
}
