/**
 * Runs an op: while a function is traced, by adding its lowering to the graph; else at once, as a small cached program
 * on the current backend, noting on the tape what gradients will need. Read autograd.ts or trace.ts next.
 */

import { currentBackend } from "../backend/select.js";
import { allocate, allocateDirty, type DType, isFloat, type TypedArray } from "../core/dtype.js";
import { ValueError } from "../core/errors.js";
import { checkList, checkShape, formatShape, type Shape, sizeOf } from "../core/shape.js";
import { Builder } from "../ir/builder.js";
import { attributesKey, type Graph, type Node } from "../ir/graph.js";
import { activeObserver, activeTrace, isGradEnabled, type TraceContext } from "./context.js";
import { type BackwardSource, Routine, type Variant } from "./routine.js";
import { Storage } from "./storage.js";
import { freedError, type InputGradient, type Kept, keep, Saved, TapeNode } from "./tape.js";
import { Tensor } from "./tensor.js";

/** Attributes of an op: what its lowering depends on besides the inputs' types. */
export type OpAttributes = Readonly<Record<string, unknown>>;

/**
 * The meaning of an op: how it lowers to primitives. The spec itself keys kept programs, with the attributes and the inputs'
 * types: a lowering depends on nothing else. So a spec is made once, not for each call.
 */
export interface OpSpec<A extends OpAttributes = OpAttributes> {
  readonly name: string;
  /** The result has the first input's elements in the same order: in eager mode it shares their memory. */
  readonly sharesMemory?: boolean;
  lower(b: Builder, inputs: readonly Node[], attributes: A): Node | readonly Node[];
}

/** A concrete tensor over an array, which it takes over. */
export function fromArray(data: TypedArray, shape: Shape, dtype: DType): Tensor {
  return new Tensor(shape, dtype, { kind: "concrete", storage: new Storage(data) });
}

/** A number as a tensor without dims, of the dtype that it takes beside `like`; `op` is for messages. */
export function scalarLike(op: string, value: number, like: Tensor): Tensor {
  checkTensors(op, [like]);
  const dtype = scalarDType(op, value, like.dtype);
  const trace = activeTrace();
  if (trace) return trace.wrap(trace.builder.constant(value, dtype), false);
  const data = allocate(dtype, 1);
  data[0] = value;
  return fromArray(data, [], dtype);
}

/** A whole number fits integers; any other number makes them float32; a float tensor keeps its dtype. */
function scalarDType(op: string, value: number, beside: DType): DType {
  if (isFloat(beside)) return beside;
  if (!Number.isInteger(value)) return "float32";
  const dtype = beside === "bool" ? "int32" : beside;
  const data = allocate(dtype, 1);
  data[0] = value;
  if (data[0] !== value)
    throw new ValueError(op, `${value} does not fit ${dtype}; convert the tensor to a float first`);
  return dtype;
}

const asList = (nodes: Node | readonly Node[]): readonly Node[] =>
  Array.isArray(nodes) ? nodes : [nodes as Node];

/** Shapes as text: results of one program share their shape, so most are known by their object. */
const shapeKeys = new WeakMap<Shape, string>();

function typeKey({ dtype, shape }: Tensor): string {
  let key = shapeKeys.get(shape);
  if (key === undefined) {
    key = formatShape(shape);
    shapeKeys.set(shape, key);
  }
  return dtype + key;
}

/** Each spec's number in the keys of kept programs: two ops may have one name. */
const specIds = new WeakMap<object, number>();
let nextSpecId = 0;

function specId(spec: object): number {
  let id = specIds.get(spec);
  if (id === undefined) {
    id = nextSpecId++;
    specIds.set(spec, id);
  }
  return id;
}

/** Makes the specs that differ by their op's name alone, each once. */
export function byName<S>(make: (name: string) => S): (name: string) => S {
  const known = new Map<string, S>();
  return (name) => {
    let spec = known.get(name);
    if (spec === undefined) {
      spec = make(name);
      known.set(name, spec);
    }
    return spec;
  };
}

