/**
 * What a loader's thread and its workers tell one another, in Node and in browsers. Read answer.ts for the worker's side,
 * workerPool.ts for the other.
 */
import { FormatError, GradusError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import type { CollectOptions } from "../dataset.js";

/** Asks for a batch. */
export interface WorkerRequest {
  readonly id: number;
  readonly indices: Int32Array;
  /** Of a stream: what the examples are made of, one an index. */
  readonly items?: readonly unknown[];
  readonly options: CollectOptions;
}

/** An error as it is handed from thread to thread. */
export interface ErrorRecord {
  readonly name: string;
  readonly op: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** Number 0 answers the start. */
export type WorkerAnswer =
  | { readonly id: number; readonly length: number }
  | { readonly id: number; readonly failure: ErrorRecord }
  | {
      readonly id: number;
      readonly batch: readonly ArrayData[] | undefined;
      readonly broken: readonly { readonly index: number; readonly error: ErrorRecord }[];
    };

export const recordError = (error: unknown): ErrorRecord => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, stack, op: error instanceof GradusError ? error.op : "" };
};

/** An error as its thread threw it, as far as one can be handed over. */
export function reviveError({ name, op, message, stack }: ErrorRecord): Error {
  const text = op && message.startsWith(`${op}: `) ? message.slice(op.length + 2) : message;
  const error = name === "FormatError" ? new FormatError(op, text) : new GradusError(op, text);
  if (stack) error.cause = stack;
  return error;
}
