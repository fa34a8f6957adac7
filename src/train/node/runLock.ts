/**
 * A lock file, so that no two processes go on with one run at once. What a process that was killed left behind is recognised
 * and taken over. Node only. Read checkpoints.ts for what is protected.
 */
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { GradusError } from "../../core/errors.js";
import { fileError } from "../../io/fileSystem.js";
import { readFileLimited } from "../../io/files.js";
import { Field } from "../fields.js";

/** Who has a run. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system counts it, so that another one with its number is told apart; "" if unknown. */
  readonly process: string;
  /** When it was locked, ISO 8601. */
  readonly since: string;
  /** Different for every lock. */
  readonly token: string;
}

/** Another process has the run. */
export class RunLockedError extends GradusError {
  readonly holder: LockHolder;
  constructor(path: string, holder: LockHolder) {
    const isHere = holder.host === hostname();
    const hint = isHere
      ? "wait for it or stop it"
      : `if that machine is no longer at it, remove ${join(path, lockFile)}`;
    const who = `process ${holder.pid}${isHere ? "" : ` on ${holder.host}`}`;
    super("run", `${path} is in use by ${who} since ${holder.since}; ${hint}`);
    this.holder = holder;
  }
}

/** A run that this process has. */
export interface RunLock {
  readonly holder: LockHolder;
  /** Whether nobody removed or replaced the lock. */
  isHeld(): boolean;
  /** Gives the run free; twice is fine. */
  release(): void;
}

const lockFile = "lock.json";
const [attempts, pauseMilliseconds, youngMilliseconds] = [20, 100, 1000];

const pause = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMilliseconds);
};

const isYoung = (file: string): boolean => {
  const age = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return age >= 0 && age < youngMilliseconds;
};

/** When a process began, in the system's own terms; "" where it cannot be told, null where there is no such process. */
export function beginOf(pid: number): string | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // One of another user may not be asked, but it is there.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return null;
  }
  try {
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name stands in brackets and may hold anything; the 22nd field is the 20th after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; it only waits for its parent.
    return fields[0] === "Z" ? null : `${boot}:${fields[19] ?? ""}`;
  } catch {
    return "";
  }
}

function isAlive({ host, pid, process: begin }: LockHolder): boolean {
  if (host !== hostname()) return true;
  const now = beginOf(pid);
  return now !== null && (now === "" || begin === "" || now === begin);
}

/** Whether a process of this machine has a run, whether it is gone, or on another machine; null where the run is not locked. */
export function runHolder(path: string): "alive" | "gone" | "elsewhere" | null {
  let holder: ReturnType<typeof readHolder>;
  try {
    holder = readHolder(join(path, lockFile));
  } catch {
    return null;
  }
  if (holder === null || holder === "unreadable") return null;
  if (holder.host !== hostname()) return "elsewhere";
  return isAlive(holder) ? "alive" : "gone";
}

/** Who has the lock; null where there is no file, or one that says nothing, as a full disk leaves it. */
function readHolder(file: string): LockHolder | "unreadable" | null {
  let text: string;
  try {
    text = new TextDecoder().decode(readFileLimited(file, { maxBytes: 65_536 }));
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return null;
    throw error;
  }
  try {
    const field = Field.parse(text, file);
    const word = (key: string) => field.get(key).text();
    const pid = field.get("pid").whole(1);
    const [host, begin, since, token] = ["host", "process", "since", "token"].map(word);
    return { pid, host: host!, process: begin!, since: since!, token: token! };
  } catch {
    return "unreadable";
  }
}

/**
 * Makes the lock file, whole at once: written under another name, then linked to its own. False where there is one already.
 */
function place(file: string, holder: LockHolder): boolean {
  const own = `${file}.${holder.token}.tmp`;
  fs.writeFileSync(own, `${JSON.stringify(holder)}\n`, { flag: "wx" });
  try {
    fs.linkSync(own, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // Disks without links.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
    return placeWithoutLink(file, holder);
  } finally {
    fs.rmSync(own, { force: true });
  }
}

function placeWithoutLink(file: string, holder: LockHolder): boolean {
  try {
    fs.writeFileSync(file, `${JSON.stringify(holder)}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Removes a dead process's lock; one that another process took over meanwhile is put back. */
function removeStale(file: string, stale: LockHolder | "unreadable", token: string): void {
  const aside = `${file}.${token}.stale`;
  try {
    fs.renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const taken = readHolder(aside);
  const isOther =
    taken !== null &&
    taken !== "unreadable" &&
    (stale === "unreadable" || taken.token !== stale.token);
  try {
    if (isOther && isAlive(taken)) fs.linkSync(aside, file);
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

/**
 * Takes a run's folder for this process, until it is released or the process ends. The lock of a process that no longer runs
 * on this machine is taken over; of one on another machine it cannot be known.
 *
 * @throws RunLockedError, naming process and machine, where another one has it; FileError where the folder cannot be written.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { lockRun } from "gradus/train/node";
 * const lock = lockRun(mkdtempSync(`${tmpdir()}/gradus-`));
 * console.log(lock.isHeld()); // → true
 * lock.release();
 * console.log(lock.isHeld()); // → false
 * ```
 */
export function lockRun(path: string): RunLock {
  const file = join(path, lockFile);
  const holder: LockHolder = {
    pid: process.pid,
    host: hostname(),
    process: beginOf(process.pid) ?? "",
    since: new Date().toISOString(),
    token: randomUUID(),
  };
  try {
    for (let i = 0; i < attempts; i++) {
      if (place(file, holder)) return held(file, holder);
      const other = readHolder(file);
      if (other === null) continue;
      if (other !== "unreadable" && isAlive(other)) throw new RunLockedError(path, other);
      // On a disk without links another process may be writing it at this moment.
      if (other === "unreadable" && isYoung(file)) pause();
      else removeStale(file, other, holder.token);
    }
  } catch (error) {
    throw fileError("run", path, error);
  }
  throw new GradusError("run", `${path}: several processes are taking the run; try again`);
}

function held(file: string, holder: LockHolder): RunLock {
  const isHeld = () => {
    const now = readHolder(file);
    return now !== null && now !== "unreadable" && now.token === holder.token;
  };
  return {
    holder,
    isHeld,
    release() {
      if (isHeld()) fs.rmSync(file, { force: true });
    },
  };
}
