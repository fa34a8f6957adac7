/** What is refused before a run begins, so that nothing goes wrong in silence or after hours. Read begin.ts for what comes next. */
import { ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { suggestion } from "../../core/suggest.js";
import type { Module } from "../../nn/module.js";
import type { Optimizer } from "../../optim/index.js";
import type { Tensor } from "../../tensor/index.js";
import { Monitor } from "../callbacks/monitor.js";
import type { Metrics } from "../metrics/metric.js";
import type { FitOptions } from "../options.js";

/** @throws ValueError for options out of range, parts that are none, and measures that the run will not have. */
export function checkOptions(model: Module, options: FitOptions): void {
  checkParts(model, options);
  checkNumbers(options);
  checkMetrics(options.metrics ?? {});
  checkOptimizer(model, options);
  const { train, validation, validateEverySteps, ema, swa, earlyStopping } = options;
  if (validateEverySteps !== undefined && !validation)
    throw new ValueError("fit", "validateEverySteps is given, but no validation data");
  if (swa && (ema || (earlyStopping && (earlyStopping.restoreBest ?? true))))
    throw new ValueError(
      "fit",
      "swa gives the model its last weights, and so " +
        (ema ? "does ema; choose one" : "does earlyStopping; say restoreBest: false"),
    );
  if (train.length === 0)
    throw new ValueError("fit", "the training loader gives no batch; is its data set empty?");
  checkMonitors(options);
}

/** What a value is, for people. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object") return JSON.stringify(value) ?? String(value);
  return Array.isArray(value) ? "a list" : `a ${value.constructor?.name ?? "plain object"}`;
}

/** Says in a program without types what TypeScript says in one with them. */
function checkParts(model: Module, { optimizer, train, validation }: Partial<FitOptions>): void {
  const parts: readonly (readonly [name: string, value: unknown, method: string, what: string])[] =
    [
      ["the model", model, "namedParameters", "a Module; write class Net extends nn.Module"],
      ["optimizer", optimizer, "step", "an optimizer, such as new optim.Adam(model.parameters())"],
      ["train", train, "iterateAsync", "a loader, such as new data.DataLoader(dataset)"],
      ...(validation === undefined
        ? []
        : [["validation", validation, "iterateAsync", "a loader"] as const]),
    ];
  for (const [name, value, method, what] of parts)
    if (typeof (value as Record<string, unknown> | undefined)?.[method] !== "function")
      throw new ValueError("fit", `${name} is ${kindOf(value)}; expected ${what}`);
}

function checkNumbers({ checkpoint, clip, monitor, ...options }: FitOptions): void {
  const { epochs, maxSteps, validateEverySteps, accumulate } = options;
  const { everySteps, everySeconds } = checkpoint ?? {};
  const counts = {
    ...{ maxSteps, validateEverySteps, accumulate },
    ...{ "checkpoint.everySteps": everySteps, "monitor.everySteps": monitor?.everySteps },
  };
  const given = Object.entries(counts).filter(([, value]) => value !== undefined);
  for (const [name, value] of [["epochs", epochs] as const, ...given])
    if (!(Number.isInteger(value) && value! >= 1))
      throw new ValueError("fit", `${name} is ${value}; expected a whole number ≥ 1`);
  const isClip = clip === undefined || "norm" in clip || "value" in clip;
  if (!isClip)
    throw new ValueError("fit", `clip has ${Object.keys(clip)}; expected { norm } or { value }`);
  const sizes = {
    "clip.norm": clip && "norm" in clip ? clip.norm : undefined,
    "clip.value": clip && "value" in clip ? clip.value : undefined,
  };
  for (const [name, value] of Object.entries(sizes))
    if (value !== undefined && !(value > 0))
      throw new ValueError("fit", `${name} is ${value}; expected a number above 0`);
  if (everySeconds !== undefined && !(everySeconds >= 0))
    throw new ValueError(
      "fit",
      `checkpoint.everySeconds is ${everySeconds}; expected a number ≥ 0`,
    );
}

function checkMetrics(metrics: Metrics): void {
  if (Array.isArray(metrics))
    throw new ValueError("fit", "metrics is a list; expected them by name, as { accuracy }");
  for (const [name, metric] of Object.entries(metrics))
    if (typeof metric !== "function" && typeof metric?.update !== "function")
      throw new ValueError(
        "fit",
        `metric ${name} is ${kindOf(metric)}; expected a function or an object with update`,
      );
}

const parametersOf = ({ paramGroups }: Optimizer): Tensor[] =>
  paramGroups.flatMap(({ params }) => [...params]);

/** An optimizer of another model trains in vain, and what is not the model's is in no checkpoint. */
function checkOptimizer(model: Module, { optimizer, checkpoint }: FitOptions): void {
  const own = new Set(model.parameters());
  const given = parametersOf(optimizer);
  const isTrained = given.some((p) => own.has(p));
  if (!isTrained && [...own].some((p) => p.requiresGrad))
    throw new ValueError(
      "fit",
      "the optimizer has none of the model's parameters; make it from model.parameters(), and " +
        "after layers were replaced",
    );
  const stranger = checkpoint && given.find((p) => !own.has(p));
  if (stranger)
    throw new ValueError(
      "fit",
      `the optimizer trains a parameter ${formatShape(stranger.shape)} that the model does not have, so ` +
        "that checkpoints would lack it; make it a field of the model",
    );
}

/** Early stopping, best checkpoints and plateaus go by measures: all of them must come. */
function checkMonitors(options: FitOptions): void {
  const { earlyStopping, checkpoint, schedule, validation, metrics = {} } = options;
  const { plateau } = typeof schedule === "object" && "plateau" in schedule ? schedule : {};
  const best = checkpoint?.best;
  const paths = {
    earlyStopping: earlyStopping?.monitor,
    "checkpoint.best": typeof best === "string" ? best : best?.monitor,
    schedule: plateau?.monitor,
  };
  const names = ["loss", ...Object.keys(metrics)];
  for (const [option, path] of Object.entries(paths)) {
    if (path === undefined) continue;
    const { part, name } = Monitor.parse(option, path);
    if (part === "validation" && !validation)
      throw new ValueError("fit", `${option} goes by ${path}, but there is no validation data`);
    // The parts of a metric with several are known once it was measured.
    if (names.some((known) => name === known || name.startsWith(`${known}.`))) continue;
    const hint = suggestion(name, names) || `; there are ${names.join(", ")}`;
    throw new ValueError("fit", `${option}: there is no measure ${path}${hint}`);
  }
}
