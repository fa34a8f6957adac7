/**
 * Where a run was made: the machine, and the state of the code by git. What cannot be found out is left out; nothing here
 * fails. Node only. Read runConfig.ts for where it is kept.
 */
import { execFile } from "node:child_process";
import * as os from "node:os";

export interface Machine {
  readonly host: string;
  readonly cpu: string;
  readonly cores: number;
  /** In bytes. */
  readonly memory: number;
  /** Such as `linux 6.1.0 x64`. */
  readonly system: string;
}

export interface GitState {
  readonly commit: string;
  /** Nothing where no branch is checked out. */
  readonly branch?: string;
  /** Whether files that git knows differ from the commit. */
  readonly dirty: boolean;
}

/** The machine that this process runs on. */
export const machineOf = (): Machine => {
  const cpus = os.cpus();
  return {
    host: os.hostname(),
    cpu: cpus[0]?.model.trim() ?? "unknown",
    cores: cpus.length,
    memory: os.totalmem(),
    system: `${os.platform()} ${os.release()} ${os.arch()}`,
  };
};

const timeout = 5000;
/** A larger difference is data rather than code. */
const maxDiffBytes = 2 ** 20;

/** What git prints; null where there is no git, no repository, or too much. */
function git(folder: string, ...words: string[]): Promise<string | null> {
  // Nothing that a repository's own configuration names is run.
  const safe = ["-c", "core.fsmonitor=false", "-c", "core.pager=cat"];
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0" };
  return new Promise((resolve) => {
    const options = { cwd: folder, env, timeout, maxBuffer: maxDiffBytes, windowsHide: true };
    try {
      execFile("git", [...safe, ...words], options, (error, out) => resolve(error ? null : out));
    } catch {
      resolve(null);
    }
  });
}

/** A repository's state, and what differs from its commit; the difference is left out where it is large. */
export interface CodeState {
  readonly state: GitState;
  readonly diff: string | null;
}

/** The state of the repository that the first of some folders is in; null where none is in any. */
export async function gitStateOf(...folders: readonly string[]): Promise<CodeState | null> {
  for (const folder of folders) {
    const found = await stateIn(folder);
    if (found) return found;
  }
  return null;
}

async function stateIn(folder: string): Promise<CodeState | null> {
  const [commit, branch, status] = await Promise.all([
    git(folder, "rev-parse", "HEAD"),
    git(folder, "symbolic-ref", "--short", "-q", "HEAD"),
    git(folder, "status", "--porcelain", "--untracked-files=no"),
  ]);
  if (commit === null) return null;
  const dirty = (status ?? "").trim() !== "";
  const plain = ["--no-ext-diff", "--no-textconv", "--no-color"];
  const diff = dirty ? await git(folder, "diff", "HEAD", ...plain) : null;
  const name = branch?.trim();
  return { state: { commit: commit.trim(), ...(name && { branch: name }), dirty }, diff };
}
