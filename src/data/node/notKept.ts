/** What is kept on the disk only to save time: where that does not work, people are told, and the work goes on. Node only. */
import { fileError } from "../../io/fileSystem.js";

const told = new Set<string>();

/** Warns once a folder that nothing can be kept in it. */
export function warnNotKept(op: string, folder: string, error: unknown): void {
  if (told.has(folder)) return;
  told.add(folder);
  const { message } = fileError(op, folder, error);
  process.emitWarning(`${message}; nothing is kept, so it will be decoded again next time`, {
    type: "GradusWarning",
  });
}