const routines = new Map<string, Routine>();
/** Past this many kept routines the oldest go: a program that never stops making new shapes must not grow for ever. */
const maxRoutines = 4096;

function buildRoutine(spec: OpSpec, inputs: readonly Tensor[], attributes: OpAttributes): Routine {
  const b = new Builder(spec.name);
  const nodes = inputs.map((x, i) => b.input(i, x.shape, x.dtype));
  const graph: Graph = { inputs: nodes, outputs: asList(spec.lower(b, nodes, attributes)) };
  // Before memory is asked for: sizes that came from settings have not been looked at by all ops.
  for (const { shape } of graph.outputs) checkShape(spec.name, shape);
  return new Routine(spec.name, graph);
}

function routineFor(spec: OpSpec, inputs: readonly Tensor[], attributes: OpAttributes): Routine {
  const key = `${specId(spec)} ${attributesKey(attributes)} ${inputs.map(typeKey).join()}`;
  return keptRoutine(key, () => buildRoutine(spec, inputs, attributes));
}

/** The routine kept under a key, or a new one; {@link maxRoutines} bounds how many are kept. */
export function keptRoutine(key: string, build: () => Routine): Routine {
  let routine = routines.get(key);
  if (!routine) {
    routine = build();
    if (routines.size >= maxRoutines) routines.delete(routines.keys().next().value!);
    routines.set(key, routine);
  }
  return routine;
}

/** Throws unless all are tensors: what is called without types may hand anything on. */
export function checkTensors(op: string, inputs: readonly Tensor[]): void {
  checkList(op, "tensors", inputs);
  const wrong = inputs.findIndex((x) => !(x instanceof Tensor));
  if (wrong >= 0)
    throw new ValueError(op, `input ${wrong} must be a tensor, got ${describe(inputs[wrong])}`);
}

/** What came in the place of a tensor or another object, for an error. */
export const describe = (x: unknown): string =>
  typeof x === "object" && x !== null ? (Array.isArray(x) ? "an array" : "an object") : String(x);

