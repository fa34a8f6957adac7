/** Who works on a trial, whether they still live, and giving back the trials of those who do not. Read runSweep.ts for its use. */
import { hostname } from "node:os";
import { beginOf } from "../../train/node/runLock.js";
import { LostTrialError } from "../errors.js";
import type { StudyStorage } from "../storage.js";
import type { TrialRecord } from "../types.js";

/** The name of a worker: host, process (default this one) and the worker's own word. */
export const workerName = (word: string, pid: number = process.pid): string =>
  `${hostname()}:${pid}:${word}`;

/** Whether a worker's process on this machine is gone for certain. One elsewhere, or a number given anew, is not. */
export function isGone(worker: string): boolean {
  const [host, pid] = worker.split(":");
  if (host !== hostname() || !/^[1-9]\d{0,9}$/.test(pid ?? "")) return false;
  return beginOf(Number(pid)) === null;
}

export interface GiveBackOptions {
  /** Also those without a sign of life for so long, in seconds; default 120. */
  readonly silentSeconds?: number;
  /** A trial whose processes died so often in a row fails instead; default 3. */
  readonly attempts?: number;
  /** Names of workers whose ends somebody else sees to, and may know more of. */
  readonly except?: readonly string[];
}

/**
 * Gives back the running trials whose workers are gone or silent, so that others can have them.
 *
 * @returns the trials as they are now, waiting or failed.
 * @example
 * ```ts
 * import { InMemoryStorage } from "gradus/tune";
 * import { giveBackLost } from "gradus/tune/node";
 * const storage = new InMemoryStorage();
 * storage.claim("elsewhere:1:a");
 * console.log((await giveBackLost(storage)).length); // → 0
 * ```
 */
export async function giveBackLost(
  storage: StudyStorage,
  { silentSeconds = 120, attempts = 3, except = [] }: GiveBackOptions = {},
): Promise<TrialRecord[]> {
  const isRunning = ({ state }: TrialRecord) => state === "running";
  const before = (await storage.trials()).filter(isRunning);
  for (const trial of before)
    if (trial.worker !== undefined && !except.includes(trial.worker) && isGone(trial.worker))
      await giveBack(storage, trial, attempts);
  const limit = Date.now() - silentSeconds * 1000;
  const isSilent = ({ heartbeat }: TrialRecord) => (heartbeat ?? 0) < limit;
  if ((await storage.trials()).some((trial) => isRunning(trial) && isSilent(trial)))
    await storage.requeue({ before: limit, attempts });
  const after = await storage.trials();
  return before
    .map(({ number }) => after[number]!)
    .filter(({ number, state, attempt }) => {
      const was = before.find((trial) => trial.number === number)!;
      return state !== was.state || attempt !== was.attempt;
    });
}

async function giveBack(
  storage: StudyStorage,
  trial: TrialRecord,
  attempts: number,
): Promise<void> {
  try {
    const deaths = (trial.deaths ?? 0) + 1;
    const error = `its process died ${deaths} times`;
    if (deaths >= attempts) await storage.tell(trial, { state: "failed", error });
    else await storage.release(trial, { died: true });
  } catch (error) {
    // Somebody else has given it back already.
    if (!(error instanceof LostTrialError)) throw error;
  }
}
