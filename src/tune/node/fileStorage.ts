/**
 * A study in a file that any number of processes on one machine share. Each operation is one line of a journal; every process
 * replays the lines in their order through the rules of memoryStorage.ts, and so learns what came of its own. Read journal.ts
 * for why no process can harm it by dying.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { FormatError, GradusError } from "../../core/errors.js";
import { FileError } from "../../io/fileSystem.js";
import { InMemoryStorage } from "../memoryStorage.js";
import type {
  Claim,
  ClaimLimits,
  Ending,
  ReleaseOptions,
  RequeueOptions,
  StudyDefinition,
  StudyStorage,
} from "../storage.js";
import type { Parameters, TrialRecord } from "../types.js";
import { Journal } from "./journal.js";
import {
  encodeRecord,
  parseRecord,
  type StudyOperation,
  type StudyRecord,
} from "./studyRecords.js";

/** A line can be lost only to a process that died within the same microseconds; so often in a row, something else is wrong. */
const mostTries = 20;

type Outcome = { readonly result: unknown } | { readonly error: unknown };

/**
 * Keeps a study in a file, a line for each operation, only ever appended to: it can be read while others write, and later.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { logUniform, Space } from "gradus/tune";
 * import { FileStorage } from "gradus/tune/node";
 * const path = join(mkdtempSync(join(tmpdir(), "gradus-")), "study.jsonl");
 * const storage = new FileStorage(path);
 * const space = new Space({ lr: logUniform(1e-4, 1) }).toJSON();
 * const [sampler, pruner] = [{ kind: "random" }, { kind: "none" }];
 * storage.open({ name: "rates", direction: "minimize", space, sampler, pruner, created: Date.now() });
 * const claim = storage.claim("first worker")!;
 * storage.decide(claim, { lr: 0.1 });
 * storage.tell(claim, { state: "complete", value: 0.5 });
 * storage.close();
 * console.log(new FileStorage(path).trials()[0]?.value); // → 0.5
 * ```
 */
export class FileStorage implements StudyStorage {
  readonly path: string;
  readonly #name = randomBytes(8).toString("hex");
  readonly #memory: InMemoryStorage;
  #journal: Journal | undefined;
  #count = 0;
  /** The time of the line that is replayed. */
  #time = 0;
  /** Who waits for what became of a line. */
  #own: { readonly by: string; outcome?: Outcome } | undefined;

  constructor(path: string) {
    this.path = path;
    this.#memory = new InMemoryStorage({ now: () => this.#time });
  }

  /** @throws FormatError where the file is no study's; FileError where it cannot be read or written. */
  open(definition: StudyDefinition): StudyDefinition {
    this.#journal ??= new Journal(this.path, { create: true });
    this.#replay();
    const format = { format: "gradus-study", version: 1 } as const;
    return this.#memory.load() ?? this.#do({ op: "open", ...format, definition });
  }

  /** @throws FormatError where the file is no study's; FileError where it cannot be read. */
  load(): StudyDefinition | undefined {
    if (!this.#journal && !fs.existsSync(this.path)) return undefined;
    this.#replay();
    return this.#memory.load();
  }

  trials(): readonly TrialRecord[] {
    this.#replay();
    return this.#memory.trials();
  }

  enqueue(parameters: Parameters): TrialRecord {
    return this.#do({ op: "enqueue", parameters: { ...parameters } });
  }

  claim(worker: string, limits: ClaimLimits = {}): TrialRecord | undefined {
    return this.#do({ op: "claim", worker, limits: finite(limits) });
  }

  decide(claim: Claim, parameters: Parameters): void {
    this.#do({ op: "decide", ...the(claim), parameters: { ...parameters } });
  }

  report(claim: Claim, step: number, value: number): void {
    this.#do({ op: "report", ...the(claim), step, value });
  }

  heartbeat(claim: Claim): void {
    this.#do({ op: "heartbeat", ...the(claim) });
  }

  annotate(claim: Claim, attributes: TrialRecord["attributes"]): void {
    this.#do({ op: "annotate", ...the(claim), attributes: { ...attributes } });
  }

  /** Ends a trial, on the disk when it returns. */
  tell(claim: Claim, ending: Ending): TrialRecord {
    const trial = this.#do<TrialRecord>({ op: "tell", ...the(claim), ending });
    this.#journal?.flush();
    return trial;
  }

  release(claim: Claim, { died = false }: ReleaseOptions = {}): void {
    this.#do({ op: "release", ...the(claim), ...(died && { died }) });
  }

  requeue({ before, attempts }: RequeueOptions): readonly TrialRecord[] {
    return this.#do({ op: "requeue", before, ...(attempts !== undefined && { attempts }) });
  }

  close(): void {
    this.#journal?.close();
    this.#journal = undefined;
  }

  /** Takes in what others have written. */
  #replay(): void {
    const journal = this.#open();
    for (const line of journal.read()) {
      const record = parseRecord(line, this.path);
      if (!record) continue;
      const outcome = this.#apply(record);
      if (this.#own?.by === record.by) this.#own.outcome = outcome;
    }
  }

  #apply(record: StudyRecord): Outcome {
    this.#time = record.time;
    if (record.op !== "open" && !this.#memory.load())
      throw new FormatError("study", `${this.path}: does not begin with a study's definition`);
    try {
      return { result: applyTo(this.#memory, record) };
    } catch (error) {
      // What came too late changes nothing; whoever wrote it is told.
      if (error instanceof GradusError) return { error };
      throw error;
    }
  }

  /** Writes an operation, and gives back what it came to once all that was written before it is known. */
  #do<T>(operation: StudyOperation): T {
    const journal = this.#open();
    const by = `${this.#name}-${this.#count++}`;
    const own: { readonly by: string; outcome?: Outcome } = { by };
    this.#own = own;
    const line = encodeRecord({ ...operation, time: Date.now(), by } as StudyRecord);
    for (let tries = 0; !own.outcome; tries++) {
      if (tries === mostTries)
        throw new FileError(operation.op, this.path, "lines that were written do not appear in it");
      journal.append(line);
      this.#replay();
    }
    if ("error" in own.outcome) throw own.outcome.error;
    return own.outcome.result as T;
  }

  #open(): Journal {
    this.#journal ??= new Journal(this.path);
    return this.#journal;
  }
}

/** A claim without what else a trial's record holds. */
const the = ({ number, attempt }: Claim): Claim => ({ number, attempt });

/** JSON lacks Infinity; a limit left out means the same. */
const finite = (limits: ClaimLimits): ClaimLimits =>
  Object.fromEntries(Object.entries(limits).filter(([, value]) => Number.isFinite(value)));

function applyTo(memory: InMemoryStorage, record: StudyRecord): unknown {
  switch (record.op) {
    case "open":
      return memory.open(record.definition);
    case "enqueue":
      return memory.enqueue(record.parameters);
    case "claim":
      return memory.claim(record.worker, record.limits);
    case "decide":
      return memory.decide(record, record.parameters);
    case "report":
      return memory.report(record, record.step, record.value);
    case "heartbeat":
      return memory.heartbeat(record);
    case "annotate":
      return memory.annotate(record, record.attributes);
    case "tell":
      return memory.tell(record, record.ending);
    case "release":
      return memory.release(record, record);
    case "requeue":
      return memory.requeue({
        before: record.before,
        ...(record.attempts !== undefined && { attempts: record.attempts }),
      });
  }
}
