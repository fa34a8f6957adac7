/**
 * Which module is at work: a stack kept by hooks while a model runs, so that what an op gives can be put down to a module. Read monitor.ts
 * and anomaly.ts for what asks.
 */
import * as nn from "../../nn/index.js";
import { RunningNorm } from "../../nn/norm.js";

/** A module while its `forward` runs. */
export interface RunningModule {
  /** As in `namedModules()`; "" for the model itself. */
  readonly name: string;
  readonly kind: string;
  readonly module: nn.Module;
}

/** Whether a module has no parts. */
export const isLeafModule = (module: nn.Module): boolean =>
  module.namedChildren().next().done === true;

/** The modules that are running, the outermost first. */
export class ModuleStack {
  readonly #running: RunningModule[] = [];
  readonly #hooks: { remove(): void }[] = [];

  /** Puts hooks on all modules of a model; `onLeave` gets each module's output when it is there. */
  constructor(model: nn.Module, onLeave?: (running: RunningModule, output: unknown) => void) {
    for (const [name, module] of model.namedModules()) {
      const running = { name, kind: module.constructor.name, module };
      this.#hooks.push(
        module.registerForwardPreHook(() => void this.#running.push(running)),
        module.registerForwardHook((_, output) => {
          this.#running.pop();
          onLeave?.(running, output);
        }),
      );
    }
  }

  /** The innermost one. */
  get top(): RunningModule | undefined {
    return this.#running.at(-1);
  }

  /** Takes the hooks away. */
  remove(): void {
    for (const hook of this.#hooks.toReversed()) hook.remove();
  }
}

const dropping: readonly (abstract new (...args: never[]) => nn.Module)[] = [
  ...[nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout],
  ...[nn.FeatureAlphaDropout, nn.StochasticDepth, nn.DropConnect, nn.RReLU],
];

/** Whether a module does something else in training than in evaluation. */
export const hasModes = (module: nn.Module): boolean =>
  dropping.some((kind) => module instanceof kind) ||
  (module instanceof RunningNorm && module.runningMean !== null);

/** Names of the modules with modes of their own that are in this mode; frozen ones left out, which may well be in eval mode. */
export function modulesInMode(model: nn.Module, training: boolean): string[] {
  return [...model.namedModules()].flatMap(([name, module]) => {
    const own = module.parameters();
    const isFrozen = own.length > 0 && own.every((p) => !p.requiresGrad);
    return hasModes(module) && !isFrozen && module.training === training ? [name] : [];
  });
}