/** Runs an op on tensors; gives its outputs. */
export function apply<A extends OpAttributes>(
  spec: OpSpec<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor[] {
  checkTensors(spec.name, inputs);
  const trace = activeTrace();
  const any = spec as unknown as OpSpec;
  const outputs = trace
    ? applyTraced(trace, any, inputs, attributes)
    : callRoutine(routineFor(any, inputs, attributes), inputs, spec.sharesMemory);
  activeObserver()?.applied(spec.name, inputs, outputs);
  return outputs;
}

/** {@link apply} for an op with one output. */
export const applyOne = <A extends OpAttributes>(
  spec: OpSpec<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor => apply(spec, inputs, attributes)[0]!;

function applyTraced(
  trace: TraceContext,
  spec: OpSpec,
  inputs: readonly Tensor[],
  attributes: OpAttributes,
): Tensor[] {
  const nodes = inputs.map((x) => trace.nodeOf(x));
  const flows = inputs.some((x) => x.requiresGrad);
  const b = trace.builder;
  const before = b.origin;
  b.origin = spec.name;
  try {
    return asList(spec.lower(b, nodes, attributes)).map((result) => {
      const requiresGrad = flows && isFloat(result.dtype) && isGradEnabled();
      // An op that gives its input back gives a value of its own, which may have hooks of its own.
      const node = requiresGrad && nodes.includes(result) ? b.alias(result) : result;
      return trace.wrap(flows && !requiresGrad ? b.stopGradient(node) : node, requiresGrad);
    });
  } finally {
    b.origin = before;
  }
}

/** Calls a routine now, on concrete tensors, and records it where a gradient is wanted. */
export function callRoutine(
  routine: Routine,
  inputs: readonly Tensor[],
  sharesMemory = false,
): Tensor[] {
  const records = isGradEnabled() && inputs.some((x) => x.requiresGrad);
  const wanted = inputs.map((x) => records && x.requiresGrad && isFloat(x.dtype));
  const variant = routine.variant(wanted);
  const outputs = sharesMemory ? shareMemory(variant, inputs) : runVariant(variant, inputs);
  if (records) {
    const node = new RoutineCall(variant, wanted, inputs, outputs);
    outputs.forEach((tensor, index) => {
      if (!isFloat(tensor.dtype)) return;
      tensor.tape = { node, index };
      tensor.requiresGrad = true;
    });
  }
  return outputs.slice(0, variant.outputCount);
}

const savedKey = ({ kind, index }: BackwardSource): string => `${kind} ${index}`;

/** A recorded call of a routine: its gradient is another routine. */
class RoutineCall extends TapeNode {
  private readonly variant: Variant;
  private saved: Kept<ReadonlyMap<string, Saved>> | null;

  constructor(
    variant: Variant,
    wanted: readonly boolean[],
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
  ) {
    super(variant.name, inputs, wanted, variant.graph.outputs.length);
    this.variant = variant;
    this.saved = keep(this.name, this.save(inputs, outputs), inputs);
  }

  /** What the gradient will need, and no more. */
  private save(inputs: readonly Tensor[], outputs: readonly Tensor[]): Map<string, Saved> {
    const everything = this.variant.graph.outputs.map(() => true);
    const saved = new Map<string, Saved>();
    for (const source of this.variant.backward(everything).sources) {
      if (source.kind === "cotangent") continue;
      const tensor = (source.kind === "input" ? inputs : outputs)[source.index]!;
      saved.set(savedKey(source), new Saved(tensor));
    }
    return saved;
  }

  differentiate(
    cotangents: readonly (Tensor | null)[],
    needed: readonly boolean[] | null,
  ): readonly InputGradient[] {
    const given = cotangents.map((c) => c !== null);
    const { routine, sources, targets } = this.variant.backward(given, needed ?? undefined);
    if (!this.saved) throw freedError(this.name);
    const saved = this.saved.get();
    const inputs = sources.map((source) =>
      source.kind === "cotangent"
        ? cotangents[source.index]!
        : saved.get(savedKey(source))!.recall(this.name),
    );
    const gradients = callRoutine(routine, inputs);
    return targets.map((input, i) => [input, gradients[i]!] as const);
  }

  release(): void {
    this.saved = null;
  }
}

function runVariant(variant: Variant, inputs: readonly Tensor[]): Tensor[] {
  const arrays = inputs.map((x) => x.storageFor(variant.name).data);
  const outputs = variant.graph.outputs.map(({ shape, dtype }) => {
    const data = allocateDirty(dtype, sizeOf(shape));
    arrays.push(data);
    return fromArray(data, shape, dtype);
  });
  variant.executable(currentBackend()).run(arrays);
  return outputs;
}

function shareMemory({ name, graph }: Variant, [x]: readonly Tensor[]): Tensor[] {
  const storage = x!.storageFor(name);
  return graph.outputs.map(
    ({ shape, dtype }) => new Tensor(shape, dtype, { kind: "concrete", storage }),
  );
}

/** Runs a multi-tensor update: the op's outputs become the new values of `targets`, in place. */
export function update<A extends OpAttributes>(
  spec: OpSpec<A>,
  targets: readonly Tensor[],
  others: readonly Tensor[],
  attributes: A,
): void {
  const trace = activeTrace();
  const inputs = [...targets, ...others];
  if (trace) {
    const values = applyTraced(trace, spec as unknown as OpSpec, inputs, attributes);
    targets.forEach((target, i) => trace.assign(target, values[i]!));
    return;
  }
  const key = `update ${specId(spec)} ${attributesKey(attributes)} ${inputs.map(typeKey).join()}`;
  const routine = keptRoutine(key, () => {
    const { graph, name } = buildRoutine(spec as unknown as OpSpec, inputs, attributes);
    const inPlace = targets.map((_, i) => [i, i] as const);
    return new Routine(name, graph, inPlace);
  });
  const stores = targets.map((target) => target.storageFor(spec.name));
  for (const store of stores) store.beforeWrite();
  const arrays = inputs.map((x) => x.storageFor(spec.name).data);
  const variant = routine.variant(inputs.map(() => false));
  variant.executable(currentBackend()).run([...arrays, ...stores.map((s) => s.data)]);
  for (const store of stores) store.version++;
}
