/**
 * A process that hammers a study's file until there is nothing left to claim; what was granted goes to its standard output
 * before it goes on. Run by test/tuneStorage.test.ts, which kills some.
 */
import * as fs from "node:fs";
import { LostTrialError } from "../../src/tune/errors.js";
import { FileStorage } from "../../src/tune/node/fileStorage.js";
import { workerName } from "../../src/tune/node/liveness.js";

const [path, trials] = [process.argv[2]!, Number(process.argv[3])];
const storage = new FileStorage(path);
const say = (...words: (string | number)[]) => fs.writeSync(1, `${words.join(" ")}\n`);

for (let i = 0; ; i++) {
  const claim = storage.claim(workerName(String(i)), { trials });
  if (!claim) break;
  const { number, attempt } = claim;
  say("claimed", number, attempt);
  try {
    const lr = claim.parameters.lr ?? number + 0.5;
    storage.decide(claim, { lr });
    for (let step = 1; step <= 3; step++) storage.report(claim, step, number * step);
    storage.annotate(claim, { by: process.pid });
    storage.heartbeat(claim);
    if (attempt === 1 && number % 29 === 0) {
      storage.release(claim);
      continue;
    }
    storage.tell(claim, { state: "complete", value: number + attempt / 1000 });
    say("told", number, attempt);
  } catch (error) {
    if (!(error instanceof LostTrialError)) throw error;
    say("lost", number, attempt);
  }
}
