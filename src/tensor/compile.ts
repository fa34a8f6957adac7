/**
 * compile(fn): traces a function once for each signature and runs it as one planned program. Read trace.ts first.
 */

import type { Backend, Executable } from "../backend/contract.js";
import { currentBackend } from "../backend/select.js";
import { makeBreather } from "../core/breathe.js";
import { allocateDirty, type TypedArray } from "../core/dtype.js";
import { TraceError, ValueError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import type { Graph, Node } from "../ir/graph.js";
import { fromArray } from "./apply.js";
import { activeTrace, noGrad, withTrace } from "./context.js";
import type { Storage } from "./storage.js";
import { Tensor } from "./tensor.js";
import { Trace, type TraceInput } from "./trace.js";
import { sum } from "./walk.js";

/** What a compiled function takes and gives: tensors, plain values, and arrays and records of these. */
export type Structure =
  | Tensor
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly Structure[]
  | { readonly [key: string]: Structure };

/** A structure with its tensors taken out: what decides, with their types, which program fits. */
interface Flattened {
  readonly tensors: Tensor[];
  readonly signature: string;
}

function flatten(value: unknown): Flattened {
  const tensors: Tensor[] = [];
  const spell = (part: unknown): string => {
    if (part instanceof Tensor) {
      tensors.push(part);
      const grad = part.requiresGrad ? `g${part.hooks?.key ?? ""}` : "";
      return part.dtype + formatShape(part.shape) + grad;
    }
    if (Array.isArray(part)) return `[${part.map(spell).join()}]`;
    if (part && typeof part === "object" && Object.getPrototypeOf(part) === Object.prototype)
      return `{${Object.entries(part).map(([key, x]) => `${JSON.stringify(key)}:${spell(x)}`)}}`;
    if (part === null || ["number", "string", "boolean", "undefined"].includes(typeof part))
      return typeof part === "string" ? JSON.stringify(part) : String(part);
    throw new ValueError(
      "compile",
      `arguments and results must be tensors, plain values, or arrays and records of these, got ` +
        `${typeof part === "function" ? "a function" : Object.prototype.toString.call(part)}`,
    );
  };
  return { signature: spell(value), tensors };
}

/** The same structure with each tensor replaced, in the order of {@link flatten}. */
function mapTensors(value: unknown, replace: (tensor: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return replace(value);
  if (Array.isArray(value)) return value.map((part) => mapTensors(part, replace));
  if (value && typeof value === "object") {
    const entries = Object.entries(value).map(([key, x]) => [key, mapTensors(x, replace)]);
    return Object.fromEntries(entries);
  }
  return value;
}

/** A gradient that a program leaves; null where it clears one. */
interface GradOutput {
  readonly tensor: Tensor;
  readonly node: Node | null;
  /** Which argument the tensor stands for; none for one from outside. */
  readonly position: number | undefined;
}

/** One traced program: what it reads, what it writes, and when it may be used. */
class CompiledProgram {
  readonly guards: readonly (() => boolean)[];
  private readonly inputs: readonly TraceInput[];
  private readonly graph: Graph;
  private readonly assigned: readonly Tensor[];
  private readonly grads: readonly GradOutput[];
  private readonly result: unknown;
  private readonly results: readonly Tensor[];
  private readonly aliases: readonly (readonly [number, number])[];
  private readonly executables = new Map<Backend, Executable>();

  constructor(trace: Trace, result: unknown, commit: boolean) {
    this.guards = trace.guards;
    this.inputs = trace.inputs;
    this.result = result;
    this.results = flatten(result).tensors;
    const changed = [...trace.cells].flatMap(([x, cell]) => (cell.assigned ? [x] : []));
    this.assigned = commit ? changed : [];
    const gradInputOf = (x: Tensor) =>
      trace.inputs.findIndex(
        ({ from }) => typeof from === "object" && "gradOf" in from && from.gradOf === x,
      );
    this.grads = [...(commit ? trace.grads : [])]
      // A gradient of a value of the trace (retainGrad) has nowhere to go.
      .filter(([tensor]) => tensor.source.kind === "concrete" || trace.args.has(tensor))
      .map(([tensor, grad]) => ({
        tensor,
        node: grad && trace.nodeOf(grad),
        position: trace.args.get(tensor),
      }))
      // A gradient that was only read is still the input that it came in as.
      .filter(({ tensor, node }) => !node || node !== trace.inputs[gradInputOf(tensor)]?.node);
    const results = this.results.map((x) => trace.nodeOf(x));
    const inputOf = (cell: Tensor) => trace.inputs.findIndex(({ from }) => from === cell);
    const gradOutputs = this.grads.filter((grad) => grad.node);
    const first = this.assigned.length;
    this.aliases = [
      ...this.assigned.map((cell, i) => [i, inputOf(cell)] as const),
      ...gradOutputs.map(({ tensor }, i) => [first + i, gradInputOf(tensor)] as const),
    ];
    this.graph = {
      inputs: trace.inputs.map(({ node }) => node),
      outputs: [
        ...this.assigned.map((cell) => trace.cells.get(cell)!.current!),
        ...gradOutputs.map(({ node }) => node!),
        ...results,
      ],
    };
  }

  private executable(): Executable {
    const backend = currentBackend();
    let executable = this.executables.get(backend);
    if (!executable) {
      executable = backend.prepare(this.graph, { aliases: this.aliases });
      this.executables.set(backend, executable);
    }
    return executable;
  }

  async run(args: readonly Tensor[]): Promise<unknown> {
    const executable = this.executable();
    const written: Storage[] = this.assigned.map((cell) => cell.storageFor("compile"));
    const grads = this.grads.map(
      ({ tensor, node }) => node && (tensor.concreteGrad ?? emptyLike(tensor)),
    );
    for (const grad of grads) if (grad) written.push(grad.storageFor("compile"));
    const results = this.results.map(emptyLike);
    const arrays = this.gatherArrays(args, written, results);
    for (const storage of written) {
      storage.beforeWrite();
      storage.writers++;
    }
    try {
      await executable.runAsync(arrays);
      // What ran on this very thread would, in a loop, keep timers, sockets and signals waiting for the loop's end.
      await breathe();
    } finally {
      for (const storage of written) storage.writers--;
    }
    for (const storage of written) storage.version++;
    this.grads.forEach(({ tensor, position }, i) => {
      if (position === undefined) tensor.concreteGrad = grads[i]!;
      else receiveGrad(args[position]!, grads[i]!);
    });
    let next = 0;
    return mapTensors(this.result, () => results[next++]!);
  }

  private gatherArrays(
    args: readonly Tensor[],
    written: readonly Storage[],
    results: readonly Tensor[],
  ): TypedArray[] {
    const targets = new Set(written);
    const aliased = new Set(this.aliases.map(([, input]) => input));
    const reads = this.inputs.map(({ from }, i) => {
      const storage = sourceOf(from, args).storageFor("compile");
      // An array that will be written but comes in under another name too (a reshaped view, an argument) is read from a copy.
      return targets.has(storage) && !aliased.has(i) ? storage.data.slice() : storage.data;
    });
    return [
      ...reads,
      ...[...written, ...results.map((x) => x.storageFor("compile"))].map((s) => s.data),
    ];
  }
}

/** Adds to the gradient of an argument, whose earlier one the program does not read. */
function receiveGrad(argument: Tensor, grad: Tensor | null): void {
  const before = argument.concreteGrad;
  argument.concreteGrad = before && grad ? noGrad(() => sum(before, grad)) : grad;
}

function sourceOf(from: TraceInput["from"], args: readonly Tensor[]): Tensor {
  if (typeof from === "number") return args[from]!;
  return from instanceof Tensor ? from : from.gradOf.concreteGrad!;
}

function emptyLike({ shape, dtype }: Tensor): Tensor {
  return fromArray(allocateDirty(dtype, sizeOf(shape)), shape, dtype);
}

function trace(
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
  commit: boolean,
): CompiledProgram {
  const recording = new Trace();
  let position = 0;
  try {
    return withTrace(recording, () => {
      const traced = args.map((arg) => mapTensors(arg, (x) => recording.argument(position++, x)));
      const result = fn(...(traced as never[]));
      if (result instanceof Promise)
        throw new TraceError(
          "compile",
          "the function is async: it is traced, not awaited; make it synchronous",
        );
      return new CompiledProgram(recording, result, commit);
    });
  } finally {
    recording.close();
  }
}

const breathe = makeBreather();

/** Runs of compiled functions happen one after another, in the order of the calls. */
let lastRun: Promise<unknown> | null = null;

async function enqueue<R>(run: () => Promise<R>): Promise<R> {
  const result = lastRun ? lastRun.then(run) : run();
  const settled = result.then(
    () => undefined,
    () => undefined,
  );
  lastRun = settled;
  try {
    return await result;
  } finally {
    if (lastRun === settled) lastRun = null;
  }
}

/** A plain argument that changes at each call makes a signature each time; the oldest programs go then. */
const maxSignatures = 64;
/** So does a number from outside that the function reads; for one signature so many programs are kept. */
const maxPrograms = 16;

export interface CompileOptions {
  /**
   * Default true. False for a function that only looks: what it assigns, the gradients it leaves and the random numbers it draws change
   * nothing outside. The statistics of a training step can so be taken without making it.
   */
  readonly commit?: boolean;
}

/** What {@link compile} gives: the same call, with the result promised. */
export interface CompiledFunction<A extends readonly unknown[], R> {
  (...args: A): Promise<R>;
  /** How many programs were traced so far, one for each signature and state of what was read. */
  readonly programCount: number;
}

/**
 * Makes a function of tensors into a program: traced at the first call for each signature (shapes, dtypes, plain
 * arguments, train or eval mode), then run whole, off the JavaScript thread where the backend can.
 *
 * Tensors that the function uses from outside (parameters, optimizer state, learning rate) are read at each run; those it
 * assigns (`assign`, `optimizer.step()`, `grad`) change when the run succeeds. Plain numbers are fixed when it is traced.
 *
 * @throws TraceError if the function reads a value, is async, or uses a value kept from another trace.
 * @example
 * ```ts
 * import { compile, tensor } from "gradus";
 * const scale = tensor(3);
 * const f = compile((x) => x.mul(scale).sum());
 * console.log((await f(tensor([1, 2]))).item()); // → 9
 * ```
 */
export function compile<
  A extends readonly Structure[] = Tensor[],
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that only assigns gives nothing.
  R extends Structure | void = Tensor,
>(fn: (...args: A) => R, { commit = true }: CompileOptions = {}): CompiledFunction<A, R> {
  const programs = new Map<string, CompiledProgram[]>();
  let programCount = 0;
  const find = (signature: string, args: A): CompiledProgram => {
    const known = programs.get(signature) ?? [];
    const fitting = known.find(({ guards }) => guards.every((holds) => holds()));
    if (fitting) return fitting;
    const program = trace(fn as never, args, commit);
    if (programs.size >= maxSignatures) programs.delete(programs.keys().next().value!);
    programs.set(signature, [...known.slice(1 - maxPrograms), program]);
    programCount++;
    return program;
  };
  const call = (...args: A): Promise<R> => {
    // Inside another traced function the call is just a part of it.
    if (activeTrace()) return fn(...args) as unknown as Promise<R>;
    return enqueue(() => {
      const { signature, tensors } = flatten(args);
      return find(signature, args).run(tensors) as Promise<R>;
    });
  };
  return Object.defineProperty(call, "programCount", {
    get: () => programCount,
  }) as CompiledFunction<A, R>;
}
