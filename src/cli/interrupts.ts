/** Ctrl-C and its relatives: the first asks to stop, the second leaves at once. */
import { type StopSignal, signalExitCodes } from "./errors.js";
import type { Context } from "./program.js";

export interface Interrupts {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Which signal came, if one did. */
  readonly received: () => StopSignal | null;
  /** Gives the signals back to the system. */
  dispose(): void;
}

/** npm and the like pass on a signal that the terminal has sent already: so soon after the first it is the same one. */
const echoMilliseconds = 300;

/** Listens for signals until disposed of; `onFirst` tells people what will happen. */
export function listenForInterrupts(onFirst: (signal: StopSignal) => void): Interrupts {
  const controller = new AbortController();
  let received: StopSignal | null = null;
  let receivedAt = 0;
  const listener = (signal: NodeJS.Signals): void => {
    const isEcho = signal === received && performance.now() - receivedAt < echoMilliseconds;
    if (isEcho) return;
    if (received) process.exit(signalExitCodes[signal as StopSignal]);
    received = signal as StopSignal;
    receivedAt = performance.now();
    controller.abort();
    onFirst(received);
  };
  const signals = Object.keys(signalExitCodes) as StopSignal[];
  for (const signal of signals) process.on(signal, listener);
  return {
    signal: controller.signal,
    received: () => received,
    dispose() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}

/**
 * Runs a task that the first signal stops: what it throws then becomes the signal's exit code, once `stopping` has told people. What it
 * throws without a signal goes on. Status lines are gone in the end.
 */
export async function interruptible(
  { io, setExitCode }: Context,
  stopping: string,
  task: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const clear = () => {
    io.out.clearStatus();
    io.err.clearStatus();
  };
  const interrupts = listenForInterrupts(() => {
    clear();
    io.err.line(stopping);
  });
  try {
    await task(interrupts.signal);
  } catch (error) {
    const received = interrupts.received();
    if (!received) throw error;
    setExitCode(signalExitCodes[received]);
  } finally {
    clear();
    interrupts.dispose();
  }
}
