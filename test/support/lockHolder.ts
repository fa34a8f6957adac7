/** A child process of test/trainLock.test.ts: takes the lock of a folder, says whether it has it, and stays. */
import { lockRun } from "../../src/train/node/runLock.js";

const [folder, mode] = process.argv.slice(2);
try {
  const lock = lockRun(folder!);
  process.stdout.write("locked\n");
  if (mode === "release") {
    lock.release();
    process.exit();
  }
} catch (error) {
  process.stdout.write(`${(error as Error).name}\n`);
  process.exit();
}
setInterval(() => {}, 1000);
