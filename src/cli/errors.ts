/** What went wrong on the command line, and which exit code says so. */
import type { GradusError } from "../core/errors.js";

/** The command line asks for something that cannot be: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const exitCodes = { ok: 0, failure: 1, usage: 2 } as const;

/** The exit code of a process that a signal ended, as shells count. */
export const signalExitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export type StopSignal = keyof typeof signalExitCodes;

/** An error's message without the name of the function that refused: people called a command. */
export const briefly = ({ op, message }: GradusError): string =>
  op !== "" && message.startsWith(`${op}: `) ? message.slice(op.length + 2) : message;
