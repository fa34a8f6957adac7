/**
 * Processes of other libraries that stay while both sides are timed in turn: a JSON command a line in, a JSON answer each.
 * torch_peer.py and javascript.mjs are the other side.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Command {
  readonly command: "prepare" | "check" | "time" | "memory";
  readonly workload?: string;
  readonly [option: string]: string | number | undefined;
}

/** An answer; which fields it has depends on the command. */
export interface Answer {
  readonly peer?: string;
  readonly threads?: number;
  readonly check?: readonly number[];
  readonly times?: readonly number[];
  readonly peak?: number;
  readonly idle?: number;
  readonly error?: string;
}

/** Raised where the peer answers that it cannot. */
export class PeerError extends Error {}

export class Peer {
  readonly name: string;
  readonly threads: number;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, ready: Answer) {
    this.child = child;
    this.lines = lines;
    this.name = ready.peer ?? "unknown";
    this.threads = ready.threads ?? 1;
  }

  /** Starts the program; gives the reason, as text, if it does not answer. */
  static async start(program: string, args: readonly string[]): Promise<Peer | string> {
    const env = { ...process.env };
    // Settings that slow OpenBLAS down would make the comparison unfair.
    delete env.OPENBLAS_CORETYPE;
    delete env.OPENBLAS_L2_SIZE;
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    let messages = "";
    child.stderr.on("data", (text) => {
      messages = (messages + text).slice(-2000);
    });
    child.on("error", (error) => {
      messages += error.message;
    });
    child.stdin.on("error", () => {}); // a child that ended is noticed by its missing answer
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { done, value } = await lines.next();
    if (done) return messages.trim().split("\n").at(-1) || "it ended without a word";
    return new Peer(child, lines, JSON.parse(value));
  }

  async ask(command: Command): Promise<Answer> {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`);
    const { done, value } = await this.lines.next();
    if (done) throw new PeerError(`${this.name} ended`);
    const answer: Answer = JSON.parse(value);
    if (answer.error) throw new PeerError(answer.error);
    return answer;
  }

  stop(): void {
    this.child.kill();
  }
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface TorchOptions {
  /** The file that defines the workloads. */
  readonly baseline: string;
  /** Python programs, separated by commas; the first that has PyTorch is taken. */
  readonly python: string;
  readonly threads: number;
}

/** PyTorch, or why it is not here. */
export async function startTorch(options: TorchOptions): Promise<Peer | string> {
  const { baseline, python, threads } = options;
  if (!existsSync(baseline)) return `there is no ${baseline}`;
  const args = [here("torch_peer.py"), baseline, String(threads)];
  let reason = "no Python was named";
  for (const program of python.split(",")) {
    const peer = await Peer.start(program, args);
    if (peer instanceof Peer) return peer;
    reason = peer;
  }
  return reason;
}

export const javascriptPeers = ["tfjs-wasm", "tfjs-cpu", "jax-js"] as const;

/** A JavaScript library, or why it is not here. */
export async function startJavaScript(name: string): Promise<Peer | string> {
  if (!existsSync(here("node_modules"))) return "not installed: npm run bench:peers";
  return Peer.start(process.execPath, [here("javascript.mjs"), name]);
}
