/**
 * Runs programs one after another in this process and reports what each printed:
 * `runExamples.ts <report> <program> …`. A line of JSON goes to the report before each program and one after it,
 * so that a program that ends the process is still named.
 */
import { appendFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

export interface Printed {
  readonly line: number;
  readonly text: string;
}

export interface RunReport {
  readonly program: string;
  readonly state: "started" | "finished" | "failed";
  readonly message?: string;
  readonly printed?: readonly Printed[];
}

const secondsAllowed = 120;

/** The line of `program` that called, from the stack. */
function callerLine(program: string): number {
  const frames = new Error().stack?.split("\n") ?? [];
  const url = pathToFileURL(program).href;
  const frame = frames.find((line) => line.includes(url) || line.includes(program));
  return Number(frame?.match(/:(\d+):\d+\)?$/)?.[1] ?? 0);
}

async function run(program: string): Promise<RunReport> {
  const printed: Printed[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => {
    printed.push({ line: callerLine(program), text: format(...values) });
  };
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error(`still running after ${secondsAllowed} s`));
    timer = setTimeout(fail, secondsAllowed * 1000);
  });
  try {
    await Promise.race([import(pathToFileURL(program).href), tooLong]);
    return { program, state: "finished", printed };
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { program, state: "failed", message, printed };
  } finally {
    clearTimeout(timer);
    console.log = log;
  }
}

const [report, ...programs] = process.argv.slice(2);
const write = (entry: RunReport) => appendFileSync(report!, `${JSON.stringify(entry)}\n`);
for (const program of programs) {
  write({ program, state: "started" });
  write(await run(program));
}
process.exit(0);
