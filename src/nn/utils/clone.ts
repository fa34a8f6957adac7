/** A copy of a model with tensors of its own. */
import { ValueError } from "../../core/errors.js";
import { fromArray } from "../../tensor/apply.js";
import { withTrace } from "../../tensor/context.js";
import { Tensor } from "../../tensor/tensor.js";
import { Buffer, Module, Parameter } from "../module.js";

/**
 * A copy of a module: parameters, buffers and parts are copied, those that are shared stay shared in the copy, and everything else
 * (numbers, options, functions) is taken over as it is. So a field that holds an arrow function still speaks of the
 * original.
 *
 * @throws ValueError for what is no module, and for classes with `#private` fields, which only they themselves can read.
 * @example
 * ```ts
 * import { nn, zeros } from "gradus";
 * const model = new nn.Linear(2, 2);
 * const copy = nn.utils.cloneModule(model);
 * copy.weight.assign(zeros([2, 2]));
 * console.log(model.weight.data[0] === 0); // → false
 * ```
 */
export function cloneModule<M extends Module>(module: M): M {
  if (!(module instanceof Module)) throw new ValueError("cloneModule", "expected a module");
  return withTrace(null, () => copyOf(module, new Map()) as M);
}

function copyOf(value: unknown, seen: Map<unknown, unknown>): unknown {
  const known = seen.get(value);
  if (known !== undefined) return known;
  const keep = <T>(copy: T): T => {
    seen.set(value, copy);
    return copy;
  };
  if (value instanceof Tensor) return keep(copyTensor(value));
  if (value instanceof Module) {
    refusePrivate(value);
    const copy = keep(Object.create(Object.getPrototypeOf(value) as object) as Module);
    for (const key of Reflect.ownKeys(value)) copyProperty(value, copy, key, seen);
    return copy;
  }
  if (Array.isArray(value)) {
    const list = keep([] as unknown[]);
    for (const item of value) list.push(copyOf(item, seen));
    return list;
  }
  if (value instanceof Map) {
    const map = keep(new Map<unknown, unknown>());
    for (const [key, item] of value) map.set(key, copyOf(item, seen));
    return map;
  }
  return value;
}

/** Without this the copy would fail when it is first used, at a place that says nothing of the reason. */
function refusePrivate(module: Module): void {
  for (
    let kind: unknown = module.constructor;
    typeof kind === "function" && kind !== Module;
    kind = Object.getPrototypeOf(kind)
  )
    if (/\bthis\.#[\w$]/.test(Function.prototype.toString.call(kind)))
      throw new ValueError(
        "cloneModule",
        `${kind.name} has #private fields, which cannot be copied; declare them \`private\` instead`,
      );
}

function copyProperty(
  from: Module,
  to: Module,
  key: string | symbol,
  seen: Map<unknown, unknown>,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(from, key)!;
  // Hooks belong to the original.
  if (key === "forward" && !descriptor.enumerable) return;
  if ("value" in descriptor) descriptor.value = copyOf(descriptor.value as unknown, seen);
  Object.defineProperty(to, key, descriptor);
}

function copyTensor(x: Tensor): Tensor {
  const value = fromArray(x.storageFor("cloneModule").data.slice(), x.shape, x.dtype);
  if (x instanceof Parameter) return new Parameter(value, { requiresGrad: x.requiresGrad });
  if (x instanceof Buffer) return new Buffer(value);
  value.requiresGrad = x.requiresGrad;
  return value;
}
