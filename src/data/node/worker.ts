/**
 * What runs in a worker thread of a {@link WorkerDataset}: imports the module, makes its data set, then batches as asked. Node
 * only. Read workerDataset.ts for the other side.
 */
import { parentPort, workerData } from "node:worker_threads";
import { ValueError } from "../../core/errors.js";
import { type MakeDataset, startAnswering } from "../workers/answer.js";
import type { WorkerRequest } from "../workers/messages.js";

/** How a thread is told what to do. */
export interface WorkerStart {
  readonly module: string;
  readonly name: string;
  readonly args: unknown;
}

async function make({ module, name, args }: WorkerStart): Promise<ReturnType<MakeDataset>> {
  const exported = ((await import(module)) as Record<string, unknown>)[name];
  if (typeof exported !== "function")
    throw new ValueError("WorkerDataset", `${module} exports no function ${name}`);
  return await (exported as MakeDataset<unknown>)(args);
}

const answer = await startAnswering(
  () => make(workerData as WorkerStart),
  (message, memory) => parentPort?.postMessage(message, memory),
);
parentPort?.on("message", (request: WorkerRequest) => answer(request));
